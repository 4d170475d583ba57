#pragma once
// Walking one tree with many rows of bytes, several rows abreast.
//
// A node is one word: its pair of children, the column it reads and its limit; codes above the
// limit go to the second child. A leaf leads to itself, so that rows may take steps together
// without asking who has arrived; who has is sorted out every few steps.

#include <array>
#include <span>
#include <vector>

#include "orchard/model/tree.hpp"

namespace orchard::model {

/// Rows of codes side by side: the codes of n_columns columns, 255 where missing, then the byte 255
/// once more, which leaves read.
struct CodeRows {
  static constexpr std::size_t kMaxRows = 65536;

  const Bin* codes = nullptr;  ///< [n_rows][stride], with 3 more readable bytes; borrowed
  std::size_t stride = 0;      ///< more than n_columns
  std::size_t n_rows = 0;      ///< at most kMaxRows
  /// False when no code is 255, which makes walking cheaper. May be true in any case.
  bool may_miss = true;
};

/// Memory for walks, reused from tree to tree. One a thread.
struct WalkScratch {
  std::vector<std::uint32_t> row, place;
};

class CodeTree {
 public:
  using CodeSet = std::array<std::uint64_t, 4>;  ///< bit c: code c goes right

  /// All nodes are leaves at first. Throws kInternal for more than 65,000 columns.
  CodeTree(const Tree& tree, std::size_t n_columns);

  /// Makes the node split: codes above `limit` (< 255) go right, missing where `is_missing_left`
  /// says. `tree` is the one given before. Throws kInternal unless the children are an adjacent
  /// pair at an odd number, as they are in every valid tree.
  void split(const Tree& tree, std::size_t node, std::size_t column, Bin limit,
             bool is_missing_left);
  /// Makes the node split by membership.
  void split(const Tree& tree, std::size_t node, std::size_t column, const CodeSet& right);

  /// leaves[row] = the leaf that the row reaches. The same on every instruction set. Local, any
  /// number of threads.
  void walk(const CodeRows& rows, WalkScratch& scratch, std::span<NodeIndex> leaves) const;

 private:
  void set_word(std::size_t at, std::size_t pair, std::size_t column, bool is_low, Bin limit);

  std::size_t leaf_column_;
  bool is_narrow_;
  /// Places are node numbers plus 1: pairs of children begin at even places.
  std::vector<std::uint32_t> narrow_;  ///< pair 16 bits, missing left 1, column 7, limit 8
  std::vector<std::uint64_t> wide_;    ///< pair 32 bits, missing left 1, column 23, limit 8
  std::vector<std::uint32_t> set_of_;  ///< [places] index into sets_; empty without categories
  std::vector<CodeSet> sets_;          ///< the first is empty
};

}  // namespace orchard::model
