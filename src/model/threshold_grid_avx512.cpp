#include "orchard/base/instruction_set.hpp"
#include "threshold_grid.hpp"

#if ORCHARD_HAS_X86_64
#include <immintrin.h>

// GCC 12 takes the undefined registers of its own intrinsics for a fault of ours (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

ORCHARD_BEGIN_AVX512

namespace orchard::model {

std::size_t codes_of_avx512(const ThresholdGrid::View& grid, std::span<const float> values,
                            Bin missing, Bin* out) {
  constexpr int kGroups = 4;
  constexpr std::size_t kStride = 16 * kGroups;
  const __m512 lowest = _mm512_set1_ps(grid.lowest);
  const __m512 cells_a_unit = _mm512_set1_ps(grid.cells_a_unit);
  const __m512 last_cell = _mm512_set1_ps(static_cast<float>(ThresholdGrid::kCells - 1));
  const __m512i low_byte = _mm512_set1_epi32(0xff);
  const float* from = values.data();
  const std::size_t n_whole = values.size() / kStride * kStride;
  for (std::size_t i = 0; i < n_whole; i += kStride) {
    __m512 value[kGroups];
    __m512i code[kGroups];
    for (int g = 0; g < kGroups; ++g) {
      value[g] = _mm512_loadu_ps(from + i + 16 * g);
      __m512 at = _mm512_mul_ps(_mm512_sub_ps(value[g], lowest), cells_a_unit);
      at = _mm512_max_ps(at, _mm512_setzero_ps());  // NaN: 0
      const __m512i cell = _mm512_cvttps_epi32(_mm512_min_ps(at, last_cell));
      code[g] = _mm512_and_si512(_mm512_i32gather_epi32(cell, grid.n_below, 1), low_byte);
    }
    for (auto step = static_cast<int>(grid.first_step); step > 0; step /= 2) {
      for (int g = 0; g < kGroups; ++g) {
        const __m512 threshold = _mm512_i32gather_ps(code[g], grid.thresholds + step - 1, 4);
        const __mmask16 is_below = _mm512_cmp_ps_mask(threshold, value[g], _CMP_LT_OQ);
        code[g] = _mm512_mask_add_epi32(code[g], is_below, code[g], _mm512_set1_epi32(step));
      }
    }
    for (int g = 0; g < kGroups; ++g) {
      const __mmask16 is_missing = _mm512_cmp_ps_mask(value[g], value[g], _CMP_UNORD_Q);
      code[g] = _mm512_mask_mov_epi32(code[g], is_missing, _mm512_set1_epi32(missing));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i + 16 * g), _mm512_cvtepi32_epi8(code[g]));
    }
  }
  _mm256_zeroupper();
  return n_whole;
}

}  // namespace orchard::model

ORCHARD_END_INSTRUCTIONS
#endif
