#pragma once
// Split search on sums over rows that several ranks hold.

#include <memory>
#include <span>
#include <vector>

#include "forest/plan.hpp"
#include "forest/split.hpp"

namespace orchard::learn::group {

/// Rows of a node that this rank holds, side by side, in any order.
struct OwnRows {
  std::vector<RowIndex> positions;          ///< among the own training rows
  std::vector<std::uint32_t> multiplicity;  ///< how often the tree draws them, positive

  std::size_t size() const { return positions.size(); }
  void add(RowIndex position, std::uint32_t n) {
    positions.push_back(position);
    multiplicity.push_back(n);
  }
};

/// Integers that describe the rows of a node; the first one is their number. Added up over ranks by
/// NodeSearch::add_sums.
using NodeSums = std::vector<std::int64_t>;

/// Each rank sums its own rows of a node, and its bins of a feature; what these are over all ranks
/// is searched as one rank would search all rows. Local; one a thread.
class NodeSearch {
 public:
  virtual ~NodeSearch() = default;

  /// What no rows sum up to: [n_node_words].
  virtual NodeSums no_sums() const = 0;
  virtual NodeSums sum(const OwnRows& rows) const = 0;
  virtual void add_sums(std::span<const std::int64_t> other, NodeSums& sums) const = 0;
  std::size_t n_node_words() const { return no_sums().size(); }
  /// What a split with missing on no side decides by.
  virtual std::int64_t weight(const NodeSums& sums) const = 0;

  /// Words that rows sum up to in one bin; the first one is their number, and all are added up.
  virtual std::size_t n_bin_words() const = 0;
  /// Adds own rows to `bins`, [n_slots of the feature][n_bin_words].
  virtual void add_rows(const OwnRows& rows, FeatureIndex feature,
                        std::span<std::int64_t> bins) const = 0;

  /// Begins a node of all ranks. `class_weight`: of its tree; empty: 1 each.
  virtual void start_node(const NodeSums& sums, const std::vector<double>& class_weight) = 0;
  virtual bool is_pure() const = 0;
  /// The node's weight as trees count it.
  virtual double node_weight() const = 0;
  /// The best split of `feature` with `n_leaf_rows` distinct rows a side, by the bins of all ranks;
  /// `is_varied`: they occupy more than one.
  struct Found {
    bool is_varied = false;
    Split split;
  };
  virtual Found search(FeatureIndex feature, std::span<const std::int64_t> bins,
                       std::uint32_t n_leaf_rows) = 0;
  /// (weight of node / weight of root) x impurity decrease with these rows left.
  virtual double decrease(const NodeSums& left, double root_weight) = 0;
  /// The node's value row, [n_values].
  virtual void write_value(std::span<std::int64_t> out) const = 0;
};

/// `plan` is borrowed.
std::unique_ptr<NodeSearch> make_node_search(const ForestPlan& plan);

}  // namespace orchard::learn::group
