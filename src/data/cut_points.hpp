#pragma once
// What the bins of one feature are made from.

#include <span>

#include "orchard/data/binning.hpp"

namespace orchard::data {

inline constexpr RowIndex kMaxSampleRows = 200'000;

/// Positions, ascending, of the training rows from which cuts are made: all of them up to 200,000,
/// else 200,000 without replacement (Floyd's algorithm; Bentley, CACM 30(9), 1987).
std::vector<RowIndex> sample_positions(RowIndex n_rows, std::uint64_t random_state,
                                       parallel::Pool& pool);

/// Values, ascending and none NaN, of one column of the table in `sample`, which are some of `rows`
/// in their order; of all `rows` where the sample has fewer than 16 values a bin, since that says
/// too little about a mostly missing feature. `values` and `scratch` are overwritten. Returns
/// whether these are the values of all rows.
bool sorted_sample(const float* column, std::span<const RowIndex> rows,
                   std::span<const RowIndex> sample, int max_bins, std::vector<float>& values,
                   std::vector<float>& scratch, parallel::Pool& pool);

FeatureBins categorical_bins(const float* column, std::span<const RowIndex> rows,
                             std::size_t n_levels, int max_bins, parallel::Pool& pool);

}  // namespace orchard::data
