#include <algorithm>
#include <array>

#include "boosting/partition_kernel.hpp"
#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64

#include <immintrin.h>

namespace orchard::learn::boosting {
namespace {

struct alignas(8) Places {
  std::array<std::uint8_t, 8> from{};
};

/// For every mask of eight lanes: its lanes in order, to the front.
constexpr std::array<Places, 256> make_places() {
  std::array<Places, 256> places{};
  for (unsigned mask = 0; mask < 256; ++mask) {
    unsigned n = 0;
    for (unsigned lane = 0; lane < 8; ++lane) {
      if ((mask >> lane & 1) != 0) places[mask].from[n++] = static_cast<std::uint8_t>(lane);
    }
  }
  return places;
}
constexpr std::array<Places, 256> kPlaces = make_places();

}  // namespace

ORCHARD_BEGIN_AVX2
namespace {

__m256i compress(__m256i rows, unsigned mask) {
  const __m128i from = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(&kPlaces.data()[mask]));
  return _mm256_permutevar8x32_epi32(rows, _mm256_cvtepu8_epi32(from));
}

}  // namespace

// The bins of a block are fetched one by one, all before the first is used: a gather takes longer
// on many processors. What a store writes past its rows lies at or before the end of the rows
// already read.
void partition_rows_avx2(RowIndex* list, std::uint32_t begin, std::uint32_t end, const Bin* column,
                         const BinSet& left, RowIndex* right, Parted& parted) {
  constexpr std::uint32_t kRows = 8;
  constexpr std::uint32_t kBlock = 512;  // rows whose bins stay in the nearest cache
  const __m256i set = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(left.data()));
  alignas(32) Bin fetched[kBlock];
  std::uint32_t n_left = parted.n_left, n_right = parted.n_right;
  std::uint32_t at = begin;
  while (end - at >= kRows) {
    const std::uint32_t n = std::min(kBlock, (end - at) / kRows * kRows);
    const RowIndex* const block = list + at;
    for (std::uint32_t i = 0; i < n; ++i) fetched[i] = column[block[i]];
    for (std::uint32_t i = 0; i < n; i += kRows) {
      const __m256i rows = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + i));
      const __m256i bin =
          _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(fetched + i)));
      const __m256i word = _mm256_permutevar8x32_epi32(set, _mm256_srli_epi32(bin, 5));
      // The bin's bit becomes the sign.
      const __m256i up =
          _mm256_sub_epi32(_mm256_set1_epi32(31), _mm256_and_si256(bin, _mm256_set1_epi32(31)));
      const auto is_left = static_cast<unsigned>(
          _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_sllv_epi32(word, up))));
      const auto n_here = static_cast<std::uint32_t>(_mm_popcnt_u32(is_left));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(list + n_left), compress(rows, is_left));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(right + n_right),
                          compress(rows, ~is_left & 0xff));
      n_left += n_here;
      n_right += kRows - n_here;
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
