#pragma once
// Bringing marked bytes to the front with AVX2: a shuffle of 16 bytes, whose control is made once
// and serves every column. Empty where the processor of the build is no x86-64.

#include <array>
#include <cstdint>

#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64
#include <immintrin.h>

namespace orchard::learn::moving {

/// Controls of shuffles; 0x80 makes a 0.
struct ShuffleTables {
  /// For every mask of eight bytes: those that are marked, in order.
  alignas(64) std::uint8_t eight[256][8];
  /// Appends bytes 8 .. 15 to the first `i` bytes, and then byte 7, which is none of these.
  alignas(64) std::uint8_t joined[9][16];
};

constexpr ShuffleTables make_shuffle_tables() {
  ShuffleTables tables{};
  for (unsigned mask = 0; mask < 256; ++mask) {
    unsigned n = 0;
    for (unsigned i = 0; i < 8; ++i) {
      if ((mask >> i & 1) != 0) tables.eight[mask][n++] = static_cast<std::uint8_t>(i);
    }
    while (n < 8) tables.eight[mask][n++] = 0x80;
  }
  for (unsigned first = 0; first <= 8; ++first) {
    for (unsigned i = 0; i < 16; ++i) {
      const unsigned from = i < first ? i : 8 + i - first;
      tables.joined[first][i] = static_cast<std::uint8_t>(from < 16 ? from : 7);
    }
  }
  return tables;
}
inline constexpr ShuffleTables kShuffles = make_shuffle_tables();

ORCHARD_BEGIN_AVX2

/// Shuffles the marked bytes of 16 to the front, in order, with 0 behind them.
inline __m128i front_shuffle(unsigned mask) {
  const auto load = [](const std::uint8_t* at) {
    return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at));
  };
  const unsigned low = mask & 0xff;
  const __m128i high = _mm_add_epi8(load(kShuffles.eight[mask >> 8]), _mm_set1_epi8(8));
  const __m128i both = _mm_unpacklo_epi64(load(kShuffles.eight[low]), high);
  const auto* joined = kShuffles.joined[static_cast<unsigned>(_mm_popcnt_u32(low))];
  return _mm_shuffle_epi8(both, _mm_load_si128(reinterpret_cast<const __m128i*>(joined)));
}

ORCHARD_END_INSTRUCTIONS

}  // namespace orchard::learn::moving

#endif
