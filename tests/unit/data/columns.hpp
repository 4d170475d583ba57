#pragma once
// Small tables of columns that are written down or drawn.

#include <limits>
#include <string>
#include <vector>

#include "orchard/base/text.hpp"
#include "orchard/data/binning.hpp"
#include "orchard/random/stream.hpp"
#include "scratch_file.hpp"

namespace orchard::data {

inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// A table in memory, made column by column.
struct Columns {
  std::vector<std::vector<float>> values;
  Table table;

  void add(std::vector<float> column, std::size_t n_levels = 0) {
    model::Feature feature{format("f{}", values.size()), model::FeatureKind::kNumeric, {}};
    if (n_levels > 0) feature.kind = model::FeatureKind::kCategorical;
    for (std::size_t i = 0; i < n_levels; ++i) feature.levels.push_back(format("l{}", i));
    table.n_rows = static_cast<RowIndex>(column.size());
    table.schema.features.push_back(feature);
    values.push_back(std::move(column));
    table.columns.clear();
    for (const auto& each : values) table.columns.push_back(each.data());
  }
};

inline std::vector<float> random_column(std::size_t n, std::uint64_t unit, bool has_missing) {
  const random::Stream stream(testing::test_seed(), random::Purpose::kBootstrap, unit);
  std::vector<float> out;
  for (std::size_t i = 0; i < n; ++i) {
    const double u = stream.real(2 * i);
    out.push_back(static_cast<float>(u * u * u * 100 - 3));
    if (has_missing && stream.below(10, 2 * i + 1) == 0) out.back() = kNaN;
  }
  return out;
}

inline Binning make_binning(const Table& table, const std::vector<RowIndex>& rows, int max_bins,
                            std::uint64_t random_state, parallel::Pool& pool) {
  return bin_fold(table, {rows, {}}, max_bins, random_state, false, pool)->binning;
}

}  // namespace orchard::data
