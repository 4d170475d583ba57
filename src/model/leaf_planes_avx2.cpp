#include "orchard/base/instruction_set.hpp"
#include "orchard/model/leaf_planes.hpp"

#if ORCHARD_HAS_X86_64
#include <immintrin.h>

ORCHARD_BEGIN_AVX2

namespace orchard::model {
namespace {

constexpr int kGroups = LeafPlanes::kRows / 32;

__m256i load(const std::uint8_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

__m256i both_halves(__m128i table) { return _mm256_broadcastsi128_si256(table); }

/// The place of the lowest bit of each byte that is not 0.
__m256i lowest_bits(__m256i bytes) {
  const __m256i low_table =
      both_halves(_mm_setr_epi8(-1, 0, 1, 0, 2, 0, 1, 0, 3, 0, 1, 0, 2, 0, 1, 0));
  const __m256i high_table =
      both_halves(_mm_setr_epi8(-1, 4, 5, 4, 6, 4, 5, 4, 7, 4, 5, 4, 6, 4, 5, 4));
  const __m256i nibble = _mm256_set1_epi8(0x0f);
  const __m256i low = _mm256_shuffle_epi8(low_table, _mm256_and_si256(bytes, nibble));
  const __m256i high_nibble = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble);
  return _mm256_min_epu8(low, _mm256_shuffle_epi8(high_table, high_nibble));
}

/// 255 for codes that are not in the set, else 0.
__m256i no_members(__m256i code, __m256i low_half, __m256i high_half) {
  const __m256i bit_table =
      both_halves(_mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128));
  const __m256i byte = _mm256_and_si256(_mm256_srli_epi16(code, 3), _mm256_set1_epi8(0x0f));
  // The sign bit of a code tells the half of the set.
  const __m256i bits = _mm256_blendv_epi8(_mm256_shuffle_epi8(low_half, byte),
                                          _mm256_shuffle_epi8(high_half, byte), code);
  const __m256i bit = _mm256_shuffle_epi8(bit_table, _mm256_and_si256(code, _mm256_set1_epi8(7)));
  return _mm256_cmpeq_epi8(_mm256_and_si256(bits, bit), _mm256_setzero_si256());
}

/// Asks the nodes of numeric splits; `kAdded` to the codes first.
template <char kAdded>
void ask(const LeafPlanes::Item* item, const LeafPlanes::Item* end, const Bin* codes,
         __m256i (&plane)[kGroups]) {
  for (; item != end; ++item) {
    const __m256i limit = _mm256_set1_epi32(static_cast<int>(item->limit));
    const __m256i keep = _mm256_set1_epi32(static_cast<int>(item->keep));
    for (int g = 0; g < kGroups; ++g) {
      __m256i code = load(codes + item->column + 32 * g);
      if constexpr (kAdded != 0) code = _mm256_add_epi8(code, _mm256_set1_epi8(kAdded));
      const __m256i is_left = _mm256_cmpeq_epi8(_mm256_min_epu8(code, limit), code);
      plane[g] = _mm256_and_si256(plane[g], _mm256_or_si256(is_left, keep));
    }
  }
}

}  // namespace

void find_leaves_avx2(const LeafPlanes& tree, const Bin* codes, std::uint8_t* out) {
  __m256i leaf[kGroups] = {};
  for (std::size_t p = tree.planes.size(); p-- > 0;) {
    const LeafPlanes::Plane& from = tree.planes[p];
    __m256i plane[kGroups];
    for (auto& group : plane) group = _mm256_set1_epi8(-1);
    ask<0>(from.items.data(), from.items.data() + from.items.size(), codes, plane);
    ask<1>(from.low_items.data(), from.low_items.data() + from.low_items.size(), codes, plane);
    const LeafPlanes::SetItem* set_item = from.sets.data();
    for (const auto* end = set_item + from.sets.size(); set_item != end; ++set_item) {
      const auto* halves = reinterpret_cast<const __m128i*>(&set_item->right);
      const __m256i low_half = both_halves(_mm_loadu_si128(halves));
      const __m256i high_half = both_halves(_mm_loadu_si128(halves + 1));
      const __m256i keep = _mm256_set1_epi32(static_cast<int>(set_item->keep));
      for (int g = 0; g < kGroups; ++g) {
        const __m256i is_left =
            no_members(load(codes + set_item->column + 32 * g), low_half, high_half);
        plane[g] = _mm256_and_si256(plane[g], _mm256_or_si256(is_left, keep));
      }
    }
    const __m256i first = _mm256_set1_epi8(static_cast<char>(8 * p));
    for (int g = 0; g < kGroups; ++g) {
      const __m256i is_empty = _mm256_cmpeq_epi8(plane[g], _mm256_setzero_si256());
      const __m256i here = _mm256_add_epi8(lowest_bits(plane[g]), first);
      leaf[g] = _mm256_blendv_epi8(here, leaf[g], is_empty);
    }
  }
  for (int g = 0; g < kGroups; ++g) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 32 * g), leaf[g]);
  }
  _mm256_zeroupper();
}

}  // namespace orchard::model

ORCHARD_END_INSTRUCTIONS
#endif
