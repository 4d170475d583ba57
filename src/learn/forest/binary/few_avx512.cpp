// Searching nodes of few rows without histograms, 64 rows at a time.

#include "forest/binary/kernels.hpp"
#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64
// GCC 12 takes the undefined operands inside its own intrinsics for our mistakes (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

ORCHARD_BEGIN_AVX512

namespace orchard::learn::binary {
namespace {

inline std::uint64_t low_bits(std::size_t n) {
  return n >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1;
}

inline std::size_t count_bits(std::uint64_t mask) {
  return static_cast<std::size_t>(_mm_popcnt_u64(mask));
}

// Lane i stands for the split below row i's bin. Row after row adds what it weighs
// to the lanes that have it at the left.

struct Lanes64 {
  using Vector = __m512i;
  using Mask = __mmask64;
  static constexpr std::size_t kLanes = 64;
  static Vector zero() { return _mm512_setzero_si512(); }
  static Vector load(const std::uint8_t* at) { return _mm512_load_si512(at); }
  static void store(std::uint8_t* at, Vector v) { _mm512_store_si512(at, v); }
  static Vector broadcast(std::uint8_t x) { return _mm512_set1_epi8(static_cast<char>(x)); }
  static Mask not_below(Vector bins, Vector bin) { return _mm512_cmpge_epu8_mask(bins, bin); }
  static Vector add(Vector sum, Mask mask, Vector x) {
    return _mm512_mask_add_epi8(sum, mask, sum, x);
  }
};

struct Lanes32 {
  using Vector = __m256i;
  using Mask = __mmask32;
  static constexpr std::size_t kLanes = 32;
  static Vector zero() { return _mm256_setzero_si256(); }
  static Vector load(const std::uint8_t* at) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(at));
  }
  static void store(std::uint8_t* at, Vector v) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(at), v);
  }
  static Vector broadcast(std::uint8_t x) { return _mm256_set1_epi8(static_cast<char>(x)); }
  static Mask not_below(Vector bins, Vector bin) { return _mm256_cmpge_epu8_mask(bins, bin); }
  static Vector add(Vector sum, Mask mask, Vector x) {
    return _mm256_mask_add_epi8(sum, mask, sum, x);
  }
};

/// What lies left of each candidate, a byte a row of the node, for each feature of a pass.
struct FewCounts {
  alignas(64) std::uint8_t bin[kFeaturesAPass][64];
  alignas(64) std::uint8_t weight[kFeaturesAPass][64];
  alignas(64) std::uint8_t positives[kFeaturesAPass][64];
  alignas(64) std::uint8_t n_rows[kFeaturesAPass][64];
  alignas(64) std::uint8_t row_weight[64];
  alignas(64) std::uint8_t row_positives[64];
  Counts missing[kFeaturesAPass];
  std::uint32_t n_missing[kFeaturesAPass];
};

inline std::uint32_t sum_bytes(__m512i bytes) {
  return static_cast<std::uint32_t>(
      _mm512_reduce_add_epi64(_mm512_sad_epu8(bytes, _mm512_setzero_si512())));
}

template <class Lanes, std::size_t kFeatures, bool kCounted>
void count_left(std::size_t n_rows, FewCounts& counts) {
  typename Lanes::Vector bins[kFeatures], weight[kFeatures], positives[kFeatures], rows[kFeatures];
  for (std::size_t k = 0; k < kFeatures; ++k) {
    bins[k] = Lanes::load(counts.bin[k]);
    weight[k] = positives[k] = rows[k] = Lanes::zero();
  }
  const auto one = Lanes::broadcast(1);
  for (std::size_t row = 0; row < n_rows; ++row) {
    const auto row_weight = Lanes::broadcast(counts.row_weight[row]);
    const auto row_positives = Lanes::broadcast(counts.row_positives[row]);
#pragma GCC unroll 5
    for (std::size_t k = 0; k < kFeatures; ++k) {
      const auto is_left = Lanes::not_below(bins[k], Lanes::broadcast(counts.bin[k][row]));
      weight[k] = Lanes::add(weight[k], is_left, row_weight);
      positives[k] = Lanes::add(positives[k], is_left, row_positives);
      if constexpr (kCounted) rows[k] = Lanes::add(rows[k], is_left, one);
    }
  }
  for (std::size_t k = 0; k < kFeatures; ++k) {
    Lanes::store(counts.weight[k], weight[k]);
    Lanes::store(counts.positives[k], positives[k]);
    if constexpr (kCounted) Lanes::store(counts.n_rows[k], rows[k]);
  }
}

inline __m256i widen(const std::uint8_t* at) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(at)));
}

/// Eight candidates: their scores, and by what equals are ordered: feature, bin, missing left.
struct Eight {
  __m512d score;
  __m512i order;

  static Eight none() { return {_mm512_set1_pd(-1.0), _mm512_setzero_si512()}; }

  void offer(__mmask8 is_legal, __m512d other, __m512i other_order) {
    const __mmask8 is_better = _mm512_mask_cmp_pd_mask(is_legal, other, score, _CMP_GT_OQ);
    score = _mm512_mask_mov_pd(score, is_better, other);
    order = _mm512_mask_mov_epi64(order, is_better, other_order);
  }
  void merge(const Eight& other) {
    const __mmask8 is_equal = _mm512_cmp_pd_mask(other.score, score, _CMP_EQ_OQ);
    const __mmask8 is_better =
        static_cast<__mmask8>(_mm512_cmp_pd_mask(other.score, score, _CMP_GT_OQ) |
                              _mm512_mask_cmplt_epu64_mask(is_equal, other.order, order));
    score = _mm512_mask_mov_pd(score, is_better, other.score);
    order = _mm512_mask_mov_epi64(order, is_better, other.order);
  }
};

template <bool kCounted>
inline void rate(const FewCounts& counts, std::size_t k, std::size_t at, const NodeCounts& node,
                 bool is_missing_left, __mmask8 lanes, Eight& best) {
  __m256i weight = widen(counts.weight[k] + at), positives = widen(counts.positives[k] + at);
  if (is_missing_left) {
    weight =
        _mm256_add_epi32(weight, _mm256_set1_epi32(static_cast<int>(counts.missing[k].weight)));
    positives = _mm256_add_epi32(positives,
                                 _mm256_set1_epi32(static_cast<int>(counts.missing[k].positives)));
  }
  const __m256i total = _mm256_set1_epi32(static_cast<int>(node.counts.weight));
  const __m256i total_positives = _mm256_set1_epi32(static_cast<int>(node.counts.positives));
  // Lanes of rows without a value have nothing at the right, or less.
  const __m256i right = _mm256_sub_epi32(total, weight);
  __mmask8 is_legal = _mm256_mask_cmpgt_epi32_mask(lanes, right, _mm256_setzero_si256());
  if constexpr (kCounted) {
    const auto moved = static_cast<int>(is_missing_left ? counts.n_missing[k] : 0);
    const __m256i n_left = _mm256_add_epi32(widen(counts.n_rows[k] + at), _mm256_set1_epi32(moved));
    const __m256i n_right =
        _mm256_sub_epi32(_mm256_set1_epi32(static_cast<int>(node.n_rows)), n_left);
    const __m256i n_least = _mm256_set1_epi32(static_cast<int>(node.n_leaf_rows));
    is_legal = _mm256_mask_cmpge_epi32_mask(is_legal, n_left, n_least);
    is_legal = _mm256_mask_cmpge_epi32_mask(is_legal, n_right, n_least);
  }
  const __m512d d = _mm512_cvtepi32_pd(_mm256_sub_epi32(
      _mm256_mullo_epi32(positives, total), _mm256_mullo_epi32(weight, total_positives)));
  const __m512d sides = _mm512_cvtepi32_pd(_mm256_mullo_epi32(weight, right));
  const __m512i bins =
      _mm512_cvtepu8_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(counts.bin[k] + at)));
  const long long base = static_cast<long long>(k << 9 | (is_missing_left ? 0 : 1));
  const __m512i order = _mm512_or_si512(_mm512_slli_epi64(bins, 1), _mm512_set1_epi64(base));
  best.offer(is_legal, _mm512_div_pd(_mm512_mul_pd(d, d), sides), order);
}

template <class Lanes, std::size_t kFeatures, bool kCounted>
Eight search_lanes(const NodeCounts& node, FewCounts& counts) {
  count_left<Lanes, kFeatures, kCounted>(node.n_rows, counts);
  Eight best = Eight::none();
  for (std::size_t at = 0; at < node.n_rows; at += 8) {
    const auto lanes = static_cast<__mmask8>(low_bits(node.n_rows - at));
    Eight eight = Eight::none();
    for (std::size_t k = 0; k < kFeatures; ++k) {
      if (counts.n_missing[k] != 0) rate<kCounted>(counts, k, at, node, true, lanes, eight);
      rate<kCounted>(counts, k, at, node, false, lanes, eight);
    }
    best.merge(eight);
  }
  return best;
}

template <class Lanes, bool kCounted>
Eight search_pass(std::size_t n_features, const NodeCounts& node, FewCounts& counts) {
  switch (n_features) {
    case 1:
      return search_lanes<Lanes, 1, kCounted>(node, counts);
    case 2:
      return search_lanes<Lanes, 2, kCounted>(node, counts);
    case 3:
      return search_lanes<Lanes, 3, kCounted>(node, counts);
    case 4:
      return search_lanes<Lanes, 4, kCounted>(node, counts);
    default:
      return search_lanes<Lanes, 5, kCounted>(node, counts);
  }
}

void start(const Code* codes, std::size_t n_rows, FewRows& few) {
  const __m512i code = _mm512_maskz_loadu_epi8(low_bits(n_rows), codes);
  const __m512i weight = _mm512_and_si512(_mm512_srli_epi16(code, 1), _mm512_set1_epi8(0x7f));
  const __mmask64 is_positive = _mm512_test_epi8_mask(code, _mm512_set1_epi8(1));
  _mm512_store_si512(few.weight, weight);
  _mm512_store_si512(few.positives, _mm512_maskz_mov_epi8(is_positive, weight));
  _mm256_zeroupper();
}

bool search(const FewRows& few, std::uint64_t rows, const NodeCounts& node,
            const FeatureIndex* features, const Bin* missing_bins, std::size_t n_features,
            Choice& best) {
  FewCounts counts;
  const __m512i weight = _mm512_maskz_compress_epi8(rows, _mm512_load_si512(few.weight));
  const __m512i positives = _mm512_maskz_compress_epi8(rows, _mm512_load_si512(few.positives));
  _mm512_store_si512(counts.row_weight, weight);
  _mm512_store_si512(counts.row_positives, positives);
  const __mmask64 lanes = low_bits(node.n_rows);
  for (std::size_t k = 0; k < n_features; ++k) {
    const Bin* column = few.columns.first + features[k] * few.columns.stride;
    const __m512i bins = _mm512_maskz_compress_epi8(rows, _mm512_loadu_si512(column));
    _mm512_store_si512(counts.bin[k], bins);
    const __mmask64 is_missing = _mm512_mask_cmpeq_epu8_mask(
        lanes, bins, _mm512_set1_epi8(static_cast<char>(missing_bins[features[k]])));
    counts.n_missing[k] = static_cast<std::uint32_t>(count_bits(is_missing));
    if (is_missing != 0) {
      counts.missing[k] = {sum_bytes(_mm512_maskz_mov_epi8(is_missing, weight)),
                           sum_bytes(_mm512_maskz_mov_epi8(is_missing, positives))};
    }
  }
  const bool is_counted = node.n_leaf_rows > 1;
  Eight eight = Eight::none();
  if (node.n_rows <= Lanes32::kLanes) {
    eight = is_counted ? search_pass<Lanes32, true>(n_features, node, counts)
                       : search_pass<Lanes32, false>(n_features, node, counts);
  } else {
    eight = is_counted ? search_pass<Lanes64, true>(n_features, node, counts)
                       : search_pass<Lanes64, false>(n_features, node, counts);
  }
  const double score = _mm512_reduce_max_pd(eight.score);
  if (score >= 0 && score > best.score) {
    const __mmask8 is_best = _mm512_cmp_pd_mask(eight.score, _mm512_set1_pd(score), _CMP_EQ_OQ);
    const auto order = static_cast<std::size_t>(_mm512_mask_reduce_min_epu64(is_best, eight.order));
    const std::size_t k = order >> 9;
    best = {score,
            features[k],
            static_cast<int>(order >> 1 & 0xff),
            counts.n_missing[k] != 0,
            (order & 1) == 0,
            {}};
  }
  _mm256_zeroupper();
  return score >= 0;
}

FewSides divide(const FewRows& few, std::uint64_t rows, const Choice& choice, Bin missing_bin) {
  const __m512i bins = _mm512_loadu_si512(few.columns.first + choice.feature * few.columns.stride);
  const __m512i last_left = _mm512_set1_epi8(static_cast<char>(choice.left_bin));
  const __m512i missing = _mm512_set1_epi8(static_cast<char>(missing_bin));
  const __mmask64 is_above = _mm512_mask_cmpgt_epu8_mask(rows, bins, last_left);
  std::uint64_t is_right = is_above;
  if (choice.is_missing_left) is_right = _mm512_mask_cmpneq_epu8_mask(is_above, bins, missing);
  FewSides sides;
  sides.left = rows & ~is_right;
  sides.left_counts = {sum_bytes(_mm512_maskz_loadu_epi8(sides.left, few.weight)),
                       sum_bytes(_mm512_maskz_loadu_epi8(sides.left, few.positives))};
  // A row without a value at the right has the missing bin, which is what it should be.
  const __m512i at_right = _mm512_mask_mov_epi8(missing, is_right, bins);
  const __m256i half =
      _mm256_min_epu8(_mm512_castsi512_si256(at_right), _mm512_extracti64x4_epi64(at_right, 1));
  const __m128i quarter =
      _mm_min_epu8(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  const __m128i pairs = _mm_min_epu8(quarter, _mm_srli_epi16(quarter, 8));
  const __m128i least = _mm_minpos_epu16(_mm_and_si128(pairs, _mm_set1_epi16(0xff)));
  sides.right_bin = _mm_cvtsi128_si32(least) & 0xffff;
  _mm256_zeroupper();
  return sides;
}

}  // namespace

const FewKernels kFewAvx512{start, search, divide};

}  // namespace orchard::learn::binary

ORCHARD_END_INSTRUCTIONS

#endif
