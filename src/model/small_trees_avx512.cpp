#include "orchard/base/instruction_set.hpp"
#include "small_trees.hpp"

#if ORCHARD_HAS_X86_64
#include <immintrin.h>

// GCC 12 takes the undefined registers of its own intrinsics for a fault of ours (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

ORCHARD_BEGIN_AVX512

namespace orchard::model {

void add_value_bytes_avx512(const std::uint8_t* value_bytes, std::size_t n_bytes,
                            const std::uint8_t* leaves, ByteSums& sums) {
  constexpr int kGroups = LeafPlanes::kRows / 64;
  __m512i leaf[kGroups];
  for (int g = 0; g < kGroups; ++g) leaf[g] = _mm512_loadu_si512(leaves + 64 * g);
  for (std::size_t b = 0; b < n_bytes; ++b) {
    const __m512i table = _mm512_loadu_si512(value_bytes + b * LeafPlanes::kMaxLeaves);
    for (int g = 0; g < kGroups; ++g) {
      const __m512i bytes = _mm512_permutexvar_epi8(leaf[g], table);
      auto* mixed = sums.mixed[b] + 32 * g;
      auto* odd = sums.odd[b] + 32 * g;
      _mm512_storeu_si512(mixed, _mm512_add_epi16(_mm512_loadu_si512(mixed), bytes));
      _mm512_storeu_si512(odd,
                          _mm512_add_epi16(_mm512_loadu_si512(odd), _mm512_srli_epi16(bytes, 8)));
    }
  }
  _mm256_zeroupper();
}

}  // namespace orchard::model

ORCHARD_END_INSTRUCTIONS
#endif
