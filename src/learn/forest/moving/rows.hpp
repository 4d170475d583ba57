#pragma once
// The rows of one tree as bytes that move.

#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <vector>

#include "forest/moving/kernels.hpp"
#include "forest/plan.hpp"

namespace orchard::learn::moving {

/// Two blocks of rows: one column a feature, then what else a row carries. A node's rows are a
/// range of one block; the same range of the other is free for its children. Owns its memory, keeps
/// it from tree to tree.
class MovingRows {
 public:
  /// `plan` is borrowed.
  MovingRows(const ForestPlan& plan, std::size_t n_carried);

  const Bin* column(int block, std::size_t feature) const {
    return blocks_[block].get() + feature * stride_;
  }
  const std::uint8_t* carried(int block, std::size_t i) const {
    return column(block, n_features_ + i);
  }
  /// All columns of a block, from row `begin` on.
  Columns columns(int block, std::size_t begin) const {
    return {column(block, 0) + begin, stride_, n_features_ + n_carried_};
  }

  /// Marks where each row of [begin, begin + n_rows) goes; returns how many go left.
  std::size_t divide(int block, std::size_t begin, std::size_t n_rows, FeatureIndex feature,
                     RightBins right_bins);
  /// Which of a node's children get their rows.
  struct Movers {
    bool left, right;
  };
  /// Copies the rows of [begin, begin + n_rows), as `divide` last sent `n_left` of them to the left
  /// and the others to the right, to the same range of the other block, left ones first.
  void move(int block, std::size_t begin, std::size_t n_rows, std::size_t n_left, Movers movers);

  /// Sets the rows of a range aside, on top of those that are there.
  void keep(int block, std::size_t begin, std::size_t n_rows);
  /// Takes the rows that were set aside last back to where they were.
  void put_back(int block, std::size_t begin, std::size_t n_rows);

 protected:
  /// Makes room for so many rows; what the blocks held is lost.
  void reserve(std::size_t n_rows);
  /// Begins a tree, with nothing set aside: marks the training rows whose byte is at least `least`;
  /// returns their number. The bytes must be readable for kReadAhead further rows.
  std::size_t mark(const std::uint8_t* bytes, std::uint8_t least);
  /// Copies the `n_rows` rows that are marked to the beginning of block 0, with the training rows'
  /// bytes that they carry.
  void take_marked(std::size_t n_rows, std::initializer_list<const std::uint8_t*> carried);
  Bin* block() { return blocks_[0].get(); }
  std::size_t stride() const { return stride_; }

  const ForestPlan& plan_;

 private:
  struct Free {
    void operator()(Bin* memory) const { std::free(memory); }
  };

  std::size_t n_features_, n_carried_;
  Kernels kernels_;
  std::vector<std::uint64_t> masks_[2];
  std::unique_ptr<Bin[], Free> blocks_[2];
  std::size_t stride_ = 0;
  std::vector<Bin> kept_;  ///< column by column, range by range
};

/// Whether trees of the plan may be grown by counting classes of rows that move: gini, no weights
/// but multiplicities below 2^31, no categories, and at least one in `n_most_a_tried` features is
/// tried, since moving a row costs a little for each feature, whether it is looked at or not. Only
/// with AVX2: one by one, bytes move more slowly than a list of rows is read.
bool suits_moving(const ForestPlan& plan, std::size_t n_most_a_tried);

}  // namespace orchard::learn::moving
