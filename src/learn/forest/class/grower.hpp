#pragma once
// Growing trees of several classes by counts: gini, rows weighted by how often they were drawn,
// numeric features. Rows move as bytes, as in forest/binary/grower.hpp.

#include <memory>

#include "forest/grower.hpp"

namespace orchard::learn {

/// Grows exactly the trees of the general grower. Nothing when the plan asks for more than this
/// grower knows, or the processor has no instructions that make it worth while. `plan` is borrowed.
std::unique_ptr<ForestGrower> make_class_grower(const ForestPlan& plan);

}  // namespace orchard::learn
