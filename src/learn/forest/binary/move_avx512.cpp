// Parting and moving rows, 64 bytes at a time.

#include "forest/binary/kernels.hpp"
#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64
// GCC 12 takes the undefined operands inside its own intrinsics for our mistakes (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

ORCHARD_BEGIN_AVX512

namespace orchard::learn::binary {
namespace {

inline std::uint64_t low_bits(std::size_t n) {
  return n >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1;
}

inline std::size_t count_bits(std::uint64_t mask) {
  return static_cast<std::size_t>(_mm_popcnt_u64(mask));
}

template <std::size_t kColumns>
inline void keep_columns(const Bin* in, std::size_t stride, std::size_t n_rows,
                         const std::uint64_t* masks, std::size_t n_out, Bin* out,
                         std::size_t out_stride) {
  const std::size_t n_blocks = (n_rows + 63) / 64;
  std::size_t done = 0, block = 0;
  // What a whole store writes too much is written over by the next.
  for (; block < n_blocks && done + 64 <= n_out; ++block) {
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

}  // namespace

Drawn mark_drawn(const std::uint8_t* labels, std::size_t n, Code* codes, std::uint64_t* masks) {
  const __m512i zero = _mm512_setzero_si512();
  __m512i weight = zero, positives = zero;
  Drawn drawn;
  for (std::size_t at = 0; at < n; at += 64) {
    const std::uint64_t rows = low_bits(n - at);
    const __m512i code = _mm512_maskz_loadu_epi8(rows, codes + at);
    const __m512i label = _mm512_maskz_loadu_epi8(rows, labels + at);
    const __mmask64 is_drawn = _mm512_test_epi8_mask(code, code);
    const __mmask64 is_positive = _mm512_mask_test_epi8_mask(is_drawn, label, label);
    const __m512i own = _mm512_and_si512(_mm512_srli_epi16(code, 1), _mm512_set1_epi8(0x7f));
    weight = _mm512_add_epi64(weight, _mm512_sad_epu8(own, zero));
    positives =
        _mm512_add_epi64(positives, _mm512_sad_epu8(_mm512_maskz_mov_epi8(is_positive, own), zero));
    _mm512_mask_storeu_epi8(codes + at, is_positive, _mm512_add_epi8(code, label));
    masks[at / 64] = is_drawn;
    drawn.n_rows += count_bits(is_drawn);
  }
  drawn.counts = {static_cast<std::uint32_t>(_mm512_reduce_add_epi64(weight)),
                  static_cast<std::uint32_t>(_mm512_reduce_add_epi64(positives))};
  _mm256_zeroupper();
  return drawn;
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
               std::size_t n_out, Bin* to, std::size_t to_stride) {
  std::size_t column = 0;
  for (; column + 4 <= from.n; column += 4) {
    keep_columns<4>(from.first + column * from.stride, from.stride, n_rows, masks, n_out,
                    to + column * to_stride, to_stride);
  }
  for (; column < from.n; ++column) {
    keep_columns<1>(from.first + column * from.stride, from.stride, n_rows, masks, n_out,
                    to + column * to_stride, to_stride);
  }
  _mm256_zeroupper();
}

}  // namespace orchard::learn::binary

ORCHARD_END_INSTRUCTIONS

#endif
