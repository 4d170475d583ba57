#pragma once
// The trees of an ensemble that have few leaves: their values for a block of rows.

#include <vector>

#include "orchard/model/leaf_planes.hpp"
#include "row_coder.hpp"

namespace orchard::model {

/// Immutable once all trees are added. Any number of threads.
class SmallTrees {
 public:
  static constexpr std::size_t kRows = LeafPlanes::kRows;

  /// `n_values`: numbers in a value row.
  SmallTrees(std::size_t n_values, std::size_t n_outputs)
      : n_values_(n_values), n_outputs_(n_outputs) {}

  static bool suits(const Tree& tree) { return tree.n_nodes() < 2 * LeafPlanes::kMaxLeaves; }
  /// `first_output`: where the tree's value rows are added.
  void add(const Tree& tree, const RowCoder& coder, std::size_t first_output);
  bool empty() const { return trees_.empty(); }

  /// Adds the values of all trees for one coded block to `sums`, [n_rows][n_outputs], n_rows <=
  /// kRows. `codes`: [n_columns][kRows], as RowCoder::encode writes them.
  void accumulate(const Bin* codes, std::size_t n_rows, std::int64_t* sums) const;

 private:
  struct SmallTree {
    LeafPlanes planes;
    std::size_t first_output;
    std::vector<std::int64_t> values;  ///< [n_leaves][n_values]
    std::vector<std::int64_t> least;   ///< [n_values]
    /// Values less the least of their output, byte by byte: [n_values][n_bytes][kMaxLeaves], so
    /// that a table look-up takes a byte of 64 rows.
    std::vector<std::uint8_t> value_bytes;
    std::size_t n_bytes = 0;
  };
  void make_value_bytes(SmallTree& tree) const;
  void accumulate_bytes(const Bin* codes, std::size_t n_rows, std::int64_t* sums) const;

  std::size_t n_values_, n_outputs_;
  std::vector<SmallTree> trees_;
};

/// Sums of bytes over trees, of one output: byte b of rows 2 i and 2 i + 1 in word i of `mixed`
/// (even row plus 256 times the odd one, modulo 2^16) and `odd`. Exact for up to kMaxTrees
/// additions.
struct ByteSums {
  static constexpr std::size_t kMaxTrees = 256;
  static constexpr std::size_t kWords = SmallTrees::kRows / 2;
  alignas(64) std::uint16_t mixed[8][kWords];
  alignas(64) std::uint16_t odd[8][kWords];
};
/// Adds one output of a tree.
void add_value_bytes_avx512(const std::uint8_t* value_bytes, std::size_t n_bytes,
                            const std::uint8_t* leaves, ByteSums& sums);

}  // namespace orchard::model
