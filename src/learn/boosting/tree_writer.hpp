#pragma once
// Turns grown nodes into a tree. Where a tree may have any number of leaves, nodes are grown in
// whatever order suits the machine; the tree has them in the order of best-first growth.

#include <span>

#include "boosting/gradients.hpp"
#include "boosting/split.hpp"
#include "orchard/model/tree.hpp"
#include "orchard/options/learner_settings.hpp"

namespace orchard::learn::boosting {

/// What the tree needs of a node.
struct GrownNode {
  Sums total;
  std::uint32_t n_rows = 0;
  std::int32_t left = -1;  ///< place of the left child among the nodes, the right follows; -1: leaf
  NodeIndex index = -1;    ///< in the tree
  Split split;             ///< legal and carried out unless the node is a leaf
};

/// Numbers the nodes as if the leaf with the greatest gain had always been split first (equal
/// gains: the lower number), children behind all nodes before them, and writes them. `nodes`: the
/// root first, else in any order; their `index` is set. Leaf values as in TreeGrower::grow.
model::Tree write_tree(std::span<GrownNode* const> nodes, const data::Binning& binning,
                       const QuantisedGradients& gradients,
                       const options::BoostingSettings& settings, int value_exponent);

}  // namespace orchard::learn::boosting
