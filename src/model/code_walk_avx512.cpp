#include "code_walk_kernel.hpp"
#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64
#include <immintrin.h>

// GCC 12 takes the undefined registers of its own intrinsics for a fault of ours (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

ORCHARD_BEGIN_AVX512

namespace orchard::model {
namespace {

constexpr int kSteps = 2;
constexpr int kGroups = 4;

__m512i column_of(__m512i word) {
  return _mm512_and_si512(_mm512_srli_epi32(word, 8), _mm512_set1_epi32(0x7f));
}

__m512i word_at(const NarrowWalk& walk, __m512i place) {
  return _mm512_i32gather_epi32(place, walk.words, 4);
}

/// The node after the one with this word.
template <bool kMayMiss>
__m512i next_place(const NarrowWalk& walk, __m512i row_begin, __m512i word) {
  const __m512i low_byte = _mm512_set1_epi32(0xff);
  __m512i code =
      _mm512_i32gather_epi32(_mm512_add_epi32(row_begin, column_of(word)), walk.codes, 1);
  __m512i limit = word;
  if constexpr (kMayMiss) {
    const __m512i added = _mm512_and_si512(_mm512_srli_epi32(word, 15), _mm512_set1_epi32(1));
    code = _mm512_add_epi32(code, added);
    limit = _mm512_add_epi32(limit, added);
  }
  const __mmask16 is_right =
      _mm512_cmpgt_epu32_mask(_mm512_and_si512(code, low_byte), _mm512_and_si512(limit, low_byte));
  const __m512i child = _mm512_slli_epi32(_mm512_srli_epi32(word, 16), 1);
  return _mm512_mask_add_epi32(child, is_right, child, _mm512_set1_epi32(1));
}

/// The node of a leaf, from its word: an odd place has an even limit.
__m512i leaf_of(__m512i word) {
  const __m512i pair = _mm512_slli_epi32(_mm512_srli_epi32(word, 16), 1);
  return _mm512_sub_epi32(pair, _mm512_and_si512(word, _mm512_set1_epi32(1)));
}

__mmask16 first_lanes(std::size_t n) {
  return n >= 16 ? static_cast<__mmask16>(0xffff) : static_cast<__mmask16>((1u << n) - 1);
}

/// Walks that have not arrived are kept as their row and the word of their node: what a step reads
/// last tells also whether it has arrived.
template <bool kMayMiss>
void walk_all(const NarrowWalk& walk, std::size_t n_walks, NodeIndex* leaves) {
  const __m512i stride = _mm512_set1_epi32(static_cast<int>(walk.stride));
  const __m512i leaf_column = _mm512_set1_epi32(static_cast<int>(walk.leaf_column));
  for (std::size_t i = 0; i < n_walks; i += 16) {
    const __m512i place = _mm512_maskz_loadu_epi32(first_lanes(n_walks - i), walk.state + i);
    _mm512_storeu_si512(walk.state + i, word_at(walk, place));
  }
  while (n_walks > 0) {
    std::size_t n_left = 0;
    for (std::size_t i = 0; i < n_walks; i += 16 * kGroups) {
      __m512i row[kGroups], begin[kGroups], word[kGroups];
      __mmask16 is_used[kGroups];
      for (int g = 0; g < kGroups; ++g) {
        const std::size_t at = i + 16 * static_cast<std::size_t>(g);
        is_used[g] = at < n_walks ? first_lanes(n_walks - at) : static_cast<__mmask16>(0);
        row[g] = _mm512_maskz_loadu_epi32(is_used[g], walk.row + at);
        word[g] = _mm512_maskz_loadu_epi32(is_used[g], walk.state + at);
        begin[g] = _mm512_mullo_epi32(row[g], stride);
      }
      for (int k = 0; k < kSteps; ++k) {
        for (int g = 0; g < kGroups; ++g) {
          word[g] = word_at(walk, next_place<kMayMiss>(walk, begin[g], word[g]));
        }
      }
      for (int g = 0; g < kGroups; ++g) {
        const __mmask16 is_under_way =
            _mm512_mask_cmpneq_epu32_mask(is_used[g], column_of(word[g]), leaf_column);
        const auto has_arrived =
            static_cast<__mmask16>(is_used[g] & static_cast<__mmask16>(~is_under_way));
        _mm512_mask_i32scatter_epi32(leaves, has_arrived, row[g], leaf_of(word[g]), 4);
        _mm512_storeu_si512(walk.row + n_left, _mm512_maskz_compress_epi32(is_under_way, row[g]));
        _mm512_storeu_si512(walk.state + n_left,
                            _mm512_maskz_compress_epi32(is_under_way, word[g]));
        n_left += static_cast<std::size_t>(__builtin_popcount(is_under_way));
      }
    }
    n_walks = n_left;
  }
  _mm256_zeroupper();
}

}  // namespace

void walk_narrow_avx512(const NarrowWalk& walk, std::size_t n_walks, NodeIndex* leaves) {
  walk_all<false>(walk, n_walks, leaves);
}

void walk_narrow_missing_avx512(const NarrowWalk& walk, std::size_t n_walks, NodeIndex* leaves) {
  walk_all<true>(walk, n_walks, leaves);
}

}  // namespace orchard::model

ORCHARD_END_INSTRUCTIONS
#endif
