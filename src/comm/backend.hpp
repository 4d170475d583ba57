#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "orchard/comm/communicator.hpp"

namespace orchard::comm {

/// Reductions over integers. There is none over floating-point numbers, on purpose.
enum class Reduction { kSum, kMin, kMax };

/// What a kind of rank must be able to do. Contracts are those of Communicator, which checks ranks
/// and colours before it calls; everything it can build from these it builds itself.
class Backend {
 public:
  Backend(int rank, int size) : rank_(rank), size_(size) {}
  virtual ~Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  double deadline_s() const { return deadline_s_; }
  void set_deadline(double seconds) { deadline_s_ = seconds; }

  virtual void barrier() = 0;
  virtual Bytes broadcast(Bytes bytes, int root) = 0;
  virtual std::vector<Bytes> gather(const Bytes& bytes, int root) = 0;
  virtual std::vector<Bytes> all_gather(const Bytes& bytes) = 0;
  virtual std::vector<Bytes> exchange(std::vector<Bytes> for_ranks) = 0;
  /// In place.
  virtual void reduce(std::span<std::int64_t> values, Reduction reduction) = 0;
  virtual void sum_parts(std::span<std::int64_t> values, std::span<const std::size_t> borders) = 0;

  virtual void send(int destination, int tag, Bytes bytes) = 0;
  virtual std::optional<Message> try_receive() = 0;
  virtual void flush() = 0;

  virtual std::shared_ptr<Backend> split_by_node() = 0;
  virtual std::shared_ptr<Backend> split(int colour) = 0;
  virtual std::shared_ptr<Backend> subset(const std::vector<int>& ranks) = 0;
  virtual void dissolve() = 0;

  /// All ranks lie on one node.
  virtual bool is_one_node() const = 0;
  /// The room has been checked by all ranks.
  virtual SharedMemory allocate_shared(std::size_t n_bytes) = 0;
  virtual void free_shared(const SharedMemory& memory) = 0;

  [[noreturn]] virtual void abort(const Error& error) = 0;

 private:
  int rank_, size_;
  double deadline_s_ = 3600;
};

/// One process without MPI.
std::shared_ptr<Backend> make_self_backend();

}  // namespace orchard::comm
