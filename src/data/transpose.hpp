#pragma once

#include <cstddef>

#include "orchard/base/types.hpp"

namespace orchard::data {

/// Rows from columns: rows[i * row_stride + f] = columns[f * column_stride + i] for the `n_columns`
/// columns and `n_rows` rows; the rest of each row up to `row_stride` (>= n_columns) is 0.
void transpose_bins(const Bin* columns, std::size_t column_stride, std::size_t n_columns, Bin* rows,
                    std::size_t row_stride, std::size_t n_rows);

}  // namespace orchard::data
