#pragma once
// Growing one tree of a forest.

#include <memory>

#include <span>

#include "forest/plan.hpp"
#include "orchard/model/packed_tree.hpp"

namespace orchard::learn {

/// Grows whole trees, one after the other, in memory that it keeps. One a thread.
class ForestGrower {
 public:
  virtual ~ForestGrower() = default;
  /// The tree of each leaf size, as it would grow alone, or what is below a node: `trees` is
  /// [leaf sizes of the start], ascending. Nodes are numbered depth first: a split appends its two
  /// children, then the left one is followed to its end before the right one. Polls the pool.
  virtual void grow(const TreeStart& start, std::span<model::PackedTree> trees) = 0;
};

/// The grower that knows every plan. `plan` is borrowed.
std::unique_ptr<ForestGrower> make_general_grower(const ForestPlan& plan);
/// The fastest grower that knows the plan; all grow the same trees. `plan` is borrowed.
std::unique_ptr<ForestGrower> make_forest_grower(const ForestPlan& plan);

}  // namespace orchard::learn
