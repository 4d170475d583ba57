#pragma once
// Trees of few leaves, applied to a block of rows without walking (QuickScorer: Lucchese et al.,
// SIGIR 2015; here turned over: many rows of bytes at once instead of many trees).
//
// Leaves are numbered from left to right, a bit each. A node that sends a row right rules out the
// leaves of its left subtree; the lowest bit that is left when all nodes were asked is the leaf.
// All nodes of a tree are asked, in any order, without a branch: one comparison serves 64 rows. The
// bits are kept as bytes, "planes" of eight leaves, and most nodes touch one plane only.

#include <span>
#include <vector>

#include "row_coder.hpp"

namespace orchard::model {

/// Immutable once all trees are added. Any number of threads.
class LeafMasks {
 public:
  static constexpr std::size_t kRows = RowCoder::kBlock;
  static constexpr std::size_t kMaxLeaves = 64;

  /// `n_values`: numbers in a value row.
  LeafMasks(std::size_t n_values, std::size_t n_outputs)
      : n_values_(n_values), n_outputs_(n_outputs) {}

  /// Whether the tree is small enough.
  static bool suits(const Tree& tree) { return tree.n_nodes() < 2 * kMaxLeaves; }
  /// `first_output`: where its value rows are added.
  void add(const Tree& tree, const RowCoder& coder, std::size_t first_output);
  bool empty() const { return trees_.empty(); }

  /// Adds the values of all trees for one coded block to `sums`, [n_rows][n_outputs], n_rows <=
  /// kRows. `codes`: [n_columns][kRows], as RowCoder::encode writes them.
  void accumulate(const Bin* codes, std::size_t n_rows, std::int64_t* sums) const;

  // What the versions for instruction sets read.

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
  struct SmallTree {
    std::vector<Plane> planes;
    std::size_t first_output;
    /// Values less the least of their output, byte by byte: [n_values][n_bytes][kMaxLeaves], so
    /// that a table look-up takes a byte of 64 rows.
    std::vector<std::uint8_t> value_bytes;
    std::size_t n_bytes;
    std::vector<std::int64_t> values;  ///< [n_leaves][n_values]
    std::vector<std::int64_t> least;   ///< [n_values]
  };

 private:
  void make_value_bytes(SmallTree& tree) const;
  void accumulate_bytes(const Bin* codes, std::size_t n_rows, std::int64_t* sums) const;

  std::size_t n_values_, n_outputs_;
  std::vector<SmallTree> trees_;
};

/// leaves[row] = the leaf of each of the kRows rows.
using FindLeaves = void(const LeafMasks::SmallTree& tree, const Bin* codes, std::uint8_t* leaves);
FindLeaves find_leaves_avx2;
FindLeaves find_leaves_avx512;

/// Sums of bytes over trees, of one output: byte b of rows 2 i and 2 i + 1 in word i of `mixed`
/// (even row plus 256 times the odd one, modulo 2^16) and `odd`. Exact for up to kMaxTrees
/// additions.
struct ByteSums {
  static constexpr std::size_t kMaxTrees = 256;
  static constexpr std::size_t kWords = LeafMasks::kRows / 2;
  alignas(64) std::uint16_t mixed[8][kWords];
  alignas(64) std::uint16_t odd[8][kWords];
};
/// Adds output `value` of a tree.
void add_value_bytes_avx512(const std::uint8_t* value_bytes, std::size_t n_bytes,
                            const std::uint8_t* leaves, ByteSums& sums);

}  // namespace orchard::model
