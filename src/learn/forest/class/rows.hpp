#pragma once
// The rows of one tree of several classes as bytes that move, and their counts by bin.

#include <cstdlib>
#include <memory>
#include <vector>

#include "forest/binary/kernels.hpp"
#include "forest/class/kernels.hpp"
#include "forest/plan.hpp"

namespace orchard::learn::classes {

/// Two blocks of a tree's rows: one column a feature, one of labels and one of weights. A node's
/// rows are a range of one block; the same range of the other is free for its children. Owns its
/// memory, keeps it from tree to tree.
class MovingRows {
 public:
  explicit MovingRows(const ForestPlan& plan);

  /// Takes the rows that tree `tree` drew into block 0.
  void take(std::uint64_t tree);
  std::size_t n_rows() const { return n_rows_; }

  const Bin* column(int block, std::size_t feature) const {
    return blocks_[block].get() + feature * stride_;
  }
  const std::uint8_t* labels(int block) const { return column(block, n_features_); }
  const std::uint8_t* weights(int block) const { return column(block, n_features_ + 1); }

  /// Marks where each row of [begin, begin + n_rows) goes; returns how many go left.
  std::size_t divide(int block, std::size_t begin, std::size_t n_rows, FeatureIndex feature,
                     binary::RightBins right_bins);
  /// Copies those that `divide` last sent to `side` to the other block, to begin at `to`.
  void move(int block, std::size_t begin, std::size_t n_rows, int side, std::size_t to,
            std::size_t n_kept);

 private:
  struct Free {
    void operator()(Bin* memory) const { std::free(memory); }
  };

  const ForestPlan& plan_;
  std::size_t n_features_;
  std::vector<std::uint8_t> label_, weight_;  ///< of all training rows; readable a little further
  std::vector<std::uint64_t> masks_[2];
  std::unique_ptr<Bin[], Free> blocks_[2];
  std::size_t stride_ = 0;
  std::size_t n_rows_ = 0;
};

/// A node's rows, side by side.
struct NodeRows {
  const std::uint8_t* labels = nullptr;
  const std::uint8_t* weights = nullptr;
  std::size_t n = 0;
};

/// cells[f][bin] += the rows, for `n_features` (at most kFeaturesAPass) columns.
void count_cells(const NodeRows& rows, const Bin* const* columns, std::size_t n_features,
                 Cells* cells);

}  // namespace orchard::learn::classes
