#pragma once
// The rows of one tree as bytes that move.

#include <cstdlib>
#include <memory>
#include <vector>

#include "forest_binary_kernels.hpp"
#include "forest_plan.hpp"

namespace orchard::learn::binary {

/// Two blocks of a tree's rows, one column a feature and one of codes. A node's rows are a range of
/// one block; the same range of the other is free for its children. Owns its memory, keeps it from
/// tree to tree.
class MovingRows {
 public:
  explicit MovingRows(const ForestPlan& plan);

  /// Takes the rows that tree `tree` drew into block 0.
  void take(std::uint64_t tree);
  std::size_t n_rows() const { return n_rows_; }
  Counts counts() const { return counts_; }

  const Bin* column(int block, std::size_t feature) const {
    return blocks_[block].get() + feature * stride_;
  }
  const Code* codes(int block) const { return column(block, plan_.context.data.n_features()); }
  std::size_t stride() const { return stride_; }

  /// Marks where each row of [begin, begin + n_rows) goes; returns how many go left.
  std::size_t divide(int block, std::size_t begin, std::size_t n_rows, FeatureIndex feature,
                     RightBins right_bins);
  /// Copies those that `divide` last sent to `side` to the other block, to begin at `to`.
  void move(int block, std::size_t begin, std::size_t n_rows, int side, std::size_t to,
            std::size_t n_kept);

 private:
  struct Free {
    void operator()(Bin* memory) const { std::free(memory); }
  };

  void draw_codes(std::uint64_t tree);

  const ForestPlan& plan_;
  std::vector<std::uint8_t> labels_;  ///< [n_train]
  std::vector<Code> codes_;           ///< of all training rows; 0: not drawn
  std::vector<std::uint64_t> masks_[2];
  std::unique_ptr<Bin[], Free> blocks_[2];
  std::size_t stride_ = 0;
  std::size_t n_rows_ = 0;
  Counts counts_;
};

}  // namespace orchard::learn::binary
