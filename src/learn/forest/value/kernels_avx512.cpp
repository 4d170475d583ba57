// Searching and parting lists 8 and 64 places at a time.

#include "forest/value/kernels.hpp"
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
constexpr std::size_t kVectors = kMaxListed / 64;

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

/// Offers eight left sides, those of them in `valid`.
inline void offer(__m512i rows_and_weight, __m512i sum, __mmask8 valid, const Node& node,
                  __m512i position, Lanes& best) {
  const __m512i weight = _mm512_and_si512(rows_and_weight, _mm512_set1_epi64(0xffffffff));
  const __m512d l = _mm512_cvtepi64_pd(weight);
  const __m512i above = _mm512_sub_epi64(sum, _mm512_mullo_epi64(weight, node.mean));
  const __m512d d = _mm512_sub_pd(_mm512_cvtepi64_pd(above), _mm512_mul_pd(l, node.rest));
  const __m512d score =
      _mm512_div_pd(_mm512_mul_pd(d, d), _mm512_mul_pd(l, _mm512_sub_pd(node.weight, l)));
  const __mmask8 wins = _mm512_mask_cmp_pd_mask(valid, score, best.score, _CMP_GT_OQ);
  best.score = _mm512_mask_mov_pd(best.score, wins, score);
  best.position = _mm512_mask_mov_epi64(best.position, wins, position);
}

/// Eight cells, apart.
struct Cells {
  __m512i rows_and_weight, sum;
};
inline Cells load_cells(const __m128i* cells, __m512i start) {
  const __m512i even = _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0);
  const __m512i odd = _mm512_set_epi64(15, 13, 11, 9, 7, 5, 3, 1);
  const __m512i low = _mm512_add_epi64(_mm512_load_si512(cells), start);
  const __m512i high = _mm512_add_epi64(_mm512_load_si512(cells + 4), start);
  return {_mm512_permutex2var_epi64(low, even, high), _mm512_permutex2var_epi64(low, odd, high)};
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

/// A left side is `start` and some bins. Bins without rows repeat the left side before them and
/// lose to it as equals do; the first ones, which repeat `start`, are left out.
inline Best scan_prefix(const Prefix& prefix, std::size_t n_bins, __m128i start,
                        const Around& around, const Node& node, bool is_missing_left) {
  const __m512i first = _mm512_broadcast_i64x2(start);
  const __m512i least = _mm512_set1_epi64(around.n_leaf_rows);
  const __m512i range = _mm512_set1_epi64(static_cast<long long>(around.n_rows) -
                                          2 * static_cast<long long>(around.n_leaf_rows));
  const __m512i n_before = _mm512_set1_epi64(_mm_cvtsi128_si64(start) >> 32);
  Lanes best = no_lanes();
  __m512i position = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
  for (std::size_t i = 0; i < n_bins; i += kLanes) {
    const Cells left = load_cells(prefix.cells + i, first);
    const __m512i n_left = _mm512_srli_epi64(left.rows_and_weight, 32);
    const __mmask8 is_new = _mm512_cmpgt_epu64_mask(n_left, n_before);
    const __mmask8 valid =
        _mm512_mask_cmple_epu64_mask(is_new, _mm512_sub_epi64(n_left, least), range);
    offer(left.rows_and_weight, left.sum, valid, node, position, best);
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

/// The left sides of one list, and which places are the last of their bin.
struct List {
  Prefix prefix;
  __mmask64 borders[kMaxListed / 64];
};

inline void read_list(const Lists& lists, std::size_t feature, std::size_t begin, std::size_t n,
                      List& list) {
  const std::uint8_t* numbers = lists.numbers + feature * kListStride + begin;
  const Bin* bins = lists.bins + feature * kListStride + begin;
  const auto* cells = reinterpret_cast<const __m128i*>(lists.cells);
  __m128i left = _mm_setzero_si128();
  for (std::size_t i = 0; i < n; ++i) {
    left = _mm_add_epi64(left, _mm_loadu_si128(cells + numbers[i]));
    _mm_store_si128(list.prefix.cells + i, left);
  }
  for (std::size_t i = 0; i < n; i += 64) {
    list.borders[i / 64] =
        _mm512_cmpneq_epu8_mask(_mm512_loadu_si512(bins + i), _mm512_loadu_si512(bins + i + 1));
  }
}

/// Offers places first .. last.
inline Lanes scan_places(const List& list, std::ptrdiff_t first, std::ptrdiff_t last, __m128i start,
                         const Node& node) {
  const __m512i before = _mm512_broadcast_i64x2(start);
  const __m512i lanes = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
  Lanes best = no_lanes();
  for (std::ptrdiff_t i = first & ~std::ptrdiff_t{7}; i <= last; i += kLanes) {
    auto valid = static_cast<std::uint32_t>(list.borders[i / 64] >> (i % 64)) & 0xff;
    if (i < first) valid &= 0xffU << (first - i);
    if (last - i < 7) valid &= 0xffU >> (7 - (last - i));
    const Cells left = load_cells(list.prefix.cells + i, before);
    offer(left.rows_and_weight, left.sum, static_cast<__mmask8>(valid), node,
          _mm512_add_epi64(_mm512_set1_epi64(i), lanes), best);
  }
  return best;
}

/// A position with missing at the left.
constexpr std::uint64_t kMissingLeft = std::uint64_t{1} << 32;

/// With missing at either side. `lanes` is what it gives at the right.
Lanes scan_missing(const Lists& lists, std::size_t feature, std::size_t begin, std::size_t n,
                   const Around& around, const Node& node, const List& list, const Lanes& lanes) {
  const Bin* bins = lists.bins + feature * kListStride + begin;
  std::size_t n_values = n;
  while (n_values > 0 && bins[n_values - 1] == bins[n - 1]) --n_values;
  if (n_values == 0) return lanes;
  const auto n_missing = static_cast<std::ptrdiff_t>(n - n_values);
  const auto n_leaf = static_cast<std::ptrdiff_t>(around.n_leaf_rows);
  const std::ptrdiff_t first = n_leaf - 1 - n_missing;
  const std::ptrdiff_t last = static_cast<std::ptrdiff_t>(n) - 1 - n_leaf - n_missing;
  const std::ptrdiff_t last_value = static_cast<std::ptrdiff_t>(n_values) - 2;
  const __m128i missing = _mm_sub_epi64(list.prefix.cells[n - 1], list.prefix.cells[n_values - 1]);
  const Lanes left = scan_places(list, first < 0 ? 0 : first, last < last_value ? last : last_value,
                                 missing, node);
  const Best best = pick(reduce(lanes, false), reduce(left, true));
  const std::uint64_t position = best.position | (best.is_missing_left ? kMissingLeft : 0);
  return {_mm512_mask_mov_pd(no_lanes().score, 1, _mm512_set1_pd(best.score)),
          _mm512_set1_epi64(static_cast<long long>(position))};
}

inline Lanes scan_list(const Lists& lists, std::size_t feature, std::size_t begin, std::size_t n,
                       const Around& around, const Node& node, const List& list) {
  const auto n_leaf = static_cast<std::ptrdiff_t>(around.n_leaf_rows);
  const Lanes best = scan_places(list, n_leaf - 1, static_cast<std::ptrdiff_t>(n) - 1 - n_leaf,
                                 _mm_setzero_si128(), node);
  if (lists.bins[feature * kListStride + begin + n - 1] != lists.missing_bins[feature]) return best;
  return scan_missing(lists, feature, begin, n, around, node, list, best);
}

inline Winner make_winner(std::size_t feature, std::uint64_t position) {
  Winner winner;
  winner.feature = static_cast<FeatureIndex>(feature);
  winner.position = static_cast<std::uint32_t>(position);
  winner.is_missing_left = (position & kMissingLeft) != 0;
  return winner;
}

/// One feature after the other, eight places at a time. A list is read before the one before it is
/// searched: what is stored by halves is better not loaded at once.
std::size_t scan_long_lists(const Lists& lists, std::size_t begin, std::size_t n,
                            const Around& around, Winner* winners) {
  const Node node = broadcast(around);
  List list[2];
  __m512d greatest = no_lanes().score;
  read_list(lists, 0, begin, n, list[0]);
  for (std::size_t f = 0; f < lists.n_features; ++f) {
    if (f + 1 < lists.n_features) read_list(lists, f + 1, begin, n, list[(f + 1) % 2]);
    const Lanes best = scan_list(lists, f, begin, n, around, node, list[f % 2]);
    greatest = _mm512_max_pd(greatest, best.score);
    _mm512_store_pd(lists.scores + f * kLanes, best.score);
    _mm512_store_si512(lists.positions + f * kLanes, best.position);
  }
  const double score = _mm512_reduce_max_pd(greatest);
  if (score == -std::numeric_limits<double>::infinity()) return 0;
  std::size_t n_winners = 0;
  for (std::size_t f = 0; f < lists.n_features; ++f) {
    const __mmask8 ties = _mm512_cmp_pd_mask(_mm512_load_pd(lists.scores + f * kLanes),
                                             _mm512_set1_pd(score), _CMP_EQ_OQ);
    if (ties == 0) continue;
    const __m512i positions = _mm512_load_si512(lists.positions + f * kLanes);
    winners[n_winners++] = make_winner(f, _mm512_mask_reduce_min_epu64(ties, positions));
  }
  return n_winners;
}

/// A node of at most eight rows: they are renumbered, so that their cells lie in two registers.
struct ShortNode {
  __m512i numbers[kLanes];       ///< the old number of each row, in every byte
  __m512i rows_and_weight, sum;  ///< by new number
};

inline ShortNode read_short(const Lists& lists, std::size_t begin, std::size_t n) {
  ShortNode out;
  for (std::size_t i = 0; i < kLanes; ++i) {
    out.numbers[i] = _mm512_set1_epi8(static_cast<char>(lists.numbers[begin + i]));
  }
  const __m512i numbers = _mm512_cvtepu8_epi64(
      _mm_loadl_epi64(reinterpret_cast<const __m128i*>(lists.numbers + begin)));
  const __m512i at = _mm512_slli_epi64(numbers, 1);
  const auto rows = static_cast<__mmask8>((1U << n) - 1);
  const __m512i zero = _mm512_setzero_si512();
  out.rows_and_weight =
      _mm512_mask_i64gather_epi64(zero, rows, at, &lists.cells->rows_and_weight, 8);
  out.sum = _mm512_mask_i64gather_epi64(zero, rows, at, &lists.cells->sum, 8);
  return out;
}

/// Eight bytes each of the lists of eight features.
inline __m512i gather_lists(const std::uint8_t* lists) {
  const __m512i lanes = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
  return _mm512_i64gather_epi64(_mm512_mullo_epi64(lanes, _mm512_set1_epi64(kListStride)), lists,
                                1);
}

/// Eight features at once, place after place.
std::size_t scan_short_lists(const Lists& lists, std::size_t begin, std::size_t n,
                             const Around& around, Winner* winners) {
  const Node node = broadcast(around);
  const ShortNode rows = read_short(lists, begin, n);
  __m512d greatest = no_lanes().score;
  for (std::size_t f = 0; f < lists.n_features; f += kFeaturesAGroup) {
    const std::size_t at = f * kListStride + begin;
    const __m512i numbers = gather_lists(lists.numbers + at);
    const __m512i bins = gather_lists(lists.bins + at);
    const std::size_t n_left = lists.n_features - f;
    const auto features = static_cast<__mmask8>(n_left < 8 ? (1U << n_left) - 1 : 0xff);
    __m512i order = _mm512_setzero_si512();
    for (std::size_t i = 1; i < n; ++i) {
      order = _mm512_mask_mov_epi8(order, _mm512_cmpeq_epi8_mask(numbers, rows.numbers[i]),
                                   _mm512_set1_epi8(static_cast<char>(i)));
    }
    const __mmask64 borders = _mm512_cmpneq_epu8_mask(bins, _mm512_srli_epi64(bins, 8));
    Lanes best = no_lanes();
    __m512i rows_and_weight = _mm512_setzero_si512(), sum = _mm512_setzero_si512();
    for (std::size_t i = 0; i + 1 < n; ++i) {
      rows_and_weight =
          _mm512_add_epi64(rows_and_weight, _mm512_permutexvar_epi64(order, rows.rows_and_weight));
      sum = _mm512_add_epi64(sum, _mm512_permutexvar_epi64(order, rows.sum));
      order = _mm512_srli_epi64(order, 8);
      if (i + 1 < around.n_leaf_rows || n - i - 1 < around.n_leaf_rows) continue;
      const auto valid = static_cast<__mmask8>(
          _pext_u64(borders, std::uint64_t{0x0101010101010101} << i) & features);
      offer(rows_and_weight, sum, valid, node, _mm512_set1_epi64(static_cast<long long>(i)), best);
    }
    const __m512i last_bins = _mm512_and_si512(
        _mm512_srli_epi64(bins, static_cast<unsigned>(8 * (n - 1))), _mm512_set1_epi64(255));
    const __m512i missing_bins = _mm512_cvtepu8_epi64(
        _mm_loadl_epi64(reinterpret_cast<const __m128i*>(lists.missing_bins + f)));
    std::uint32_t missing = _mm512_mask_cmpeq_epi64_mask(features, last_bins, missing_bins);
    for (; missing != 0; missing &= missing - 1) {
      const unsigned lane = _tzcnt_u32(missing);
      List list;
      read_list(lists, f + lane, begin, n, list);
      const Lanes one = scan_list(lists, f + lane, begin, n, around, node, list);
      const auto here = static_cast<__mmask8>(1U << lane);
      const double found = _mm512_reduce_max_pd(one.score);
      const __mmask8 ties = _mm512_cmp_pd_mask(one.score, _mm512_set1_pd(found), _CMP_EQ_OQ);
      best.score = _mm512_mask_mov_pd(best.score, here, _mm512_set1_pd(found));
      best.position = _mm512_mask_mov_epi64(best.position, here,
                                            _mm512_set1_epi64(static_cast<long long>(
                                                _mm512_mask_reduce_min_epu64(ties, one.position))));
    }
    greatest = _mm512_max_pd(greatest, best.score);
    _mm512_store_pd(lists.scores + f, best.score);
    _mm512_store_si512(lists.positions + f, best.position);
  }
  const double score = _mm512_reduce_max_pd(greatest);
  if (score == -std::numeric_limits<double>::infinity()) return 0;
  std::size_t n_winners = 0;
  for (std::size_t f = 0; f < lists.n_features; f += kFeaturesAGroup) {
    std::uint32_t ties =
        _mm512_cmp_pd_mask(_mm512_load_pd(lists.scores + f), _mm512_set1_pd(score), _CMP_EQ_OQ);
    for (; ties != 0; ties &= ties - 1) {
      const std::size_t feature = f + _tzcnt_u32(ties);
      winners[n_winners++] = make_winner(feature, lists.positions[feature]);
    }
  }
  return n_winners;
}

std::size_t scan_lists(const Lists& lists, std::size_t begin, std::size_t end, const Around& around,
                       Winner* winners) {
  const std::size_t n = end - begin;
  const std::size_t n_winners = n <= kLanes ? scan_short_lists(lists, begin, n, around, winners)
                                            : scan_long_lists(lists, begin, n, around, winners);
  _mm256_zeroupper();
  return n_winners;
}

/// 255 or 0 of each of 64 numbers.
inline __m512i side_of(__m512i numbers, const __m512i* side, std::size_t n_rows) {
  if (n_rows <= 64) return _mm512_permutexvar_epi8(numbers, side[0]);
  const __m512i low = _mm512_permutex2var_epi8(side[0], numbers, side[1]);
  if (n_rows <= 128) return low;
  const __m512i high = _mm512_permutex2var_epi8(side[2], numbers, side[3]);
  return _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(numbers), high);
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

void part_long_lists(const Lists& lists, std::size_t begin, std::size_t n, const __m512i* side,
                     std::size_t n_left) {
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
      const __mmask64 is_right = _mm512_movepi8_mask(side_of(number[v], side, lists.n_rows)) & here;
      append(bins + left, here & ~is_right, bin[v]);
      left += append(numbers + left, here & ~is_right, number[v]);
      append(bins + right, is_right, bin[v]);
      right += append(numbers + right, is_right, number[v]);
    }
  }
}

/// The first n bytes of the eight at `at` in their new order, those after them as they are.
inline void part_eight(std::uint8_t* at, std::uint64_t left, std::uint64_t right,
                       std::size_t n_left) {
  std::uint64_t bytes;
  __builtin_memcpy(&bytes, at, 8);
  const std::uint64_t parted = _pext_u64(bytes, left) | _pext_u64(bytes, right) << (8 * n_left);
  bytes = (bytes & ~(left | right)) | parted;
  __builtin_memcpy(at, &bytes, 8);
}

/// At most eight rows: a list is a word.
void part_short_lists(const Lists& lists, std::size_t begin, std::size_t n, const __m512i* side,
                      std::size_t n_left) {
  const std::uint64_t here = ~std::uint64_t{0} >> (64 - 8 * n);
  for (std::size_t f = 0; f < lists.n_features; f += kFeaturesAGroup) {
    std::uint8_t* const numbers = lists.numbers + f * kListStride + begin;
    Bin* const bins = lists.bins + f * kListStride + begin;
    alignas(64) std::uint64_t right[kFeaturesAGroup];
    _mm512_store_si512(right, side_of(gather_lists(numbers), side, lists.n_rows));
    for (std::size_t i = 0; i < kFeaturesAGroup; ++i) {
      const std::uint64_t goes_right = right[i] & here, goes_left = ~right[i] & here;
      part_eight(numbers + i * kListStride, goes_left, goes_right, n_left);
      part_eight(bins + i * kListStride, goes_left, goes_right, n_left);
    }
  }
}

void part_lists(const Lists& lists, std::size_t begin, std::size_t end, const std::uint8_t* side,
                std::size_t n_left) {
  const std::size_t n = end - begin;
  __m512i sides[kVectors];
  for (std::size_t v = 0; v < kVectors; ++v) sides[v] = _mm512_load_si512(side + 64 * v);
  n <= kLanes ? part_short_lists(lists, begin, n, sides, n_left)
              : part_long_lists(lists, begin, n, sides, n_left);
  _mm256_zeroupper();
}

}  // namespace

const Kernels kAvx512Kernels{scan_cells, scan_lists, part_lists};

}  // namespace orchard::learn::values

ORCHARD_END_INSTRUCTIONS
#endif
