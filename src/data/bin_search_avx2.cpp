#include "bin_search_kernels.hpp"
#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64
#include <immintrin.h>

namespace orchard::data {

ORCHARD_BEGIN_AVX2
namespace {

/// Entry `node` of a level of 8 kRegisters nodes: its low three bits choose within a register, the
/// next ones the register.
template <int kRegisters>
inline __m256 level_entry(const float* level, __m256i node) {
  if constexpr (kRegisters == 1) {
    return _mm256_permutevar8x32_ps(_mm256_load_ps(level), node);
  } else {
    constexpr int kBit = kRegisters == 2 ? 3 : 4;
    const __m256 left = level_entry<kRegisters / 2>(level, node);
    const __m256 right = level_entry<kRegisters / 2>(level + 4 * kRegisters, node);
    return _mm256_blendv_ps(left, right, _mm256_castsi256_ps(_mm256_slli_epi32(node, 31 - kBit)));
  }
}

inline __m256i step(__m256i node, __m256 threshold, __m256 value) {
  const __m256i is_below = _mm256_castps_si256(_mm256_cmp_ps(threshold, value, _CMP_LT_OQ));
  return _mm256_sub_epi32(_mm256_add_epi32(node, node), is_below);
}

template <int kLevels>
inline __m256i descend(const float* tree, __m256 value) {
  __m256i node = _mm256_set1_epi32(1);
  for (int level = 0; level < 3; ++level) node = step(node, level_entry<1>(tree, node), value);
  node = step(node, level_entry<1>(tree + 8, node), value);
  node = step(node, level_entry<2>(tree + 16, node), value);
  node = step(node, level_entry<4>(tree + 32, node), value);
  for (int level = 6; level < kLevels; ++level) {
    node = step(node, _mm256_i32gather_ps(tree, node, 4), value);
  }
  return node;
}

inline __m256 load(const float* values, std::size_t n_left) {
  if (n_left >= 8) return _mm256_loadu_ps(values);
  alignas(32) float lane[8] = {};
  for (std::size_t i = 0; i < n_left; ++i) lane[i] = values[i];
  return _mm256_load_ps(lane);
}

inline void store_bins(Bin* out, std::size_t n_left, __m256i bins, __m256i missing,
                       __m256i missing_bin) {
  const __m256i bytes =
      _mm256_and_si256(_mm256_blendv_epi8(bins, missing_bin, missing), _mm256_set1_epi32(0xff));
  const __m128i words =
      _mm_packus_epi32(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
  const __m128i packed = _mm_packus_epi16(words, words);
  if (n_left >= 8) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out), packed);
    return;
  }
  std::uint64_t all = static_cast<std::uint64_t>(_mm_cvtsi128_si64(packed));
  for (std::size_t i = 0; i < n_left; ++i, all >>= 8) out[i] = static_cast<Bin>(all);
}

inline __m256i is_nan(__m256 value) {
  return _mm256_castps_si256(_mm256_cmp_ps(value, value, _CMP_UNORD_Q));
}

}  // namespace

void search_cuts_avx2(const float* tree, const float* values, std::size_t n, Bin missing_bin,
                      Bin* out) {
  const __m256i missing_bins = _mm256_set1_epi32(missing_bin);
  for (std::size_t i = 0; i < n; i += 8) {
    const __m256 value = load(values + i, n - i);
    store_bins(out + i, n - i, descend<8>(tree, value), is_nan(value), missing_bins);
  }
  _mm256_zeroupper();
}

std::size_t search_intervals_avx2(const float* tree, const float* values, std::size_t n,
                                  Bin missing_bin, Bin* out, std::uint16_t* outside) {
  const __m256i missing_bins = _mm256_set1_epi32(missing_bin);
  std::size_t n_outside = 0;
  for (std::size_t i = 0; i < n; i += 8) {
    const __m256 value = load(values + i, n - i);
    const __m256i leaf = descend<9>(tree, value);
    const __m256i missing = is_nan(value);
    store_bins(out + i, n - i, _mm256_srli_epi32(leaf, 1), missing, missing_bins);
    const __m256i is_odd = _mm256_slli_epi32(leaf, 31);
    const int inside = _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_or_si256(is_odd, missing)));
    const unsigned lanes = n - i >= 8 ? 0xffu : (1u << (n - i)) - 1;
    for (unsigned even = lanes & ~static_cast<unsigned>(inside); even != 0; even &= even - 1) {
      outside[n_outside++] = static_cast<std::uint16_t>(i + _tzcnt_u32(even));
    }
  }
  _mm256_zeroupper();
  return n_outside;
}

ORCHARD_END_INSTRUCTIONS

}  // namespace orchard::data
#endif
