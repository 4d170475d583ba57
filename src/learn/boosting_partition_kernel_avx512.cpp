#include "boosting_partition_kernel.hpp"
#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64

#include <immintrin.h>

#if !defined(__clang__)
// GCC bug 105593: its own headers for these instructions are reported.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace orchard::learn::boosting {
ORCHARD_BEGIN_AVX512

// Rows are compressed in a register and stored whole, as compressing into memory is slow. What a
// store writes past its rows lies at or before the end of the rows already read.
void partition_rows_avx512(RowIndex* list, std::uint32_t begin, std::uint32_t end,
                           const Bin* column, const BinSet& left, RowIndex* right, Parted& parted) {
  constexpr std::uint32_t kRows = 16;
  const __m512i set =
      _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(left.data())));
  const __m512i one = _mm512_set1_epi32(1);
  std::uint32_t n_left = parted.n_left, n_right = parted.n_right;
  std::uint32_t at = begin;
  for (; end - at >= kRows; at += kRows) {
    const __m512i rows = _mm512_loadu_si512(list + at);
    const __m512i four = _mm512_i32gather_epi32(_mm512_srli_epi32(rows, 2), column, 4);
    const __m512i shift = _mm512_slli_epi32(_mm512_and_si512(rows, _mm512_set1_epi32(3)), 3);
    const __m512i bin = _mm512_and_si512(_mm512_srlv_epi32(four, shift), _mm512_set1_epi32(0xff));
    const __m512i word = _mm512_permutexvar_epi32(_mm512_srli_epi32(bin, 5), set);
    const __m512i bit = _mm512_sllv_epi32(one, _mm512_and_si512(bin, _mm512_set1_epi32(31)));
    const __mmask16 is_left = _mm512_test_epi32_mask(word, bit);
    const auto is_right = static_cast<__mmask16>(~is_left);
    const auto n = static_cast<std::uint32_t>(_mm_popcnt_u32(is_left));
    _mm512_storeu_si512(list + n_left, _mm512_maskz_compress_epi32(is_left, rows));
    _mm512_storeu_si512(right + n_right, _mm512_maskz_compress_epi32(is_right, rows));
    n_left += n;
    n_right += kRows - n;
  }
  _mm256_zeroupper();
  parted = {n_left, n_right};
  partition_rows(list, at, end, column, left, right, parted);
}

ORCHARD_END_INSTRUCTIONS
}  // namespace orchard::learn::boosting

#endif
