#pragma once
// The rows of one regression tree under construction.

#include <array>
#include <vector>

#include "forest/plan.hpp"
#include "forest/value/kernels.hpp"

namespace orchard::learn::values {

/// A tree's distinct rows by place; a node owns a range of places. Owns its memory, keeps it from
/// tree to tree.
class TreeRows {
 public:
  explicit TreeRows(const ForestPlan& plan);

  /// Takes the rows to grow from. Throws kData when there are none.
  void take(const TreeStart& start);
  std::size_t n_rows() const { return positions_.size(); }

  /// Number, weight and weighted target of the row at `place`.
  const Cell& cell(std::size_t place) const { return cells_[place]; }
  std::int64_t value(std::size_t place) const { return plan_.targets.value[positions_[place]]; }
  /// [n_features] of the row at `place`.
  const Bin* bins(std::size_t place) const { return row(positions_[place]); }
  /// Features of a histogram: the data's, and some without meaning.
  std::size_t n_counted_features() const { return row_stride_; }
  Cell sum(std::size_t begin, std::size_t end) const;
  bool is_pure(std::size_t begin, std::size_t end) const;

  /// Those of [begin, end) with side[bin of feature] == 0 first, all in their order; returns where
  /// the others begin.
  std::size_t part(std::size_t begin, std::size_t end, FeatureIndex feature,
                   const std::array<std::uint8_t, 256>& side);

  /// Adds rows [begin, end) to a histogram ([n_counted_features][kCellStride]), or takes them out
  /// of it.
  void add(std::size_t begin, std::size_t end, Cell* histogram) const;
  void subtract(std::size_t begin, std::size_t end, Cell* histogram) const;

 private:
  const Bin* row(RowIndex position) const { return rows_.data() + position * row_stride_; }
  template <bool kIsAdded>
  void count(std::size_t begin, std::size_t end, Cell* histogram) const;

  const ForestPlan& plan_;
  std::size_t row_stride_;
  std::vector<Bin> rows_;  ///< [n_train][row_stride]: bins of a row side by side
  std::vector<std::uint32_t> multiplicity_;
  std::vector<RowIndex> positions_, spare_positions_;
  std::vector<Cell> cells_, spare_cells_;
};

}  // namespace orchard::learn::values
