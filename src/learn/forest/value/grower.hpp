#pragma once
// Growing regression trees that search every feature at every node. Large nodes have histograms of
// all features; of two siblings only the smaller one is counted, the other is what is left of the
// parent. The rows of a small subtree are sorted by every feature once.

#include <memory>

#include "forest/grower.hpp"

namespace orchard::learn {

/// Grows exactly the trees of the general grower. Nothing when the plan asks for more than this
/// grower knows: weighted or categorical data, or a search of some features only. `plan` is
/// borrowed.
std::unique_ptr<ForestGrower> make_value_grower(const ForestPlan& plan);

}  // namespace orchard::learn
