// Parting and moving rows, 64 bytes at a time.

#include "forest/moving/kernels.hpp"
#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64
// GCC 12 takes the undefined operands inside its own intrinsics for our mistakes (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

ORCHARD_BEGIN_AVX512

namespace orchard::learn::moving {
namespace {

inline std::uint64_t low_bits(std::size_t n) {
  return n >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1;
}

inline std::size_t count_bits(std::uint64_t mask) {
  return static_cast<std::size_t>(_mm_popcnt_u64(mask));
}

template <std::size_t kColumns>
inline void keep_columns(const Bin* in, std::size_t stride, std::size_t n_rows,
                         const std::uint64_t* masks, std::size_t room, Bin* out,
                         std::size_t out_stride) {
  const std::size_t n_blocks = (n_rows + 63) / 64;
  std::size_t done = 0, block = 0;
  // What a whole store writes too much is written over by the next.
  for (; block < n_blocks && done + 64 <= room; ++block) {
    const std::uint64_t mask = masks[block];
    for (std::size_t k = 0; k < kColumns; ++k) {
      const __m512i bytes = _mm512_loadu_si512(in + k * stride + block * 64);
      _mm512_storeu_si512(out + k * out_stride + done, _mm512_maskz_compress_epi8(mask, bytes));
    }
    done += count_bits(mask);
  }
  for (; block < n_blocks; ++block) {
    const std::uint64_t mask = masks[block];
    const __mmask64 kept = low_bits(count_bits(mask));
    for (std::size_t k = 0; k < kColumns; ++k) {
      const __m512i bytes = _mm512_loadu_si512(in + k * stride + block * 64);
      _mm512_mask_storeu_epi8(out + k * out_stride + done, kept,
                              _mm512_maskz_compress_epi8(mask, bytes));
    }
    done += count_bits(mask);
  }
}

std::size_t mark(const std::uint8_t* bytes, std::size_t n, std::uint8_t least,
                 std::uint64_t* masks) {
  const __m512i lowest = _mm512_set1_epi8(static_cast<char>(least));
  std::size_t n_marked = 0;
  for (std::size_t at = 0; at < n; at += 64) {
    const __m512i here = _mm512_maskz_loadu_epi8(low_bits(n - at), bytes + at);
    masks[at / 64] = _mm512_cmpge_epu8_mask(here, lowest);
    n_marked += count_bits(masks[at / 64]);
  }
  _mm256_zeroupper();
  return n_marked;
}

std::size_t find_sides(const Bin* column, std::size_t n_rows, RightBins right_bins,
                       std::uint64_t* left, std::uint64_t* right) {
  const __m512i first = _mm512_set1_epi8(static_cast<char>(right_bins.first_right));
  const __m512i n_right = _mm512_set1_epi8(static_cast<char>(right_bins.n_right));
  std::size_t n_left = 0;
  for (std::size_t at = 0; at < n_rows; at += 64) {
    const std::uint64_t rows = low_bits(n_rows - at);
    const __m512i bins = _mm512_loadu_si512(column + at);
    const std::uint64_t is_right =
        _mm512_mask_cmplt_epu8_mask(rows, _mm512_sub_epi8(bins, first), n_right);
    right[at / 64] = is_right;
    left[at / 64] = rows & ~is_right;
    n_left += count_bits(rows & ~is_right);
  }
  _mm256_zeroupper();
  return n_left;
}

void keep_rows(const Columns& from, std::size_t n_rows, const std::uint64_t* masks,
               std::size_t room, Bin* to, std::size_t to_stride) {
  std::size_t column = 0;
  for (; column + 4 <= from.n; column += 4) {
    keep_columns<4>(from.first + column * from.stride, from.stride, n_rows, masks, room,
                    to + column * to_stride, to_stride);
  }
  for (; column < from.n; ++column) {
    keep_columns<1>(from.first + column * from.stride, from.stride, n_rows, masks, room,
                    to + column * to_stride, to_stride);
  }
  _mm256_zeroupper();
}

}  // namespace

const Kernels kAvx512Kernels{mark, find_sides, keep_rows};

}  // namespace orchard::learn::moving

ORCHARD_END_INSTRUCTIONS

#endif
