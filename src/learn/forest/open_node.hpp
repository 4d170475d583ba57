#pragma once
// A node of the trees of several leaf sizes that grow in one recursion.

#include "forest/plan.hpp"

namespace orchard::learn {

/// A node whose split is not known yet. It is searched under the least of its inner leaf sizes. The
/// split found is also the best one under the others that allow it: they go on together. The rest
/// part: they search again, and go on as a node of their own.
struct OpenNode : NodeHead {
  std::uint64_t stops = 0;  ///< those of the cuts that stop here whatever the split may be
  LeafSizes inner_sizes;    ///< those of `sizes` that may split the node: the first ones

  /// Whether none of the leaf sizes splits the node; then the key need not be set.
  bool is_leaf() const { return inner_sizes.is_empty(); }
  /// Those for which it is a leaf.
  LeafSizes leaf_sizes() const { return {inner_sizes.last, sizes.last}; }
  bool has_leaf_sizes() const { return inner_sizes.last != sizes.last; }

  /// Sets `stops` and `inner_sizes`. `n_rows`: distinct ones.
  void find_stops(const ForestPlan& plan, bool is_pure, std::size_t n_rows) {
    stops = stops_before(plan, cuts, is_pure, n_rows, depth);
    inner_sizes = stops == cuts ? LeafSizes{sizes.first, sizes.first}
                                : plan.leaf_sizes_up_to(n_rows / 2, sizes);
  }

  /// Makes a child of this node, of `child_sizes` and `child_cuts`, whose rows are known by number.
  void start_child(const ForestPlan& plan, std::uint32_t side, LeafSizes child_sizes,
                   std::uint64_t child_cuts, bool is_pure, std::size_t n_rows,
                   OpenNode& child) const {
    child.sizes = child_sizes;
    child.depth = depth + 1;
    child.cuts = child_cuts;
    child.find_stops(plan, is_pure, n_rows);
    if (!child.is_leaf()) child.key = key.child(side);
  }

  /// Leaves the node to those of its inner leaf sizes that do not take a split.
  void part_from(LeafSizes takers) { sizes = inner_sizes = {takers.last, inner_sizes.last}; }
};

}  // namespace orchard::learn
