#pragma once
// The rows of one tree of several classes as bytes that move, and their counts by bin.

#include <vector>

#include "forest/class/kernels.hpp"
#include "forest/moving/rows.hpp"

namespace orchard::learn::classes {

/// Rows that move, with their labels and weights.
class TreeRows : public moving::MovingRows {
 public:
  explicit TreeRows(const ForestPlan& plan);

  /// Takes the rows to grow from into block 0.
  void take(const TreeStart& start);
  std::size_t n_rows() const { return n_rows_; }
  const std::uint8_t* labels(int block) const { return carried(block, 0); }
  const std::uint8_t* weights(int block) const { return carried(block, 1); }

 private:
  std::vector<std::uint8_t> label_, weight_;  ///< of all training rows; readable a little further
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
