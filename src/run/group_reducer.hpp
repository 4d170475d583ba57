#pragma once
// What the ranks of one fit exchange, with the leader's word riding along.

#include <cstdint>

#include "orchard/comm/communicator.hpp"
#include "orchard/learn/row_group.hpp"

namespace orchard::run {

/// Ranks that grow one fit in step, over a communicator of theirs; rank 0 of it leads. A stop that
/// the leader asks for travels with the next exchange, whatever that is, so that all ranks throw
/// Stopped at the same call.
class GroupReducer final : public learn::RowGroup {
 public:
  explicit GroupReducer(comm::Communicator& group) : group_(group) {}

  int rank() const override { return group_.rank(); }
  int size() const override { return group_.size(); }
  void sum(std::span<std::int64_t> values) override;
  void max(std::span<double> values) override;
  void sum_parts(std::span<std::int64_t> values, std::span<const std::size_t> borders) override;
  std::vector<Bytes> exchange(std::vector<Bytes> for_members) override;
  std::vector<Bytes> all_gather(const Bytes& bytes) override;

  /// The leader's decision; local.
  void stop() { is_stopping_ = true; }
  /// At a unit's border: whether the leader wants the fit to be left there. Collective.
  bool meet(bool leader_leaves);

  /// Payload that this rank has given to the others.
  std::uint64_t n_bytes() const { return n_bytes_; }

 private:
  std::int64_t own_word() const { return rank() == 0 && is_stopping_ ? 1 : 0; }
  static void obey(bool is_stopped);

  comm::Communicator& group_;
  bool is_stopping_ = false;
  std::uint64_t n_bytes_ = 0;
  std::vector<std::int64_t> integers_;  // with the leader's words between them
  std::vector<double> numbers_;
  std::vector<std::size_t> borders_;
};

}  // namespace orchard::run
