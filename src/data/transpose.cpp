#include "transpose.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace orchard::data {
namespace {

constexpr std::size_t kTile = 16;

/// A tile at a border, or where the processor has no vectors: `n_columns` <= 16 columns, and zeros
/// after them up to `width` <= 16.
void transpose_edge(const Bin* columns, std::size_t column_stride, std::size_t n_columns, Bin* rows,
                    std::size_t row_stride, std::size_t n_rows, std::size_t width) {
  for (std::size_t row = 0; row < n_rows; ++row) {
    Bin* const out = rows + row * row_stride;
    for (std::size_t column = 0; column < n_columns; ++column) {
      out[column] = columns[column * column_stride + row];
    }
    std::memset(out + n_columns, 0, width - n_columns);
  }
}

#if defined(__SSE2__)
/// 16 rows of 16 bytes of which the first `n_columns` come from columns, the others are 0: four
/// rounds that interleave register i with register i + 8.
void transpose_tile(const Bin* columns, std::size_t column_stride, std::size_t n_columns, Bin* rows,
                    std::size_t row_stride) {
  __m128i lines[kTile], next[kTile];
  for (std::size_t i = 0; i < kTile; ++i) {
    lines[i] = i < n_columns
                   ? _mm_loadu_si128(reinterpret_cast<const __m128i*>(columns + i * column_stride))
                   : _mm_setzero_si128();
  }
  for (int round = 0; round < 4; ++round) {
    for (std::size_t i = 0; i < kTile / 2; ++i) {
      next[2 * i] = _mm_unpacklo_epi8(lines[i], lines[i + kTile / 2]);
      next[2 * i + 1] = _mm_unpackhi_epi8(lines[i], lines[i + kTile / 2]);
    }
    std::copy_n(next, kTile, lines);
  }
  for (std::size_t i = 0; i < kTile; ++i) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(rows + i * row_stride), lines[i]);
  }
}
#endif

}  // namespace

void transpose_bins(const Bin* columns, std::size_t column_stride, std::size_t n_columns, Bin* rows,
                    std::size_t row_stride, std::size_t n_rows) {
  for (std::size_t row = 0; row < n_rows; row += kTile) {
    const std::size_t n_tile_rows = std::min(kTile, n_rows - row);
    for (std::size_t column = 0; column < row_stride; column += kTile) {
      const std::size_t n_here = column < n_columns ? std::min(kTile, n_columns - column) : 0;
      const std::size_t width = std::min(kTile, row_stride - column);
      const Bin* const from = columns + std::min(column, n_columns) * column_stride + row;
      Bin* const to = rows + row * row_stride + column;
#if defined(__SSE2__)
      if (n_tile_rows == kTile && width == kTile) {
        transpose_tile(from, column_stride, n_here, to, row_stride);
        continue;
      }
#endif
      transpose_edge(from, column_stride, n_here, to, row_stride, n_tile_rows, width);
    }
  }
}

}  // namespace orchard::data
