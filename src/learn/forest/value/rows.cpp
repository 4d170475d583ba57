#include "forest/value/rows.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::learn::values {
namespace {

/// Features counted in one pass over the rows: their cells stay in the nearest cache.
constexpr std::size_t kTile = 8;
constexpr std::size_t kPrefetch = 16;
/// Rows copied at a time, so that the copy's lines are written while they are near.
constexpr RowIndex kRowsACopy = 256;

}  // namespace

TreeRows::TreeRows(const ForestPlan& plan)
    : plan_(plan), row_stride_((plan.context.data.n_features() + kTile - 1) / kTile * kTile) {
  const auto& data = plan.context.data;
  const RowIndex n_train = data.n_train();
  rows_.resize(n_train * row_stride_);
  for (RowIndex first = 0; first < n_train; first += kRowsACopy) {
    const RowIndex last = std::min(n_train, first + kRowsACopy);
    for (std::size_t f = 0; f < data.n_features(); ++f) {
      const Bin* column = data.column(f);
      for (RowIndex i = first; i < last; ++i) rows_[i * row_stride_ + f] = column[i];
    }
  }
}

void TreeRows::take(const TreeStart& start) {
  count_rows(plan_, start, multiplicity_);
  positions_.clear();
  cells_.clear();
  for (RowIndex position = 0; position < multiplicity_.size(); ++position) {
    const std::uint32_t weight = multiplicity_[position];
    if (weight == 0) continue;
    positions_.push_back(position);
    cells_.push_back({std::uint64_t{1} << 32 | weight, plan_.targets.value[position] * weight});
  }
  if (positions_.empty()) {
    throw Error(ErrorKind::kData, format("tree {} has no row of positive weight", start.tree));
  }
  spare_positions_.resize(positions_.size());
  spare_cells_.resize(cells_.size());
}

Cell TreeRows::sum(std::size_t begin, std::size_t end) const {
  Cell sum;
  for (std::size_t i = begin; i < end; ++i) sum += cells_[i];
  return sum;
}

bool TreeRows::is_pure(std::size_t begin, std::size_t end) const {
  const std::int64_t first = value(begin);
  for (std::size_t i = begin + 1; i < end; ++i) {
    if (value(i) != first) return false;
  }
  return true;
}

std::size_t TreeRows::part(std::size_t begin, std::size_t end, FeatureIndex feature,
                           const std::array<std::uint8_t, 256>& side) {
  const Bin* column = plan_.context.data.column(feature);
  std::size_t left = begin, right = 0;
  for (std::size_t i = begin; i < end; ++i) {
    const RowIndex position = positions_[i];
    const Cell cell = cells_[i];
    const std::size_t is_right = side[column[position]];
    positions_[left] = spare_positions_[right] = position;
    cells_[left] = spare_cells_[right] = cell;
    left += 1 - is_right;
    right += is_right;
  }
  std::copy_n(spare_positions_.begin(), right,
              positions_.begin() + static_cast<std::ptrdiff_t>(left));
  std::copy_n(spare_cells_.begin(), right, cells_.begin() + static_cast<std::ptrdiff_t>(left));
  return left;
}

template <bool kIsAdded>
void TreeRows::count(std::size_t begin, std::size_t end, Cell* histogram) const {
  for (std::size_t tile = 0; tile < row_stride_; tile += kTile) {
    Cell* const cells = histogram + tile * kCellStride;
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t ahead = std::min(i + kPrefetch, end - 1);
      __builtin_prefetch(row(positions_[ahead]) + tile);
      std::uint64_t bins;
      std::memcpy(&bins, row(positions_[i]) + tile, kTile);
      const Cell cell = cells_[i];
      for (std::size_t f = 0; f < kTile; ++f) {
        Cell& to = cells[f * kCellStride + static_cast<Bin>(bins >> (8 * f))];
        kIsAdded ? to += cell : to -= cell;
      }
    }
  }
}

void TreeRows::add(std::size_t begin, std::size_t end, Cell* histogram) const {
  count<true>(begin, end, histogram);
}

void TreeRows::subtract(std::size_t begin, std::size_t end, Cell* histogram) const {
  count<false>(begin, end, histogram);
}

}  // namespace orchard::learn::values
