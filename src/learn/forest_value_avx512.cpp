// Searching and parting lists 8 and 64 places at a time.

#include "forest_value_kernels.hpp"
#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64
// GCC 12 takes the undefined operands inside its own intrinsics for our mistakes (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

ORCHARD_BEGIN_AVX512

namespace orchard::learn::values {
namespace {

constexpr std::size_t kLanes = 8;

/// The cells of left sides, one for each position, ready for eight at a time.
struct alignas(64) Prefix {
  __m128i cells[kMaxListed + kLanes];
};

/// `Around` in all lanes.
struct Node {
  __m512i mean;
  __m512d rest, weight;
};
inline Node broadcast(const Around& around) {
  return {_mm512_set1_epi64(around.mean), _mm512_set1_pd(around.rest),
          _mm512_set1_pd(static_cast<double>(around.weight))};
}

/// The best of each lane.
struct Lanes {
  __m512d score;
  __m512i position;
};

/// Offers eight positions, those of them in `valid`.
inline void offer(__m512i low, __m512i high, __mmask8 valid, const Node& node, __m512i position,
                  Lanes& best) {
  const __m512i even = _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0);
  const __m512i odd = _mm512_set_epi64(15, 13, 11, 9, 7, 5, 3, 1);
  const __m512i weight =
      _mm512_and_si512(_mm512_permutex2var_epi64(low, even, high), _mm512_set1_epi64(0xffffffff));
  const __m512i sum = _mm512_permutex2var_epi64(low, odd, high);
  const __m512d l = _mm512_cvtepi64_pd(weight);
  const __m512i above = _mm512_sub_epi64(sum, _mm512_mullo_epi64(weight, node.mean));
  const __m512d d = _mm512_sub_pd(_mm512_cvtepi64_pd(above), _mm512_mul_pd(l, node.rest));
  const __m512d score =
      _mm512_div_pd(_mm512_mul_pd(d, d), _mm512_mul_pd(l, _mm512_sub_pd(node.weight, l)));
  const __mmask8 wins = _mm512_mask_cmp_pd_mask(valid, score, best.score, _CMP_GT_OQ);
  best.score = _mm512_mask_mov_pd(best.score, wins, score);
  best.position = _mm512_mask_mov_epi64(best.position, wins, position);
}

inline Lanes no_lanes() {
  return {_mm512_set1_pd(-std::numeric_limits<double>::infinity()), _mm512_setzero_si512()};
}

/// Among equals the lowest position.
inline Best reduce(const Lanes& lanes, bool is_missing_left) {
  Best best;
  best.score = _mm512_reduce_max_pd(lanes.score);
  const __mmask8 ties = _mm512_cmp_pd_mask(lanes.score, _mm512_set1_pd(best.score), _CMP_EQ_OQ);
  best.position = static_cast<std::uint32_t>(_mm512_mask_reduce_min_epu64(ties, lanes.position));
  best.is_missing_left = is_missing_left;
  return best;
}

inline Best pick(const Best& right, const Best& left) {
  if (left.score != right.score) return left.score > right.score ? left : right;
  return left.position <= right.position ? left : right;
}

/// Bins without rows repeat the left side before them, and lose to it as equals do.
inline Best scan_prefix(const Prefix& prefix, std::size_t n_bins, __m128i start,
                        const Around& around, const Node& node, bool is_missing_left) {
  const __m512i first = _mm512_broadcast_i64x2(start);
  const __m512i even = _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0);
  const __m512i least = _mm512_set1_epi64(around.n_leaf_rows);
  const __m512i range = _mm512_set1_epi64(static_cast<long long>(around.n_rows) -
                                          2 * static_cast<long long>(around.n_leaf_rows));
  Lanes best = no_lanes();
  __m512i position = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
  for (std::size_t i = 0; i < n_bins; i += kLanes) {
    const __m512i low = _mm512_add_epi64(_mm512_load_si512(prefix.cells + i), first);
    const __m512i high = _mm512_add_epi64(_mm512_load_si512(prefix.cells + i + 4), first);
    const __m512i n_left = _mm512_srli_epi64(_mm512_permutex2var_epi64(low, even, high), 32);
    const __mmask8 valid = _mm512_cmple_epu64_mask(_mm512_sub_epi64(n_left, least), range);
    offer(low, high, valid, node, position, best);
    position = _mm512_add_epi64(position, _mm512_set1_epi64(kLanes));
  }
  return reduce(best, is_missing_left);
}

Best scan_cells(const Cell* cells, std::size_t n_bins, const Around& around) {
  Prefix prefix;
  __m128i left = _mm_setzero_si128();
  for (std::size_t bin = 0; bin < n_bins; ++bin) {
    left = _mm_add_epi64(left, _mm_loadu_si128(reinterpret_cast<const __m128i*>(cells + bin)));
    prefix.cells[bin] = left;
  }
  for (std::size_t i = n_bins; i % kLanes != 0; ++i) prefix.cells[i] = left;
  const Node node = broadcast(around);
  Best best = scan_prefix(prefix, n_bins, _mm_setzero_si128(), around, node, false);
  if (cells[n_bins].rows_and_weight != 0) {
    const __m128i missing = _mm_loadu_si128(reinterpret_cast<const __m128i*>(cells + n_bins));
    best = pick(best, scan_prefix(prefix, n_bins, missing, around, node, true));
  }
  _mm256_zeroupper();
  return best;
}

/// Positions [first, last] that part two bins; 64 of them a word.
struct Borders {
  __mmask64 words[kMaxListed / 64];
};

inline Best scan_places(const Prefix& prefix, const Borders& borders, std::ptrdiff_t first,
                        std::ptrdiff_t last, __m128i start, const Node& node,
                        bool is_missing_left) {
  const __m512i before = _mm512_broadcast_i64x2(start);
  const __m512i lanes = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
  Lanes best = no_lanes();
  for (std::ptrdiff_t i = first & ~std::ptrdiff_t{7}; i <= last; i += kLanes) {
    auto valid = static_cast<std::uint32_t>(borders.words[i / 64] >> (i % 64)) & 0xff;
    if (i < first) valid &= 0xffU << (first - i);
    if (last - i < 7) valid &= 0xffU >> (7 - (last - i));
    if (valid == 0) continue;
    offer(_mm512_add_epi64(_mm512_load_si512(prefix.cells + i), before),
          _mm512_add_epi64(_mm512_load_si512(prefix.cells + i + 4), before),
          static_cast<__mmask8>(valid), node, _mm512_add_epi64(_mm512_set1_epi64(i), lanes), best);
  }
  return reduce(best, is_missing_left);
}

void scan_lists(const Lists& lists, std::size_t begin, std::size_t end, const Around& around,
                Best* best) {
  const std::size_t n = end - begin;
  const auto n_rows = static_cast<std::ptrdiff_t>(n);
  const auto n_leaf = static_cast<std::ptrdiff_t>(around.n_leaf_rows);
  const Node node = broadcast(around);
  const auto* cells = reinterpret_cast<const __m128i*>(lists.cells);
  Prefix prefix;
  Borders borders;
  for (std::size_t f = 0; f < lists.n_features; ++f) {
    const std::uint8_t* numbers = lists.numbers + f * kListStride + begin;
    const Bin* bins = lists.bins + f * kListStride + begin;
    best[f].score = -std::numeric_limits<double>::infinity();
    if (bins[0] == bins[n - 1]) continue;
    __m128i left = _mm_setzero_si128();
    for (std::size_t i = 0; i < n; ++i) {
      left = _mm_add_epi64(left, _mm_loadu_si128(cells + numbers[i]));
      _mm_store_si128(prefix.cells + i, left);
    }
    for (std::size_t i = 0; i < n; i += 64) {
      borders.words[i / 64] =
          _mm512_cmpneq_epu8_mask(_mm512_loadu_si512(bins + i), _mm512_loadu_si512(bins + i + 1));
    }
    best[f] = scan_places(prefix, borders, n_leaf - 1, n_rows - 1 - n_leaf, _mm_setzero_si128(),
                          node, false);
    if (bins[n - 1] != lists.missing_bins[f]) continue;
    std::ptrdiff_t n_values = n_rows;
    while (bins[n_values - 1] == bins[n - 1]) --n_values;
    const std::ptrdiff_t n_missing = n_rows - n_values;
    const __m128i missing = _mm_sub_epi64(left, prefix.cells[n_values - 1]);
    const std::ptrdiff_t first = n_leaf - 1 - n_missing, last = n_rows - 1 - n_leaf - n_missing;
    best[f] =
        pick(best[f], scan_places(prefix, borders, first < 0 ? 0 : first,
                                  last < n_values - 2 ? last : n_values - 2, missing, node, true));
  }
  _mm256_zeroupper();
}

/// 255 or 0 of each of 64 numbers.
inline __mmask64 right_of(__m512i numbers, const __m512i* side, std::size_t n_rows) {
  if (n_rows <= 64) return _mm512_movepi8_mask(_mm512_permutexvar_epi8(numbers, side[0]));
  const __m512i low = _mm512_permutex2var_epi8(side[0], numbers, side[1]);
  if (n_rows <= 128) return _mm512_movepi8_mask(low);
  const __m512i high = _mm512_permutex2var_epi8(side[2], numbers, side[3]);
  return _mm512_movepi8_mask(_mm512_mask_mov_epi8(low, _mm512_movepi8_mask(numbers), high));
}

inline __mmask64 first_bits(std::size_t n) {
  return n >= 64 ? ~__mmask64{0} : (__mmask64{1} << n) - 1;
}

/// Appends the bytes of `from` that `keep` names.
inline std::size_t append(std::uint8_t* to, __mmask64 keep, __m512i from) {
  const auto n = static_cast<std::size_t>(_mm_popcnt_u64(keep));
  _mm512_mask_storeu_epi8(to, first_bits(n), _mm512_maskz_compress_epi8(keep, from));
  return n;
}

void part_lists(const Lists& lists, std::size_t begin, std::size_t end, const std::uint8_t* side,
                std::size_t n_left) {
  constexpr std::size_t kVectors = kMaxListed / 64;
  const std::size_t n = end - begin;
  __m512i sides[kVectors];
  for (std::size_t v = 0; v < kVectors; ++v) sides[v] = _mm512_load_si512(side + 64 * v);
  for (std::size_t f = 0; f < lists.n_features; ++f) {
    std::uint8_t* const numbers = lists.numbers + f * kListStride + begin;
    Bin* const bins = lists.bins + f * kListStride + begin;
    __m512i number[kVectors], bin[kVectors];
    const std::size_t n_vectors = (n + 63) / 64;
    for (std::size_t v = 0; v < n_vectors; ++v) {
      number[v] = _mm512_loadu_si512(numbers + 64 * v);
      bin[v] = _mm512_loadu_si512(bins + 64 * v);
    }
    std::size_t left = 0, right = n_left;
    for (std::size_t v = 0; v < n_vectors; ++v) {
      const __mmask64 here = first_bits(n - 64 * v);
      const __mmask64 is_right = right_of(number[v], sides, lists.n_rows) & here;
      append(bins + left, here & ~is_right, bin[v]);
      left += append(numbers + left, here & ~is_right, number[v]);
      append(bins + right, is_right, bin[v]);
      right += append(numbers + right, is_right, number[v]);
    }
  }
  _mm256_zeroupper();
}

}  // namespace

const Kernels kAvx512Kernels{scan_cells, scan_lists, part_lists};

}  // namespace orchard::learn::values

ORCHARD_END_INSTRUCTIONS
#endif
