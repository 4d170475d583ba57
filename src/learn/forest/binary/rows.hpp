#pragma once
// The rows of one tree: numbers in a list while they are many, then bytes that move.

#include <cstdlib>
#include <memory>
#include <vector>

#include "forest/binary/kernels.hpp"
#include "forest/plan.hpp"

namespace orchard::learn::binary {

/// Two blocks of rows, one column a feature and one of codes. A node's rows are a range of one
/// block; the same range of the other is free for its children. What no block can hold is a range
/// of a list of row numbers; once a node is small enough, its rows are gathered into a block, which
/// serves until its subtree is finished. Owns its memory, keeps it from tree to tree.
class MovingRows {
 public:
  explicit MovingRows(const ForestPlan& plan);

  /// Takes the rows that tree `tree` drew: into block 0 where it can hold them, else into the list.
  void take(std::uint64_t tree);
  std::size_t n_rows() const { return n_rows_; }
  Counts counts() const { return counts_; }
  /// Rows that a block can hold.
  std::size_t capacity() const { return capacity_; }

  const RowIndex* listed_rows() const { return list_.data(); }
  const Code* listed_codes() const { return list_codes_.data(); }
  /// Brings those of [begin, begin + n_rows) of the list that go left to the front; returns their
  /// number.
  std::size_t divide_list(std::size_t begin, std::size_t n_rows, FeatureIndex feature,
                          RightBins right_bins);
  /// Copies rows of the list to the beginning of block 0: at most `capacity`.
  void gather(std::size_t begin, std::size_t n_rows);

  const Bin* column(int block, std::size_t feature) const {
    return blocks_[block].get() + feature * stride_;
  }
  const Code* codes(int block) const { return column(block, plan_.context.data.n_features()); }
  /// All columns of a block, from row `begin` on.
  Columns columns(int block, std::size_t begin) const {
    return {column(block, 0) + begin, stride_, plan_.context.data.n_features() + 1};
  }

  /// Marks where each row of [begin, begin + n_rows) goes; returns how many go left.
  std::size_t divide(int block, std::size_t begin, std::size_t n_rows, FeatureIndex feature,
                     RightBins right_bins);
  /// Copies those that `divide` last sent to `side` to the other block, to begin at `to`.
  void move(int block, std::size_t begin, std::size_t n_rows, int side, std::size_t to,
            std::size_t n_kept);

  /// Sets the rows of a range aside, on top of those that are there.
  void keep(int block, std::size_t begin, std::size_t n_rows);
  /// Takes the rows that were set aside last back to where they were.
  void put_back(int block, std::size_t begin, std::size_t n_rows);

 private:
  struct Free {
    void operator()(Bin* memory) const { std::free(memory); }
  };

  void draw_codes(std::uint64_t tree);
  void list_drawn();

  const ForestPlan& plan_;
  std::vector<std::uint8_t> labels_;  ///< [n_train]
  std::vector<Code> codes_;           ///< of all training rows; 0: not drawn
  std::vector<std::uint64_t> masks_[2];
  std::unique_ptr<Bin[], Free> blocks_[2];
  std::vector<RowIndex> list_, spare_list_;
  std::vector<Code> list_codes_, spare_codes_;
  std::vector<Bin> kept_;  ///< column by column, range by range
  std::size_t capacity_;
  std::size_t stride_;
  std::size_t n_rows_ = 0;
  Counts counts_;
};

}  // namespace orchard::learn::binary
