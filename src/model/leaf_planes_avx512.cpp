#include "orchard/base/instruction_set.hpp"
#include "orchard/model/leaf_planes.hpp"

#if ORCHARD_HAS_X86_64
#include <immintrin.h>

// GCC 12 takes the undefined registers of its own intrinsics for a fault of ours (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

ORCHARD_BEGIN_AVX512

namespace orchard::model {
namespace {

constexpr int kGroups = LeafPlanes::kRows / 64;

/// The place of the lowest bit of each byte that is not 0.
__m512i lowest_bits(__m512i bytes) {
  const __m512i low_table =
      _mm512_broadcast_i32x4(_mm_setr_epi8(-1, 0, 1, 0, 2, 0, 1, 0, 3, 0, 1, 0, 2, 0, 1, 0));
  const __m512i high_table =
      _mm512_broadcast_i32x4(_mm_setr_epi8(-1, 4, 5, 4, 6, 4, 5, 4, 7, 4, 5, 4, 6, 4, 5, 4));
  const __m512i nibble = _mm512_set1_epi8(0x0f);
  const __m512i low = _mm512_shuffle_epi8(low_table, _mm512_and_si512(bytes, nibble));
  const __m512i high_nibble = _mm512_and_si512(_mm512_srli_epi16(bytes, 4), nibble);
  return _mm512_min_epu8(low, _mm512_shuffle_epi8(high_table, high_nibble));
}

/// plane where not `is_right`, else plane & keep.
__m512i rule_out(__m512i plane, __mmask64 is_right, __m512i keep) {
  return _mm512_ternarylogic_epi32(plane, _mm512_movm_epi8(is_right), keep, 0xb0);
}

/// Whether each code is in the set.
__mmask64 is_member(__m512i code, __m512i set) {
  const __m512i bit_table = _mm512_broadcast_i32x4(
      _mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128));
  const __m512i byte = _mm512_and_si512(_mm512_srli_epi16(code, 3), _mm512_set1_epi8(0x1f));
  const __m512i bit = _mm512_shuffle_epi8(bit_table, _mm512_and_si512(code, _mm512_set1_epi8(7)));
  return _mm512_test_epi8_mask(_mm512_permutexvar_epi8(byte, set), bit);
}

/// Asks the nodes of numeric splits; `kAdded` to the codes first.
template <char kAdded>
void ask(const LeafPlanes::Item* item, const LeafPlanes::Item* end, const Bin* codes,
         __m512i (&plane)[kGroups]) {
  for (; item != end; ++item) {
    const __m512i limit = _mm512_set1_epi32(static_cast<int>(item->limit));
    const __m512i keep = _mm512_set1_epi32(static_cast<int>(item->keep));
    for (int g = 0; g < kGroups; ++g) {
      __m512i code = _mm512_loadu_si512(codes + item->column + 64 * g);
      if constexpr (kAdded != 0) code = _mm512_add_epi8(code, _mm512_set1_epi8(kAdded));
      plane[g] = rule_out(plane[g], _mm512_cmpgt_epu8_mask(code, limit), keep);
    }
  }
}

}  // namespace

void find_leaves_avx512(const LeafPlanes& tree, const Bin* codes, std::uint8_t* out) {
  __m512i leaf[kGroups] = {};
  for (std::size_t p = tree.planes.size(); p-- > 0;) {
    const LeafPlanes::Plane& from = tree.planes[p];
    __m512i plane[kGroups];
    for (auto& group : plane) group = _mm512_set1_epi8(-1);
    ask<0>(from.items.data(), from.items.data() + from.items.size(), codes, plane);
    ask<1>(from.low_items.data(), from.low_items.data() + from.low_items.size(), codes, plane);
    const LeafPlanes::SetItem* set_item = from.sets.data();
    for (const auto* end = set_item + from.sets.size(); set_item != end; ++set_item) {
      const __m512i set = _mm512_broadcast_i64x4(
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(&set_item->right)));
      const __m512i keep = _mm512_set1_epi32(static_cast<int>(set_item->keep));
      for (int g = 0; g < kGroups; ++g) {
        const __m512i code = _mm512_loadu_si512(codes + set_item->column + 64 * g);
        plane[g] = rule_out(plane[g], is_member(code, set), keep);
      }
    }
    const __m512i first = _mm512_set1_epi8(static_cast<char>(8 * p));
    for (int g = 0; g < kGroups; ++g) {
      leaf[g] = _mm512_mask_add_epi8(leaf[g], _mm512_test_epi8_mask(plane[g], plane[g]),
                                     lowest_bits(plane[g]), first);
    }
  }
  for (int g = 0; g < kGroups; ++g) _mm512_storeu_si512(out + 64 * g, leaf[g]);
  _mm256_zeroupper();
}

}  // namespace orchard::model

ORCHARD_END_INSTRUCTIONS
#endif
