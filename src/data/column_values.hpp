#pragma once
// Chosen rows of one column, as values and as bins.

#include <algorithm>
#include <array>
#include <span>

#include "orchard/data/binning.hpp"

namespace orchard::data {

/// Calls use(values, i) for the values of rows[i ..), block by block: where the rows follow each
/// other they are read in place. `column` begins with row `first_row`.
template <class Use>
void for_values(const float* column, RowIndex first_row, std::span<const RowIndex> rows,
                Use&& use) {
  if (rows.empty()) return;
  if (rows.back() - rows.front() + std::size_t{1} == rows.size()) {
    use(std::span<const float>(column + (rows.front() - first_row), rows.size()), std::size_t{0});
    return;
  }
  std::array<float, 2048> values;
  for (std::size_t begin = 0; begin < rows.size(); begin += values.size()) {
    const std::size_t n_values = std::min(values.size(), rows.size() - begin);
    for (std::size_t i = 0; i < n_values; ++i) values[i] = column[rows[begin + i] - first_row];
    use(std::span<const float>(values.data(), n_values), begin);
  }
}

/// [rows.size()] bins of any rows of a column that begins with row `first_row`.
void fill_bins(const FeatureBins& bins, const float* column, RowIndex first_row,
               std::span<const RowIndex> rows, Bin* out);

}  // namespace orchard::data
