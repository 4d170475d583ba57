#pragma once
// Walking one tree with many rows of bytes, several rows abreast.
//
// A node is one word: its pair of children, the column it reads and its limit; codes above the
// limit go to the second child. A leaf leads to itself, so that rows may take steps together
// without asking who has arrived; who has is sorted out every few steps.

#include <array>
#include <span>
#include <vector>

#include "orchard/model/leaf_planes.hpp"

namespace orchard::model {

/// Coded rows, laid out twice. Borrowed.
struct CodeRows {
  static constexpr std::size_t kMaxRows = 65536;

  /// [n_rows][stride]: the codes of n_columns columns, then 255, which leaves read.
  const Bin* codes = nullptr;
  std::size_t stride = 0;  ///< more than n_columns
  /// The same codes in blocks of kCodeBlock rows, [n_blocks][n_columns][kCodeBlock].
  const Bin* columns = nullptr;
  std::size_t n_rows = 0;  ///< at most kMaxRows
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

  /// Throws kInternal for more than 65,000 columns, or unless children lie in adjacent pairs that
  /// begin at odd numbers, as they do in every valid tree.
  CodeTree(const Tree& tree, std::size_t n_columns, const SplitOf& split_of);

  /// leaves[row] = the leaf that the row reaches. The same on every instruction set. Local, any
  /// number of threads.
  void walk(const CodeRows& rows, WalkScratch& scratch, std::span<NodeIndex> leaves) const;

 private:
  void add_split(const Tree& tree, std::size_t node, const CodeSplit& split);
  void enter(const CodeRows& rows, std::span<NodeIndex> nodes) const;
  void set_word(std::size_t at, std::size_t pair, std::size_t column, Bin limit);

  LeafPlanes top_;  ///< the nodes that most rows visit take no steps
  std::size_t leaf_column_;
  bool is_narrow_;
  bool is_all_top_;      ///< no node is left to walk: the members below are empty
  int first_steps_ = 0;  ///< steps that most rows take
  /// Places are node numbers plus 1: pairs of children begin at even places.
  std::vector<std::uint32_t> narrow_;  ///< pair 16 bits, column 8, limit 8
  std::vector<std::uint64_t> wide_;    ///< pair 32 bits, column 24, limit 8
  std::vector<Bin> added_;             ///< [places] 1 where missing goes left: to code and limit
  std::vector<std::uint32_t> set_of_;  ///< [places] index into sets_; empty without categories
  std::vector<CodeSet> sets_;          ///< the first is empty
};

}  // namespace orchard::model
