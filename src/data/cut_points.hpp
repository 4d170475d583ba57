#pragma once
// Bins of one feature from the training rows.

#include <span>

#include "orchard/data/binning.hpp"

namespace orchard::data {

/// Positions, ascending, of the training rows from which cuts are made: all of them up to 200,000,
/// else 200,000 without replacement (Floyd's algorithm; Bentley, CACM 30(9), 1987).
std::vector<RowIndex> sample_positions(RowIndex n_rows, std::uint64_t random_state,
                                       parallel::Pool& pool);

/// A training value m with left <= m < right, midway in float32 where that is possible.
float cut_between(float left, float right);

/// `column` is of the whole table; `sample` are positions in `rows`.
FeatureBins numeric_bins(const float* column, std::span<const RowIndex> rows,
                         std::span<const RowIndex> sample, int max_bins, parallel::Pool& pool);
FeatureBins categorical_bins(const float* column, std::span<const RowIndex> rows,
                             std::size_t n_levels, int max_bins, parallel::Pool& pool);

}  // namespace orchard::data
