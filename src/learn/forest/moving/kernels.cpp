#include "forest/moving/kernels.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "orchard/base/instruction_set.hpp"

namespace orchard::learn::moving {
namespace {

/// masks[i] gets the bits of rows 64 i .. of which `is_marked` says so. Returns their number.
template <class IsMarked>
std::size_t fill_masks(std::size_t n, std::uint64_t* masks, IsMarked is_marked) {
  std::size_t n_marked = 0;
  for (std::size_t at = 0; at < n; at += 64) {
    const std::size_t n_here = std::min<std::size_t>(64, n - at);
    std::uint64_t mask = 0;
    for (std::size_t i = 0; i < n_here; ++i) {
      mask |= static_cast<std::uint64_t>(is_marked(at + i)) << i;
    }
    masks[at / 64] = mask;
    n_marked += static_cast<std::size_t>(std::popcount(mask));
  }
  return n_marked;
}

std::size_t mark(const std::uint8_t* bytes, std::size_t n, std::uint8_t least,
                 std::uint64_t* masks) {
  return fill_masks(n, masks, [=](std::size_t row) { return bytes[row] >= least; });
}

std::size_t find_sides(const Bin* column, std::size_t n_rows, RightBins right_bins,
                       std::uint64_t* left, std::uint64_t* right) {
  const std::size_t n_right = fill_masks(n_rows, right, [=](std::size_t row) {
    return static_cast<Bin>(column[row] - right_bins.first_right) < right_bins.n_right;
  });
  for (std::size_t at = 0; at < n_rows; at += 64) {
    const std::uint64_t rows =
        n_rows - at >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << (n_rows - at)) - 1;
    left[at / 64] = rows & ~right[at / 64];
  }
  return n_rows - n_right;
}

/// The places of marked rows are listed once for all columns, so many words of masks at a time.
void keep_rows(const Columns& from, std::size_t n_rows, const std::uint64_t* masks, std::size_t,
               Bin* to, std::size_t to_stride) {
  constexpr std::size_t kWordsAList = 32;
  std::array<std::uint16_t, kWordsAList * 64> places;
  const std::size_t n_words = (n_rows + 63) / 64;
  std::size_t done = 0;
  for (std::size_t word = 0; word < n_words; word += kWordsAList) {
    const std::size_t end = std::min(n_words, word + kWordsAList);
    std::size_t n = 0;
    for (std::size_t i = word; i < end; ++i) {
      for (std::uint64_t mask = masks[i]; mask != 0; mask &= mask - 1) {
        places[n++] = static_cast<std::uint16_t>((i - word) * 64 +
                                                 static_cast<std::size_t>(std::countr_zero(mask)));
      }
    }
    for (std::size_t column = 0; column < from.n; ++column) {
      const Bin* in = from.first + column * from.stride + word * 64;
      Bin* out = to + column * to_stride + done;
      for (std::size_t i = 0; i < n; ++i) out[i] = in[places[i]];
    }
    done += n;
  }
}

constexpr Kernels kBaselineKernels{mark, find_sides, keep_rows};

}  // namespace

Kernels choose_kernels() {
#if ORCHARD_HAS_X86_64
  return *choose_version(&kBaselineKernels, &kAvx2Kernels, &kAvx512Kernels);
#else
  return kBaselineKernels;
#endif
}

}  // namespace orchard::learn::moving
