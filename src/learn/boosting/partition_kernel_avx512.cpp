#include <algorithm>

#include "boosting/partition_kernel.hpp"
#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64

#include <immintrin.h>

#if !defined(__clang__)
// GCC bug 105593: its own headers for these instructions are reported.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace orchard::learn::boosting {
ORCHARD_BEGIN_AVX512
namespace {

constexpr std::uint32_t kRows = 64;    // bins in a register
constexpr std::uint32_t kBlock = 512;  // rows of a block, whose bins stay in the nearest cache

/// Which of 64 bins are in a set.
struct SetTest {
  __m512i set, bits;

  explicit SetTest(const BinSet& left)
      : set(_mm512_castsi256_si512(
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(left.data())))),
        bits(_mm512_set1_epi64(static_cast<long long>(0x8040201008040201))) {}

  __mmask64 operator()(__m512i bins) const {
    // Byte bin / 8 of the set, and bit bin % 8 in it; a shuffle takes four bits of its index.
    const __m512i eighth = _mm512_and_si512(_mm512_srli_epi16(bins, 3), _mm512_set1_epi8(31));
    const __m512i bit = _mm512_shuffle_epi8(bits, _mm512_and_si512(bins, _mm512_set1_epi8(7)));
    return _mm512_test_epi8_mask(_mm512_permutexvar_epi8(eighth, set), bit);
  }
};

bool is_range(const RowIndex* list) {
  if (list[kBlock - 1] - list[0] != kBlock - 1) return false;
  const __m512i steps = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  __m512i strays = _mm512_setzero_si512();
  for (std::uint32_t i = 0; i < kBlock; i += 16) {
    const __m512i expected =
        _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(list[0] + i)), steps);
    const __m512i rows = _mm512_loadu_si512(list + i);
    strays = _mm512_or_si512(strays, _mm512_xor_si512(rows, expected));
  }
  return _mm512_test_epi32_mask(strays, strays) == 0;
}

}  // namespace

// The bins of a block are fetched one by one, all before the first is used: a gather takes longer,
// and so does a register that is read from bytes just written. Consecutive rows have their bins
// side by side in the column.
//
// Rows are compressed in a register and stored whole, as compressing into memory is slow. What a
// store writes past its rows lies at or before the end of the rows already read.
void partition_rows_avx512(RowIndex* list, std::uint32_t begin, std::uint32_t end,
                           const Bin* column, const BinSet& left, RowIndex* right, Parted& parted) {
  const SetTest is_in_set(left);
  alignas(64) Bin fetched[kBlock];
  std::uint32_t n_left = parted.n_left, n_right = parted.n_right;
  std::uint32_t at = begin;
  while (end - at >= kRows) {
    const std::uint32_t n = std::min(kBlock, (end - at) / kRows * kRows);
    const RowIndex* const block = list + at;
    const Bin* bins = fetched;
    if (n == kBlock && is_range(block)) {
      bins = column + block[0];
    } else {
      for (std::uint32_t i = 0; i < n; ++i) fetched[i] = column[block[i]];
    }
    for (std::uint32_t i = 0; i < n; i += kRows) {
      std::uint64_t is_left = is_in_set(_mm512_loadu_si512(bins + i));
      for (std::uint32_t part = 0; part < kRows; part += 16) {
        const auto mask = static_cast<__mmask16>(is_left);
        is_left >>= 16;
        const __m512i rows = _mm512_loadu_si512(block + i + part);
        const auto n_here = static_cast<std::uint32_t>(_mm_popcnt_u32(mask));
        _mm512_storeu_si512(list + n_left, _mm512_maskz_compress_epi32(mask, rows));
        _mm512_storeu_si512(right + n_right,
                            _mm512_maskz_compress_epi32(static_cast<__mmask16>(~mask), rows));
        n_left += n_here;
        n_right += 16 - n_here;
      }
    }
    at += n;
  }
  _mm256_zeroupper();
  parted = {n_left, n_right};
  partition_rows(list, at, end, column, left, right, parted);
}

ORCHARD_END_INSTRUCTIONS
}  // namespace orchard::learn::boosting

#endif
