#pragma once
// The rows of one tree: numbers in a list while they are many, then bytes that move.

#include <vector>

#include "forest/binary/kernels.hpp"
#include "forest/moving/rows.hpp"

namespace orchard::learn::binary {

/// Rows that move, with their codes. What no block can hold is a range of a list of row numbers;
/// once a node is small enough, its rows are gathered into a block, which serves until its subtree
/// is finished. Owns its memory, keeps it from tree to tree.
class TreeRows : public moving::MovingRows {
 public:
  explicit TreeRows(const ForestPlan& plan);

  /// Takes the rows to grow from: into block 0 where it can hold them, else into the list.
  void take(const TreeStart& start);
  std::size_t n_rows() const { return n_rows_; }
  Counts counts() const { return counts_; }
  /// Rows that a block can hold.
  std::size_t capacity() const { return capacity_; }
  const Code* codes(int block) const { return carried(block, 0); }

  const RowIndex* listed_rows() const { return list_.data(); }
  const Code* listed_codes() const { return list_codes_.data(); }
  /// Brings those of [begin, begin + n_rows) of the list that go left to the front; returns their
  /// number.
  std::size_t divide_list(std::size_t begin, std::size_t n_rows, FeatureIndex feature,
                          moving::RightBins right_bins);
  /// Copies rows of the list to the beginning of block 0: at most `capacity`.
  void gather(std::size_t begin, std::size_t n_rows);

 private:
  void draw_codes(const TreeStart& start);
  void list_drawn();

  std::vector<std::uint8_t> labels_;  ///< [n_train]
  std::vector<Code> codes_;           ///< of all training rows; 0 or 1: not drawn
  std::vector<RowIndex> list_, spare_list_;
  std::vector<Code> list_codes_, spare_codes_;
  std::size_t capacity_;
  std::size_t n_rows_ = 0;
  Counts counts_;
};

}  // namespace orchard::learn::binary
