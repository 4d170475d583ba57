#pragma once
// A tree as text for people.

#include <string>

#include "orchard/model/ensemble.hpp"

namespace orchard::model {

/// One line a node down to `max_depth`, children indented under their parent, the left one first:
///   petal_width <= 0.8, missing left  (rows 150, gain 0.33)
/// Classification forests print class fractions, everything else the leaf's value. Local. Throws
/// kUsage when the ensemble has no such tree.
std::string print_tree(const Ensemble& ensemble, std::size_t tree, int max_depth);

}  // namespace orchard::model
