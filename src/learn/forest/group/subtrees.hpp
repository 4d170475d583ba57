#pragma once
// Nodes whose rows come together on one rank, which grows what is below.

#include <cstdint>
#include <vector>

#include "forest/group/node_search.hpp"
#include "forest/plan.hpp"
#include "orchard/model/packed_tree.hpp"
#include "peers.hpp"

namespace orchard::learn::group {

/// A node to be grown by one rank.
struct Subtree {
  std::uint64_t tree = 0;
  NodeHead head;
  std::size_t n_rows = 0;  ///< of all ranks
  OwnRows rows;
  double root_weight = 0;            ///< of the tree
  std::vector<double> class_weight;  ///< of the tree
};

/// Which rank grows each subtree: the largest first, each to the rank that has the fewest rows so
/// far. The same on all ranks. Local.
std::vector<int> choose_owners(const std::vector<Subtree>& subtrees, int n_ranks);

/// Brings the rows of each subtree to its owner, and what it grows to all: [subtrees][leaf sizes of
/// its head]. All ranks give the same subtrees, each with its own rows, which are used up.
/// Collective.
std::vector<std::vector<model::PackedTree>> grow_subtrees(const ForestPlan& plan,
                                                          const Peers& peers,
                                                          std::vector<Subtree> subtrees);

}  // namespace orchard::learn::group
