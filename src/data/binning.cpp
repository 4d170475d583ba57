#include "orchard/data/binning.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "bin_search.hpp"
#include "cut_points.hpp"
#include "orchard/base/error.hpp"

namespace orchard::data {
namespace {

using model::FeatureKind;

constexpr std::size_t kBlockRows = 16384;

/// Bins of the values of `rows` in one column of the table.
class FeatureBinner {
 public:
  FeatureBinner(const FeatureBins& bins, const float* column)
      : bins_(bins), column_(column), cuts_(bins.cuts) {}

  void fill(std::span<const RowIndex> rows, Bin* out) const {
    if (bins_.kind == FeatureKind::kCategorical) {
      for (std::size_t i = 0; i < rows.size(); ++i) out[i] = bins_.bin(column_[rows[i]]);
      return;
    }
    std::array<float, 2048> values;
    for (std::size_t begin = 0; begin < rows.size(); begin += values.size()) {
      const std::size_t n_values = std::min(values.size(), rows.size() - begin);
      for (std::size_t i = 0; i < n_values; ++i) values[i] = column_[rows[begin + i]];
      cuts_.bins_of({values.data(), n_values}, static_cast<Bin>(bins_.missing_bin()), out + begin);
    }
  }

 private:
  const FeatureBins& bins_;
  const float* column_;
  CutTable cuts_;
};

std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

std::size_t n_blocks_of(std::size_t n_rows) { return (n_rows + kBlockRows - 1) / kBlockRows; }

}  // namespace

Bin FeatureBins::bin(float value) const {
  if (std::isnan(value)) return static_cast<Bin>(missing_bin());
  if (kind == FeatureKind::kCategorical) {
    const bool is_known = value >= 0 && value < static_cast<float>(bin_of_level.size());
    return is_known ? bin_of_level[static_cast<std::size_t>(value)]
                    : static_cast<Bin>(missing_bin());
  }
  return static_cast<Bin>(std::lower_bound(cuts.begin(), cuts.end(), value) - cuts.begin());
}

Binning make_binning(const Table& table, std::span<const RowIndex> rows, int max_bins,
                     std::uint64_t random_state, parallel::Pool& pool) {
  require(max_bins >= 1 && max_bins <= 255, "max_bins lies in 1 .. 255");
  require(table.columns.size() == table.schema.n_features(), "every feature has a column");
  const auto sample = sample_positions(static_cast<RowIndex>(rows.size()), random_state, pool);
  Binning binning;
  binning.features.resize(table.columns.size());
  pool.for_chunks(table.columns.size(), 1, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t feature = begin; feature < end; ++feature) {
      const float* const column = table.columns[feature];
      const auto& described = table.schema.features[feature];
      binning.features[feature] =
          described.kind == FeatureKind::kNumeric
              ? numeric_bins(column, rows, sample, max_bins, pool)
              : categorical_bins(column, rows, described.levels.size(), max_bins, pool);
    }
  });
  return binning;
}

BinnedLayout BinnedLayout::make(RowIndex n_train, RowIndex n_test, std::size_t n_features,
                                bool with_rows) {
  constexpr std::size_t kLine = 64;
  BinnedLayout layout;
  layout.n_train = n_train;
  layout.n_test = n_test;
  layout.n_features = n_features;
  layout.column_stride = round_up(static_cast<std::size_t>(n_train) + n_test, kLine);
  layout.rows_offset = n_features * layout.column_stride;
  if (with_rows)
    layout.row_stride = n_features <= kLine / 2 ? kLine / 2 : round_up(n_features, kLine);
  layout.n_bytes = layout.rows_offset + static_cast<std::size_t>(n_train) * layout.row_stride;
  return layout;
}

void fill_columns(const Table& table, const Fold& fold, const Binning& binning,
                  const BinnedLayout& layout, std::size_t first, std::size_t last,
                  std::byte* memory, parallel::Pool& pool) {
  require(first <= last && last <= layout.n_features && layout.n_features == table.columns.size() &&
              layout.n_features == binning.features.size() && layout.n_train == fold.train.size() &&
              layout.n_test == fold.test.size(),
          "table, fold, binning and layout belong together");
  std::vector<FeatureBinner> binners;
  for (std::size_t feature = first; feature < last; ++feature) {
    binners.emplace_back(binning.features[feature], table.columns[feature]);
  }
  const std::size_t n_train_blocks = n_blocks_of(layout.n_train);
  const std::size_t n_blocks = n_train_blocks + n_blocks_of(layout.n_test);
  pool.for_chunks(binners.size() * n_blocks, 1, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t item = begin; item < end; ++item) {
      const std::size_t feature = item / n_blocks, block = item % n_blocks;
      const bool is_train = block < n_train_blocks;
      const std::span<const RowIndex> rows = is_train ? fold.train : fold.test;
      const std::size_t row = (is_train ? block : block - n_train_blocks) * kBlockRows;
      Bin* const column = reinterpret_cast<Bin*>(memory) + (first + feature) * layout.column_stride;
      binners[feature].fill(rows.subspan(row, std::min(kBlockRows, rows.size() - row)),
                            column + (is_train ? 0 : layout.n_train) + row);
    }
  });
  for (std::size_t feature = first; feature < last; ++feature) {
    std::byte* const column = memory + feature * layout.column_stride;
    std::memset(column + layout.n_rows(), 0, layout.column_stride - layout.n_rows());
  }
}

void fill_rows(const BinnedLayout& layout, RowIndex first, RowIndex last, std::byte* memory,
               parallel::Pool& pool) {
  require(first <= last && last <= layout.n_train, "rows are training rows");
  if (layout.row_stride == 0) return;
  constexpr std::size_t kTileRows = 128;
  const auto* const columns = reinterpret_cast<const Bin*>(memory);
  Bin* const out = reinterpret_cast<Bin*>(memory) + layout.rows_offset;
  const auto fill_tile = [&](std::size_t begin, std::size_t end) {
    Bin* const tile = out + begin * layout.row_stride;
    std::memset(tile, 0, (end - begin) * layout.row_stride);
    for (std::size_t feature = 0; feature < layout.n_features; ++feature) {
      const Bin* const column = columns + feature * layout.column_stride + begin;
      for (std::size_t i = 0; i < end - begin; ++i) {
        tile[i * layout.row_stride + feature] = column[i];
      }
    }
  };
  pool.for_chunks(last - first, kBlockRows, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t row = begin; row < end; row += kTileRows) {
      fill_tile(first + row, first + std::min(end, row + kTileRows));
    }
  });
}

std::unique_ptr<OwnedBinned> bin_fold(const Table& table, const Fold& fold, int max_bins,
                                      std::uint64_t random_state, bool with_rows,
                                      parallel::Pool& pool) {
  auto owned = std::make_unique<OwnedBinned>();
  owned->binning = make_binning(table, fold.train, max_bins, random_state, pool);
  const auto layout =
      BinnedLayout::make(static_cast<RowIndex>(fold.train.size()),
                         static_cast<RowIndex>(fold.test.size()), table.columns.size(), with_rows);
  owned->memory.resize(layout.n_bytes);
  fill_columns(table, fold, owned->binning, layout, 0, layout.n_features, owned->memory.data(),
               pool);
  fill_rows(layout, 0, layout.n_train, owned->memory.data(), pool);
  const auto gather = [&](std::span<const double> of_table, std::vector<double>& out) {
    if (of_table.empty()) return;
    for (const RowIndex row : fold.train) out.push_back(of_table[row]);
    for (const RowIndex row : fold.test) out.push_back(of_table[row]);
  };
  gather(table.target, owned->target);
  gather(table.weight, owned->weight);
  owned->data = {&owned->binning, layout, owned->memory.data(), owned->target, owned->weight};
  return owned;
}

}  // namespace orchard::data
