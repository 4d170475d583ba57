#pragma once
// The inner loops of rows that move as bytes: which rows were drawn, which side they go to, and
// copying those of one side. All versions write the same bytes. There is none for any processor:
// byte by byte, moving rows loses against the general grower's lists.

#include <cstddef>
#include <cstdint>

#include "orchard/base/types.hpp"

namespace orchard::learn::moving {

/// Bytes that may be read past the last row of a column.
inline constexpr std::size_t kReadAhead = 64;

/// Bytes that lie column by column.
struct Columns {
  const Bin* first = nullptr;
  std::size_t stride = 0;
  std::size_t n = 0;
};

/// Which of a column's bins go right: `n_right` bins from `first_right` on.
struct RightBins {
  Bin first_right = 0, n_right = 0;
};

// Masks have a bit a row, 64 rows a word; bits past the last row are 0.

struct Kernels {
  /// Marks the rows whose byte is at least `least` (at least 1). Returns their number.
  std::size_t (*mark)(const std::uint8_t* bytes, std::size_t n, std::uint8_t least,
                      std::uint64_t* masks);
  /// Marks the rows that go left and right. Returns the number at the left.
  std::size_t (*find_sides)(const Bin* column, std::size_t n_rows, RightBins right_bins,
                            std::uint64_t* left, std::uint64_t* right);
  /// Copies the rows that are marked, in their order. Of what lies behind them in `to`, bytes up to
  /// row `room` (at least their number) may be written over; the others stay as they are, though
  /// kReadAhead of them must be there.
  void (*keep_rows)(const Columns& from, std::size_t n_rows, const std::uint64_t* masks,
                    std::size_t room, Bin* to, std::size_t to_stride);
};
extern const Kernels kAvx2Kernels, kAvx512Kernels;

}  // namespace orchard::learn::moving
