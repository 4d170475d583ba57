#include <cstdio>
#include <cstdlib>
#include <deque>
#include <utility>

#include "backend.hpp"
#include "node_memory.hpp"
#include "orchard/base/log.hpp"

namespace orchard::comm {
namespace {

/// One process without MPI.
class SelfBackend final : public Backend {
 public:
  SelfBackend() : Backend(0, 1) {}

  void barrier() override {}
  Bytes broadcast(Bytes bytes, int) override { return bytes; }
  std::vector<Bytes> gather(const Bytes& bytes, int) override { return {bytes}; }
  std::vector<Bytes> all_gather(const Bytes& bytes) override { return {bytes}; }
  std::vector<Bytes> exchange(std::vector<Bytes> for_ranks) override { return for_ranks; }
  void reduce(std::span<std::int64_t>, Reduction) override {}
  void sum_parts(std::span<std::int64_t>, std::span<const std::size_t>) override {}

  void send(int, int tag, Bytes bytes) override { inbox_.push_back({0, tag, std::move(bytes)}); }
  std::optional<Message> try_receive() override {
    if (inbox_.empty()) return std::nullopt;
    Message message = std::move(inbox_.front());
    inbox_.pop_front();
    return message;
  }
  void flush() override {}

  std::shared_ptr<Backend> split_by_node() override { return split(0); }
  std::shared_ptr<Backend> split(int) override {
    auto part = std::make_shared<SelfBackend>();
    part->set_deadline(deadline_s());
    return part;
  }
  std::shared_ptr<Backend> subset(const std::vector<int>&) override { return split(0); }
  void dissolve() override {}

  bool is_one_node() const override { return true; }
  SharedMemory allocate_shared(std::size_t n_bytes) override {
    return {map_memory(n_bytes), n_bytes, next_id_++};
  }
  void free_shared(const SharedMemory& memory) override {
    unmap_memory(memory.data, memory.n_bytes);
  }

  [[noreturn]] void abort(const Error& error) override {
    log::error(error.what());
    std::fflush(nullptr);
    std::_Exit(error.exit_code());
  }

 private:
  std::deque<Message> inbox_;
  int next_id_ = 0;
};

}  // namespace

std::shared_ptr<Backend> make_self_backend() { return std::make_shared<SelfBackend>(); }

Communicator self() { return Communicator(make_self_backend()); }

}  // namespace orchard::comm
