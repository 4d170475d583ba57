#pragma once
// Growing two-class trees by counts: gini, rows weighted by how often they were drawn, numeric
// features. Rows move instead of their numbers: each node owns a range of two blocks of bytes, one
// column a feature, and a split copies the range from the one block into the other, left rows
// first. Once a node has at most 64 rows, its subtree moves nothing: a node is then a mask.

#include <memory>

#include "forest/grower.hpp"

namespace orchard::learn {

/// Grows exactly the trees of the general grower. Nothing when the plan asks for more than this
/// grower knows, or the processor has no instructions that make it worth while. `plan` is borrowed.
std::unique_ptr<ForestGrower> make_binary_grower(const ForestPlan& plan);

}  // namespace orchard::learn
