#pragma once
// Finding the leaves of a block of rows without walking (QuickScorer: Lucchese et al., SIGIR 2015;
// here turned over: many rows of bytes at once instead of many trees).
//
// Leaves are numbered from left to right, a bit each. A node that sends a row right rules out the
// leaves of its left subtree; the lowest bit that is left when all nodes were asked is the leaf.
// All nodes are asked, in any order, without a branch: one comparison serves 64 rows. The bits are
// kept as bytes, "planes" of eight leaves, and most nodes touch one plane only.

#include <array>
#include <vector>

#include "orchard/model/code_split.hpp"
#include "orchard/model/tree.hpp"

namespace orchard::model {

/// A tree of at most kMaxLeaves leaves, or the most travelled top of a larger one: its "leaves" are
/// then inner nodes, from which rows go on.
struct LeafPlanes {
  static constexpr std::size_t kMaxLeaves = 64;
  static constexpr std::size_t kRows = kCodeBlock;

  /// A node's effect on one plane. The bytes are repeated four times.
  struct Item {
    std::uint32_t column;  ///< offset of the column in a block of codes
    std::uint32_t limit;
    std::uint32_t keep;  ///< what is left of the plane where the code is above the limit
  };
  struct SetItem {
    std::array<std::uint64_t, 4> right;  ///< bit c: code c goes right
    std::uint32_t column;
    std::uint32_t keep;
  };
  struct Plane {
    std::vector<Item> items;  ///< of nodes that send missing right
    std::vector<Item>
        low_items;  ///< of nodes that send it left: 1 is added to codes, limits have it
    std::vector<SetItem> sets;
  };
  std::vector<Plane> planes;
  std::vector<NodeIndex> leaves;  ///< from left to right

  LeafPlanes(const Tree& tree, const SplitOf& split_of);

 private:
  std::size_t number_leaves(const Tree& tree, const SplitOf& split_of,
                            const std::vector<bool>& is_inner, std::size_t node);
  void rule_out(const CodeSplit& split, std::uint64_t bits);
};

/// out[row] = the leaf of each of the kRows rows of a block, [n_columns][kRows].
using FindLeaves = void(const LeafPlanes& tree, const Bin* codes, std::uint8_t* out);
/// The version for instruction_set().
FindLeaves* find_leaves();

FindLeaves find_leaves_avx2;
FindLeaves find_leaves_avx512;

}  // namespace orchard::model
