#pragma once
// The ranks that grow a fit together, or one that grows it alone, for which every exchange is
// nothing.

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "orchard/base/bytes.hpp"
#include "orchard/learn/row_group.hpp"

namespace orchard::learn {

/// All functions but `is_alone`, `rank` and `size` are collective over the group; see RowGroup.
class Peers {
 public:
  /// `group`: borrowed, null when alone.
  explicit Peers(RowGroup* group) : group_(group) {}

  bool is_alone() const { return group_ == nullptr; }
  int rank() const { return is_alone() ? 0 : group_->rank(); }
  int size() const { return is_alone() ? 1 : group_->size(); }

  void sum(std::span<std::int64_t> values) const {
    if (!is_alone()) group_->sum(values);
  }
  std::int64_t sum(std::int64_t value) const {
    sum(std::span(&value, 1));
    return value;
  }
  void max(std::span<double> values) const {
    if (!is_alone()) group_->max(values);
  }
  void sum_parts(std::span<std::int64_t> values, std::span<const std::size_t> borders) const {
    if (!is_alone()) group_->sum_parts(values, borders);
  }
  std::vector<Bytes> exchange(std::vector<Bytes> for_members) const {
    return is_alone() ? std::move(for_members) : group_->exchange(std::move(for_members));
  }
  std::vector<Bytes> all_gather(const Bytes& bytes) const {
    return is_alone() ? std::vector<Bytes>{bytes} : group_->all_gather(bytes);
  }
  /// Arrays of rows in the order of the fold, from each member's part, which begins at item
  /// `begin` of all `n_items`.
  std::vector<std::int64_t> gather_items(std::span<const std::int64_t> own, std::size_t begin,
                                         std::size_t n_items) const;

 private:
  RowGroup* group_;
};

}  // namespace orchard::learn
