// Searching nodes of few rows without histograms, 16, 32 or 64 rows at a time.

#include "forest/binary/kernels.hpp"
#include "forest/moving/compress_avx2.hpp"

#if ORCHARD_HAS_X86_64

ORCHARD_BEGIN_AVX2

namespace orchard::learn::binary {
namespace {

inline std::uint64_t low_bits(std::size_t n) {
  return n >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1;
}

inline __m256i load(const std::uint8_t* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}
inline void store(std::uint8_t* at, __m256i x) {
  _mm256_store_si256(reinterpret_cast<__m256i*>(at), x);
}
inline __m256i broadcast(std::uint8_t x) { return _mm256_set1_epi8(static_cast<char>(x)); }

/// 255 where a bit is set.
inline __m256i bytes_of(std::uint32_t mask) {
  const __m256i spread = _mm256_setr_epi64x(0x0000000000000000, 0x0101010101010101,
                                            0x0202020202020202, 0x0303030303030303);
  const __m256i own = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201));
  const __m256i bits = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(mask)), spread);
  return _mm256_cmpeq_epi8(_mm256_and_si256(bits, own), own);
}
inline std::uint32_t bits_of(__m256i bytes) {
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes));
}
/// 255 where bin >= other, which has no comparison of its own.
inline __m256i not_below(__m256i bins, __m256i other) {
  return _mm256_cmpeq_epi8(_mm256_max_epu8(bins, other), bins);
}

inline std::uint32_t sum_bytes(__m256i low, __m256i high) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i four = _mm256_add_epi64(_mm256_sad_epu8(low, zero), _mm256_sad_epu8(high, zero));
  const __m128i two =
      _mm_add_epi64(_mm256_castsi256_si128(four), _mm256_extracti128_si256(four, 1));
  return static_cast<std::uint32_t>(_mm_cvtsi128_si32(two) + _mm_extract_epi32(two, 2));
}

// Lane i stands for the split below row i's bin. Row after row adds what it weighs to the lanes
// that have it at the left.

/// 16 rows: weights in the lower half, positives in the upper one.
struct Lanes16 {
  struct Row {
    __m256i both;
  };
  struct Sums {
    __m256i both;
  };
  static constexpr std::size_t kLanes = 16;
  static constexpr std::size_t kVectors = 1;
  static __m256i load_bins(const std::uint8_t* at, std::size_t) {
    return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(at)));
  }
  static Row row(std::uint8_t weight, std::uint8_t positives) {
    return {_mm256_blend_epi32(broadcast(weight), broadcast(positives), 0xf0)};
  }
  static Sums zero() { return {_mm256_setzero_si256()}; }
  static void add(Sums& sums, __m256i is_left, const Row& row) {
    sums.both = _mm256_add_epi8(sums.both, _mm256_and_si256(is_left, row.both));
  }
  static void store_sums(std::uint8_t* weight, std::uint8_t* positives, const Sums& sums) {
    _mm_store_si128(reinterpret_cast<__m128i*>(weight), _mm256_castsi256_si128(sums.both));
    _mm_store_si128(reinterpret_cast<__m128i*>(positives), _mm256_extracti128_si256(sums.both, 1));
  }
};

/// 32 rows a vector.
template <std::size_t kVectorsOf32>
struct WideLanes {
  struct Row {
    __m256i weight, positives;
  };
  using Sums = Row;
  static constexpr std::size_t kLanes = 32;
  static constexpr std::size_t kVectors = kVectorsOf32;
  static __m256i load_bins(const std::uint8_t* at, std::size_t vector) {
    return load(at + vector * kLanes);
  }
  static Row row(std::uint8_t weight, std::uint8_t positives) {
    return {broadcast(weight), broadcast(positives)};
  }
  static Sums zero() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
  static void add(Sums& sums, __m256i is_left, const Row& row) {
    sums.weight = _mm256_add_epi8(sums.weight, _mm256_and_si256(is_left, row.weight));
    sums.positives = _mm256_add_epi8(sums.positives, _mm256_and_si256(is_left, row.positives));
  }
  static void store_sums(std::uint8_t* weight, std::uint8_t* positives, const Sums& sums) {
    store(weight, sums.weight);
    store(positives, sums.positives);
  }
};

/// What lies left of each candidate, a byte a row of the node, for each feature of a pass.
struct FewCounts {
  alignas(64) std::uint8_t bin[kFeaturesAPass][kFewRows + 16];
  alignas(64) std::uint8_t weight[kFeaturesAPass][kFewRows];
  alignas(64) std::uint8_t positives[kFeaturesAPass][kFewRows];
  alignas(64) std::uint8_t n_rows[kFeaturesAPass][kFewRows];
  alignas(64) std::uint8_t row_weight[kFewRows + 16];
  alignas(64) std::uint8_t row_positives[kFewRows + 16];
  Counts missing[kFeaturesAPass];
  std::uint32_t n_missing[kFeaturesAPass];
};

template <class Lanes, bool kCounted>
inline void count_left(std::size_t k, std::size_t n_rows, FewCounts& counts) {
  const __m256i one = _mm256_set1_epi8(-1);
  for (std::size_t vector = 0; vector < Lanes::kVectors; ++vector) {
    const __m256i bins = Lanes::load_bins(counts.bin[k], vector);
    auto sums = Lanes::zero();
    __m256i rows = _mm256_setzero_si256();
    for (std::size_t row = 0; row < n_rows; ++row) {
      const __m256i is_left = not_below(bins, broadcast(counts.bin[k][row]));
      Lanes::add(sums, is_left, Lanes::row(counts.row_weight[row], counts.row_positives[row]));
      if constexpr (kCounted) rows = _mm256_sub_epi8(rows, _mm256_and_si256(is_left, one));
    }
    const std::size_t at = vector * Lanes::kLanes;
    Lanes::store_sums(counts.weight[k] + at, counts.positives[k] + at, sums);
    if constexpr (kCounted) store(counts.n_rows[k] + at, rows);
  }
}

/// The same for some features at once, whose rows' weights are then loaded once.
template <class Lanes, std::size_t kFeatures>
inline void count_left_of(std::size_t first, std::size_t n_rows, FewCounts& counts) {
  static_assert(Lanes::kVectors == 1);
  __m256i bins[kFeatures];
  typename Lanes::Sums sums[kFeatures];
  for (std::size_t k = 0; k < kFeatures; ++k) {
    bins[k] = Lanes::load_bins(counts.bin[first + k], 0);
    sums[k] = Lanes::zero();
  }
  for (std::size_t row = 0; row < n_rows; ++row) {
    const auto own = Lanes::row(counts.row_weight[row], counts.row_positives[row]);
#pragma GCC unroll 5
    for (std::size_t k = 0; k < kFeatures; ++k) {
      Lanes::add(sums[k], not_below(bins[k], broadcast(counts.bin[first + k][row])), own);
    }
  }
  for (std::size_t k = 0; k < kFeatures; ++k) {
    Lanes::store_sums(counts.weight[first + k], counts.positives[first + k], sums[k]);
  }
}

template <class Lanes, bool kCounted>
void count_all(std::size_t n_features, std::size_t n_rows, FewCounts& counts) {
  std::size_t k = 0;
  if constexpr (!kCounted && Lanes::kVectors == 1) {
    if (Lanes::kLanes == 16 && n_features == 5) return count_left_of<Lanes, 5>(0, n_rows, counts);
    for (; k + 2 <= n_features; k += 2) count_left_of<Lanes, 2>(k, n_rows, counts);
  }
  for (; k < n_features; ++k) count_left<Lanes, kCounted>(k, n_rows, counts);
}

inline __m256i widen(const std::uint8_t* at) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(at)));
}

/// Four candidates: their scores, and by what equals are ordered: feature, bin, missing left.
struct Four {
  __m256d score;
  __m256i order;

  static Four none() { return {_mm256_set1_pd(-1.0), _mm256_setzero_si256()}; }

  void take(const Four& other, __m256d is_better) {
    score = _mm256_blendv_pd(score, other.score, is_better);
    order = _mm256_castpd_si256(
        _mm256_blendv_pd(_mm256_castsi256_pd(order), _mm256_castsi256_pd(other.order), is_better));
  }
  void offer(__m128i is_legal, const Four& other) {
    take(other, _mm256_and_pd(_mm256_castsi256_pd(_mm256_cvtepi32_epi64(is_legal)),
                              _mm256_cmp_pd(other.score, score, _CMP_GT_OQ)));
  }
  void merge(const Four& other) {
    const __m256d is_before = _mm256_castsi256_pd(_mm256_cmpgt_epi64(order, other.order));
    const __m256d is_equal = _mm256_cmp_pd(other.score, score, _CMP_EQ_OQ);
    take(other, _mm256_or_pd(_mm256_cmp_pd(other.score, score, _CMP_GT_OQ),
                             _mm256_and_pd(is_equal, is_before)));
  }
};

/// Offers eight candidates of one feature, of rows `at` on: four to each of `best`.
template <bool kCounted>
inline void rate(const FewCounts& counts, std::size_t k, std::size_t at, const NodeCounts& node,
                 bool is_missing_left, Four best[2]) {
  __m256i weight = widen(counts.weight[k] + at), positives = widen(counts.positives[k] + at);
  if (is_missing_left) {
    weight =
        _mm256_add_epi32(weight, _mm256_set1_epi32(static_cast<int>(counts.missing[k].weight)));
    positives = _mm256_add_epi32(positives,
                                 _mm256_set1_epi32(static_cast<int>(counts.missing[k].positives)));
  }
  const auto total = static_cast<int>(node.counts.weight);
  const auto total_positives = static_cast<int>(node.counts.positives);
  // Lanes of rows without a value have nothing at the right, or less.
  const __m256i right = _mm256_sub_epi32(_mm256_set1_epi32(total), weight);
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i n_lanes = _mm256_set1_epi32(static_cast<int>(node.n_rows - at));
  __m256i is_legal = _mm256_and_si256(_mm256_cmpgt_epi32(right, _mm256_setzero_si256()),
                                      _mm256_cmpgt_epi32(n_lanes, lane));
  if constexpr (kCounted) {
    const auto moved = static_cast<int>(is_missing_left ? counts.n_missing[k] : 0);
    const __m256i n_left = _mm256_add_epi32(widen(counts.n_rows[k] + at), _mm256_set1_epi32(moved));
    const __m256i n_right =
        _mm256_sub_epi32(_mm256_set1_epi32(static_cast<int>(node.n_rows)), n_left);
    const __m256i n_least = _mm256_set1_epi32(static_cast<int>(node.n_leaf_rows));
    is_legal = _mm256_andnot_si256(_mm256_cmpgt_epi32(n_least, n_left), is_legal);
    is_legal = _mm256_andnot_si256(_mm256_cmpgt_epi32(n_least, n_right), is_legal);
  }
  // All factors are below 2^15, so that pairs of them make the exact products.
  const __m256i contrast = _mm256_madd_epi16(
      _mm256_or_si256(positives, _mm256_slli_epi32(weight, 16)),
      _mm256_set1_epi32(static_cast<int>(static_cast<std::uint32_t>(total) |
                                         static_cast<std::uint32_t>(-total_positives) << 16)));
  const __m256i sides = _mm256_madd_epi16(weight, right);
  const __m256i order =
      _mm256_or_si256(_mm256_slli_epi32(widen(counts.bin[k] + at), 1),
                      _mm256_set1_epi32(static_cast<int>(k << 9 | (is_missing_left ? 0 : 1))));
  const auto offer = [](__m128i legal, __m128i difference, __m128i product, __m128i place,
                        Four& to) {
    const __m256d d = _mm256_cvtepi32_pd(difference);
    const __m256d score = _mm256_div_pd(_mm256_mul_pd(d, d), _mm256_cvtepi32_pd(product));
    to.offer(legal, {score, _mm256_cvtepi32_epi64(place)});
  };
  offer(_mm256_castsi256_si128(is_legal), _mm256_castsi256_si128(contrast),
        _mm256_castsi256_si128(sides), _mm256_castsi256_si128(order), best[0]);
  if (node.n_rows - at <= 4) return;
  offer(_mm256_extracti128_si256(is_legal, 1), _mm256_extracti128_si256(contrast, 1),
        _mm256_extracti128_si256(sides, 1), _mm256_extracti128_si256(order, 1), best[1]);
}

template <bool kCounted>
Four search_counts(std::size_t n_features, const NodeCounts& node, FewCounts& counts) {
  if (node.n_rows <= Lanes16::kLanes && !kCounted) {
    count_all<Lanes16, kCounted>(n_features, node.n_rows, counts);
  } else if (node.n_rows <= 32) {
    count_all<WideLanes<1>, kCounted>(n_features, node.n_rows, counts);
  } else {
    count_all<WideLanes<2>, kCounted>(n_features, node.n_rows, counts);
  }
  Four best = Four::none();
  for (std::size_t at = 0; at < node.n_rows; at += 8) {
    Four eight[2] = {Four::none(), Four::none()};
    for (std::size_t k = 0; k < n_features; ++k) {
      if (counts.n_missing[k] != 0) rate<kCounted>(counts, k, at, node, true, eight);
      rate<kCounted>(counts, k, at, node, false, eight);
    }
    best.merge(eight[0]);
    best.merge(eight[1]);
  }
  return best;
}

/// Brings the rows of a subset to the front.
class Fronts {
 public:
  explicit Fronts(std::uint64_t rows) {
    for (std::size_t i = 0; i < 4; ++i, rows >>= 16) {
      const auto mask = static_cast<unsigned>(rows & 0xffff);
      if (mask == 0) continue;
      from_[n_] = static_cast<std::uint32_t>(i * 16);
      to_[n_] = n_rows_;
      shuffle_[n_++] = moving::front_shuffle(mask);
      n_rows_ += static_cast<std::uint32_t>(_mm_popcnt_u32(mask));
    }
  }
  /// Writes 16 bytes past the last row at most.
  void copy(const std::uint8_t* in, std::uint8_t* out) const {
    for (std::size_t i = 0; i < n_; ++i) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + from_[i]));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + to_[i]),
                       _mm_shuffle_epi8(bytes, shuffle_[i]));
    }
  }

 private:
  __m128i shuffle_[4];
  std::uint32_t from_[4], to_[4];
  std::uint32_t n_rows_ = 0;
  std::size_t n_ = 0;
};

/// Finds the rows without a value of feature `k` of the pass.
inline void count_missing(Bin missing_bin, std::size_t k, std::size_t n_rows, FewCounts& counts) {
  const __m256i missing = broadcast(missing_bin);
  const std::uint64_t low = bits_of(_mm256_cmpeq_epi8(load(counts.bin[k]), missing));
  const std::uint64_t high = bits_of(_mm256_cmpeq_epi8(load(counts.bin[k] + 32), missing));
  const std::uint64_t rows = (low | high << 32) & low_bits(n_rows);
  counts.n_missing[k] = static_cast<std::uint32_t>(_mm_popcnt_u64(rows));
  if (rows == 0) return;
  const __m256i low_rows = bytes_of(static_cast<std::uint32_t>(rows));
  const __m256i high_rows = bytes_of(static_cast<std::uint32_t>(rows >> 32));
  const auto sum = [&](const std::uint8_t* bytes) {
    return sum_bytes(_mm256_and_si256(load(bytes), low_rows),
                     _mm256_and_si256(load(bytes + 32), high_rows));
  };
  counts.missing[k] = {sum(counts.row_weight), sum(counts.row_positives)};
}

void start(const Code* codes, std::size_t n_rows, FewRows& few) {
  for (std::size_t at = 0; at < kFewRows; at += 32) {
    const __m256i is_row = bytes_of(static_cast<std::uint32_t>(low_bits(n_rows) >> at));
    const __m256i code = _mm256_and_si256(load(codes + at), is_row);
    const __m256i weight = _mm256_and_si256(_mm256_srli_epi16(code, 1), _mm256_set1_epi8(0x7f));
    const __m256i one = _mm256_set1_epi8(1);
    const __m256i is_positive = _mm256_cmpeq_epi8(_mm256_and_si256(code, one), one);
    store(few.weight + at, weight);
    store(few.positives + at, _mm256_and_si256(weight, is_positive));
  }
  _mm256_zeroupper();
}

bool search(const FewRows& few, std::uint64_t rows, const NodeCounts& node,
            const FeatureIndex* features, const Bin* missing_bins, std::size_t n_features,
            Choice& best) {
  FewCounts counts;
  const Fronts fronts(rows);
  fronts.copy(few.weight, counts.row_weight);
  fronts.copy(few.positives, counts.row_positives);
  for (std::size_t k = 0; k < n_features; ++k) {
    fronts.copy(few.columns.first + features[k] * few.columns.stride, counts.bin[k]);
  }
  for (std::size_t k = 0; k < n_features; ++k) {
    count_missing(missing_bins[features[k]], k, node.n_rows, counts);
  }
  const Four four = node.n_leaf_rows > 1 ? search_counts<true>(n_features, node, counts)
                                         : search_counts<false>(n_features, node, counts);
  alignas(32) double scores[4];
  alignas(32) std::uint64_t orders[4];
  _mm256_store_pd(scores, four.score);
  _mm256_store_si256(reinterpret_cast<__m256i*>(orders), four.order);
  std::size_t at = 0;
  for (std::size_t i = 1; i < 4; ++i) {
    if (scores[i] > scores[at] || (scores[i] == scores[at] && orders[i] < orders[at])) at = i;
  }
  const double score = scores[at];
  if (score >= 0 && score > best.score) {
    const std::uint64_t order = orders[at];
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
  const Bin* column = few.columns.first + choice.feature * few.columns.stride;
  const __m256i last_left = broadcast(static_cast<Bin>(choice.left_bin));
  const __m256i missing = broadcast(missing_bin);
  FewSides sides;
  __m256i weight[2], positives[2], at_right[2];
  for (std::size_t i = 0; i < 2; ++i) {
    const __m256i is_row = bytes_of(static_cast<std::uint32_t>(rows >> (32 * i)));
    const __m256i bins = load(column + 32 * i);
    __m256i is_left = not_below(last_left, bins);
    if (choice.is_missing_left) {
      is_left = _mm256_or_si256(is_left, _mm256_cmpeq_epi8(bins, missing));
    }
    const __m256i left = _mm256_and_si256(is_left, is_row);
    sides.left |= std::uint64_t{bits_of(left)} << (32 * i);
    weight[i] = _mm256_and_si256(load(few.weight + 32 * i), left);
    positives[i] = _mm256_and_si256(load(few.positives + 32 * i), left);
    // A row without a value at the right has the missing bin, which is what it should be.
    at_right[i] = _mm256_blendv_epi8(missing, bins, _mm256_andnot_si256(is_left, is_row));
  }
  sides.left_counts = {sum_bytes(weight[0], weight[1]), sum_bytes(positives[0], positives[1])};
  const __m256i half = _mm256_min_epu8(at_right[0], at_right[1]);
  const __m128i quarter =
      _mm_min_epu8(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  const __m128i pairs = _mm_min_epu8(quarter, _mm_srli_epi16(quarter, 8));
  const __m128i least = _mm_minpos_epu16(_mm_and_si128(pairs, _mm_set1_epi16(0xff)));
  sides.right_bin = _mm_cvtsi128_si32(least) & 0xffff;
  _mm256_zeroupper();
  return sides;
}

}  // namespace

const FewKernels kFewAvx2{start, search, divide};

}  // namespace orchard::learn::binary

ORCHARD_END_INSTRUCTIONS

#endif
