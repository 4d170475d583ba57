#include "bin_search_kernels.hpp"
#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64
// GCC 12's intrinsics make registers from undefined ones, which it then warns about.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

namespace orchard::data {

ORCHARD_BEGIN_AVX512
namespace {

/// Entry `node` of a level of 32 kPairs nodes: its low five bits choose within a pair of registers,
/// the comparisons that led to its higher bits choose the pair (first bit first).
template <int kPairs>
inline __m512 level_entry(const float* level, __m512i node, const __mmask16* taken) {
  if constexpr (kPairs == 1) {
    return _mm512_permutex2var_ps(_mm512_load_ps(level), node, _mm512_load_ps(level + 16));
  } else {
    const __m512 left = level_entry<kPairs / 2>(level, node, taken + 1);
    const __m512 right = level_entry<kPairs / 2>(level + 16 * kPairs, node, taken + 1);
    return _mm512_mask_blend_ps(*taken, left, right);
  }
}

inline __m512i step(__m512i node, __m512 threshold, __m512 value, __mmask16& taken) {
  taken = _mm512_cmp_ps_mask(threshold, value, _CMP_LT_OQ);
  const __m512i child = _mm512_add_epi32(node, node);
  return _mm512_mask_sub_epi32(child, taken, child, _mm512_set1_epi32(-1));
}

/// The leaf that a search ends at; its low kLevels bits are the number of thresholds below.
template <int kLevels>
inline __m512i descend(const float* tree, __m512 value, __mmask16* taken) {
  __m512i node = _mm512_set1_epi32(1);
  const __m512 top = _mm512_load_ps(tree);  // levels 0 to 3; the low four bits choose
  for (int level = 0; level < 4; ++level) {
    node = step(node, _mm512_permutexvar_ps(node, top), value, taken[level]);
  }
  node = step(node, _mm512_permutexvar_ps(node, _mm512_load_ps(tree + 16)), value, taken[4]);
  node = step(node, level_entry<1>(tree + 32, node, taken), value, taken[5]);
  node = step(node, level_entry<2>(tree + 64, node, taken), value, taken[6]);
  node = step(node, level_entry<4>(tree + 128, node, taken), value, taken[7]);
  if constexpr (kLevels == 9) {
    node = step(node, level_entry<8>(tree + 256, node, taken), value, taken[8]);
  }
  return node;
}

inline __mmask16 lanes_of(std::size_t n_left) {
  return n_left >= 16 ? static_cast<__mmask16>(0xffff) : static_cast<__mmask16>((1u << n_left) - 1);
}

inline void store_bins(Bin* out, __mmask16 lanes, __m512i bins, __mmask16 missing,
                       __m512i missing_bin) {
  _mm_mask_storeu_epi8(out, lanes,
                       _mm512_cvtepi32_epi8(_mm512_mask_mov_epi32(bins, missing, missing_bin)));
}

}  // namespace

void search_cuts_avx512(const float* tree, const float* values, std::size_t n, Bin missing_bin,
                        Bin* out) {
  const __m512i missing_bins = _mm512_set1_epi32(missing_bin);
  for (std::size_t i = 0; i < n; i += 16) {
    const __mmask16 lanes = lanes_of(n - i);
    const __m512 value = _mm512_maskz_loadu_ps(lanes, values + i);
    __mmask16 taken[8];
    const __m512i leaf = descend<8>(tree, value, taken);
    const __mmask16 missing = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
    store_bins(out + i, lanes, leaf, missing, missing_bins);
  }
  _mm256_zeroupper();
}

std::size_t search_intervals_avx512(const float* tree, const float* values, std::size_t n,
                                    Bin missing_bin, Bin* out, std::uint16_t* outside) {
  const __m512i missing_bins = _mm512_set1_epi32(missing_bin);
  std::size_t n_outside = 0;
  for (std::size_t i = 0; i < n; i += 16) {
    const __mmask16 lanes = lanes_of(n - i);
    const __m512 value = _mm512_maskz_loadu_ps(lanes, values + i);
    __mmask16 taken[9];
    const __m512i leaf = descend<9>(tree, value, taken);
    const __mmask16 missing = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
    store_bins(out + i, lanes, _mm512_srli_epi32(leaf, 1), missing, missing_bins);
    // Rare: next to all values lie between two that the sample held.
    unsigned even = static_cast<unsigned>(lanes) & ~static_cast<unsigned>(taken[8] | missing);
    for (; even != 0; even &= even - 1) {
      outside[n_outside++] = static_cast<std::uint16_t>(i + _tzcnt_u32(even));
    }
  }
  _mm256_zeroupper();
  return n_outside;
}

ORCHARD_END_INSTRUCTIONS

}  // namespace orchard::data
#endif
