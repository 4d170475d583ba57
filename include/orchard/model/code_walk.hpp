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

/// Rows of codes side by side. The last of the `n_columns` bytes of a row is 255: what leaves read.
struct CodeRows {
  const Bin* codes = nullptr;  ///< [n_rows][stride], with 3 more readable bytes; borrowed
  std::size_t stride = 0;      ///< at least n_columns
  std::size_t n_rows = 0;      ///< at most kMaxRows
  static constexpr std::size_t kMaxRows = 8192;
};

/// Memory for walks, reused from tree to tree. One a thread.
struct WalkScratch {
  std::vector<std::uint32_t> row, node;
};

class CodeTree {
 public:
  using CodeSet = std::array<std::uint64_t, 4>;  ///< bit c: code c goes right

  /// All nodes are leaves at first. `n_columns` of the rows to come, at most 65,535. Throws
  /// kInternal unless children lie in adjacent pairs behind the root, as in every valid tree.
  CodeTree(const Tree& tree, std::size_t n_columns);

  /// Makes a node split: codes above `limit` go right. `limit` < 255.
  void split(std::size_t node, std::size_t column, Bin limit);
  /// Makes a node split by membership.
  void split(std::size_t node, std::size_t column, const CodeSet& right);

  /// nodes[row] = the leaf that the row reaches. The same on every instruction set. Local, any
  /// number of threads.
  void walk(const CodeRows& rows, WalkScratch& scratch, std::span<NodeIndex> leaves) const;

 private:
  template <class Word>
  void walk_words(const CodeRows& rows, WalkScratch& scratch, std::span<NodeIndex> leaves) const;
  void set_word(std::size_t at, std::size_t pair, std::size_t column, Bin limit);

  std::span<const NodeIndex> left_;
  std::size_t leaf_column_;
  bool is_narrow_;
  /// Places are node numbers plus 1: pairs of children begin at even places.
  std::vector<std::uint32_t> narrow_;  ///< pair 16 bits, column 8, limit 8
  std::vector<std::uint64_t> wide_;    ///< pair 32 bits, column 24, limit 8
  std::vector<std::uint32_t> set_of_;  ///< [places] index into sets_; empty without categories
  std::vector<CodeSet> sets_;          ///< the first is empty
};

}  // namespace orchard::model
