#pragma once
// The bins of a feature as their contract says it, without any speed.

#include <span>

#include "orchard/data/binning.hpp"

namespace orchard::data::testing {

/// `column` is of the whole table; `sample` are positions in `rows`.
FeatureBins reference_bins(const float* column, std::span<const RowIndex> rows,
                           std::span<const RowIndex> sample, int max_bins);

}  // namespace orchard::data::testing
