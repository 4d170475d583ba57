#include <algorithm>
#include <cstring>
#include <exception>
#include <thread>
#include <utility>

#include "backend.hpp"
#include "node_memory.hpp"
#include "orchard/base/text.hpp"
#include "thread_room.hpp"

namespace orchard::comm {
namespace {

/// A rank that is a thread of this process.
class ThreadBackend final : public Backend {
 public:
  ThreadBackend(std::shared_ptr<ThreadRoom> room, int rank, bool is_one_node)
      : Backend(rank, room->size()), room_(std::move(room)), is_one_node_(is_one_node) {}

  void barrier() override { exchange("barrier", {}); }

  Bytes broadcast(Bytes bytes, int root) override {
    if (rank() != root) bytes.clear();
    const auto slots = exchange(format("broadcast from rank {}", root), std::move(bytes));
    return (*slots)[static_cast<std::size_t>(root)];
  }

  std::vector<Bytes> gather(const Bytes& bytes, int root) override {
    const auto slots = exchange(format("gather to rank {}", root), bytes);
    return rank() == root ? *slots : std::vector<Bytes>();
  }

  std::vector<Bytes> all_gather(const Bytes& bytes) override {
    return *exchange("gather to all ranks", bytes);
  }
  std::vector<Bytes> exchange(std::vector<Bytes> for_ranks) override;
  void reduce(std::span<std::int64_t> values, Reduction reduction) override;
  void sum_parts(std::span<std::int64_t> values, std::span<const std::size_t> borders) override;

  void send(int destination, int tag, Bytes bytes) override {
    room_->post(destination, {rank(), tag, std::move(bytes)});
  }
  std::optional<Message> try_receive() override { return room_->take(rank()); }
  void flush() override {}

  std::shared_ptr<Backend> split_by_node() override {
    const int per_node = artificial_ranks_per_node();
    return split_into("split by node", per_node == 0 ? 0 : rank() / per_node, true);
  }
  std::shared_ptr<Backend> split(int colour) override {
    return split_into("split", colour, is_one_node_);
  }
  std::shared_ptr<Backend> subset(const std::vector<int>& ranks) override;
  void dissolve() override { barrier(); }

  bool is_one_node() const override { return is_one_node_ || size() == 1; }
  SharedMemory allocate_shared(std::size_t n_bytes) override;
  void free_shared(const SharedMemory& memory) override {
    exchange("free of shared memory", {});
    if (rank() == 0) unmap_memory(memory.data, memory.n_bytes);
  }

  [[noreturn]] void abort(const Error& error) override { throw error; }

 private:
  ThreadRoom::Slots exchange(const std::string& operation, Bytes bytes) {
    return room_->exchange(rank(), operation, std::move(bytes), deadline_s());
  }
  std::shared_ptr<Backend> split_into(const std::string& operation, int colour, bool is_node);

  std::shared_ptr<ThreadRoom> room_;
  bool is_one_node_;
  int next_id_ = 0;
};

void ThreadBackend::reduce(std::span<std::int64_t> values, Reduction reduction) {
  constexpr const char* kNames[] = {"sum", "min", "max"};
  Bytes mine(values.size_bytes());
  if (!mine.empty()) std::memcpy(mine.data(), values.data(), mine.size());
  const auto slots =
      exchange(format("{} of {} integers", kNames[static_cast<int>(reduction)], values.size()),
               std::move(mine));
  for (std::size_t other = 0; other < slots->size(); ++other) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::int64_t value = 0;
      std::memcpy(&value, (*slots)[other].data() + i * sizeof value, sizeof value);
      if (other == 0) {
        values[i] = value;
      } else if (reduction == Reduction::kSum) {
        values[i] += value;
      } else {
        values[i] =
            reduction == Reduction::kMin ? std::min(values[i], value) : std::max(values[i], value);
      }
    }
  }
}

void ThreadBackend::sum_parts(std::span<std::int64_t> values,
                              std::span<const std::size_t> borders) {
  std::vector<std::int64_t> sums(values.begin(), values.end());
  reduce(sums, Reduction::kSum);
  const auto begin = borders[static_cast<std::size_t>(rank())];
  const auto end = borders[static_cast<std::size_t>(rank()) + 1];
  std::copy(sums.begin() + static_cast<std::ptrdiff_t>(begin),
            sums.begin() + static_cast<std::ptrdiff_t>(end),
            values.begin() + static_cast<std::ptrdiff_t>(begin));
}

std::vector<Bytes> ThreadBackend::exchange(std::vector<Bytes> for_ranks) {
  ByteWriter writer;
  for (const Bytes& bytes : for_ranks) writer.put(bytes);
  std::vector<Bytes> received;
  for (const Bytes& of_rank : *exchange("exchange", writer.take())) {
    ByteReader reader(of_rank);
    for (int i = 0; i < rank(); ++i) reader.get_vector<std::byte>();
    received.push_back(reader.get_vector<std::byte>());
  }
  return received;
}

std::shared_ptr<Backend> ThreadBackend::subset(const std::vector<int>& ranks) {
  const auto place = std::find(ranks.begin(), ranks.end(), rank()) - ranks.begin();
  auto part =
      std::make_shared<ThreadBackend>(room_->subset(ranks), static_cast<int>(place), is_one_node_);
  part->set_deadline(deadline_s());
  part->barrier();
  return part;
}

std::shared_ptr<Backend> ThreadBackend::split_into(const std::string& operation, int colour,
                                                   bool is_node) {
  ByteWriter writer;
  writer.put(colour);
  const auto slots = exchange(operation, writer.take());
  std::vector<int> colours;
  for (const auto& slot : *slots) colours.push_back(ByteReader(slot).get<int>());
  const auto part_rank = std::count(colours.begin(), colours.begin() + rank(), colour);
  auto part = std::make_shared<ThreadBackend>(room_->part(rank(), colours),
                                              static_cast<int>(part_rank), is_node);
  part->set_deadline(deadline_s());
  return part;
}

SharedMemory ThreadBackend::allocate_shared(std::size_t n_bytes) {
  ByteWriter writer;
  if (rank() == 0) writer.put(reinterpret_cast<std::uintptr_t>(map_memory(n_bytes)));
  const auto slots = exchange(format("allocation of {} shared bytes", n_bytes), writer.take());
  const auto address = ByteReader(slots->front()).get<std::uintptr_t>();
  return {reinterpret_cast<std::byte*>(address), n_bytes, next_id_++};
}

/// Notes how a rank ended, so that nobody waits for it.
void note_end(ThreadRun& run, int rank, const std::optional<std::string>& failure) {
  const std::lock_guard lock(run.mutex);
  run.has_left[static_cast<std::size_t>(rank)] = true;
  if (failure && !run.failure) run.failure = format("rank {} failed: {}", rank, *failure);
  run.changed.notify_all();
}

}  // namespace

void run_as_ranks(int n_ranks, const std::function<void(Communicator)>& body) {
  require(n_ranks >= 1, "there is at least one rank");
  const auto run = std::make_shared<ThreadRun>(n_ranks);
  std::vector<int> members(static_cast<std::size_t>(n_ranks));
  for (int rank = 0; rank < n_ranks; ++rank) members[static_cast<std::size_t>(rank)] = rank;
  const auto room = std::make_shared<ThreadRoom>(run, members);

  std::exception_ptr first_failure;
  std::mutex failure_mutex;
  const auto run_rank = [&](int rank) {
    const auto fail = [&](const std::string& what) {
      {
        const std::lock_guard lock(failure_mutex);
        if (!first_failure) first_failure = std::current_exception();
      }
      note_end(*run, rank, what);
    };
    try {
      body(Communicator(std::make_shared<ThreadBackend>(room, rank, false)));
      note_end(*run, rank, std::nullopt);
    } catch (const std::exception& error) {
      fail(error.what());
    } catch (...) {
      fail("an exception of an unknown type was thrown");
    }
  };
  std::vector<std::jthread> ranks;
  for (const int rank : members) ranks.emplace_back(run_rank, rank);
  ranks.clear();  // joins
  if (first_failure) std::rethrow_exception(first_failure);
}

}  // namespace orchard::comm
