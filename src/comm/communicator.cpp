#include "orchard/comm/communicator.hpp"

#include <algorithm>
#include <bit>
#include <exception>
#include <limits>
#include <new>
#include <utility>

#include "backend.hpp"
#include "node_memory.hpp"

namespace orchard::comm {
namespace {

Bytes pack(const Error& error) {
  ByteWriter writer;
  writer.put(static_cast<std::int32_t>(error.kind()));
  writer.put(error.message());
  writer.put(error.where());
  writer.put(error.hint());
  return writer.take();
}

Error unpack(const Bytes& bytes) {
  ByteReader reader(bytes);
  const auto kind = static_cast<ErrorKind>(reader.get<std::int32_t>());
  auto message = reader.get_string();
  auto where = reader.get_string();
  return Error(kind, std::move(message), std::move(where), reader.get_string());
}

/// An integer that orders as the number does, and back: the same function does both.
std::int64_t flip(std::int64_t bits) {
  return bits < 0 ? bits ^ std::numeric_limits<std::int64_t>::max() : bits;
}

std::int64_t reduced(Backend& backend, std::int64_t value, Reduction reduction) {
  backend.reduce(std::span(&value, 1), reduction);
  return value;
}

}  // namespace

Communicator::Communicator(std::shared_ptr<Backend> backend) : backend_(std::move(backend)) {
  require(backend_ != nullptr, "a communicator has a back end");
}

int Communicator::rank() const { return backend_->rank(); }
int Communicator::size() const { return backend_->size(); }
void Communicator::set_deadline(double seconds) { backend_->set_deadline(seconds); }

void Communicator::barrier() { backend_->barrier(); }

Bytes Communicator::broadcast(Bytes bytes, int root) {
  require(root >= 0 && root < size(), "the root of a broadcast is a rank");
  return backend_->broadcast(std::move(bytes), root);
}

std::vector<Bytes> Communicator::gather(const Bytes& bytes, int root) {
  require(root >= 0 && root < size(), "the root of a gather is a rank");
  return backend_->gather(bytes, root);
}

std::vector<Bytes> Communicator::all_gather(const Bytes& bytes) {
  return backend_->all_gather(bytes);
}

std::vector<Bytes> Communicator::exchange(std::vector<Bytes> for_ranks) {
  require(static_cast<int>(for_ranks.size()) == size(), "an exchange has something for each rank");
  return backend_->exchange(std::move(for_ranks));
}

std::int64_t Communicator::sum(std::int64_t value) {
  return reduced(*backend_, value, Reduction::kSum);
}
std::int64_t Communicator::min(std::int64_t value) {
  return reduced(*backend_, value, Reduction::kMin);
}
std::int64_t Communicator::max(std::int64_t value) {
  return reduced(*backend_, value, Reduction::kMax);
}
void Communicator::sum(std::span<std::int64_t> values) {
  backend_->reduce(values, Reduction::kSum);
}

void Communicator::sum_parts(std::span<std::int64_t> values, std::span<const std::size_t> borders) {
  require(borders.size() == static_cast<std::size_t>(size()) + 1 && borders.front() == 0 &&
              borders.back() == values.size() && std::is_sorted(borders.begin(), borders.end()),
          "every rank has a part of the values");
  backend_->sum_parts(values, borders);
}

// The reduction is one of integers, which order as the numbers do.
void Communicator::max(std::span<double> values) {
  std::vector<std::int64_t> keys;
  for (const double value : values) keys.push_back(flip(std::bit_cast<std::int64_t>(value)));
  backend_->reduce(keys, Reduction::kMax);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::bit_cast<double>(flip(keys[i]));
}

void Communicator::agree(const std::optional<Error>& failure) { agree_on(failure, false); }

// One reduction settles both who failed first and whether anybody was stopped: failed ranks give
// their number, stopped ones `size`, the others more.
void Communicator::agree_on(const std::optional<Error>& failure, bool is_stopped) {
  const int outcome = failure ? rank() : is_stopped ? size() : size() + 1;
  const auto least = static_cast<int>(min(outcome));
  if (least == size()) throw Stopped();
  if (least > size()) return;
  throw unpack(broadcast(failure && least == rank() ? pack(*failure) : Bytes(), least));
}

void Communicator::together(const std::function<void()>& body) {
  std::optional<Error> failure;
  bool is_stopped = false;
  try {
    body();
  } catch (const Error& error) {
    failure = error;
  } catch (const Stopped&) {
    is_stopped = true;
  } catch (const std::bad_alloc&) {
    failure = Error(ErrorKind::kResources, "memory does not suffice");
  } catch (const std::exception& error) {
    failure = Error(ErrorKind::kInternal, error.what());
  } catch (...) {
    failure = Error(ErrorKind::kInternal, "an exception of an unknown type was thrown");
  }
  agree_on(failure, is_stopped);
}

void Communicator::send(int destination, int tag, Bytes bytes) {
  require(destination >= 0 && destination < size(), "a message goes to a rank");
  backend_->send(destination, tag, std::move(bytes));
}

std::optional<Message> Communicator::try_receive() { return backend_->try_receive(); }
void Communicator::flush() { backend_->flush(); }

Communicator Communicator::split_by_node() const { return Communicator(backend_->split_by_node()); }

Communicator Communicator::split(int colour) const {
  require(colour >= 0, "a colour is not negative");
  return Communicator(backend_->split(colour));
}

Communicator Communicator::subset(const std::vector<int>& ranks) const {
  auto sorted = ranks;
  std::sort(sorted.begin(), sorted.end());
  require(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end() &&
              std::binary_search(sorted.begin(), sorted.end(), rank()) && sorted.front() >= 0 &&
              sorted.back() < size(),
          "a subset lists ranks once, this one among them");
  return Communicator(backend_->subset(ranks));
}

void Communicator::dissolve() { backend_->dissolve(); }

SharedMemory Communicator::allocate_shared(std::size_t n_bytes) {
  require(backend_->is_one_node(), "shared memory is made by the ranks of one node");
  agree(refuse_block(n_bytes, size() > 1));
  return backend_->allocate_shared(n_bytes);
}

void Communicator::free_shared(const SharedMemory& memory) {
  require(memory.data != nullptr, "shared memory is freed once");
  backend_->free_shared(memory);
}

void Communicator::abort(const Error& error) {
  backend_->abort(error);
  std::terminate();  // the compiler does not see that a virtual function never returns
}

}  // namespace orchard::comm
