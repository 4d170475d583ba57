// Counting, splitting and moving rows of two-class nodes, 64 bytes at a time.

#include "forest_binary_kernels.hpp"
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

// ---- Histograms.

/// The expression of NarrowJudge.
inline double exact_score(std::uint32_t weight, std::uint32_t positives, const Counts& node) {
  const auto d = static_cast<double>(static_cast<std::int64_t>(positives) * node.weight -
                                     static_cast<std::int64_t>(weight) * node.positives);
  return d * d / (static_cast<double>(weight) * static_cast<double>(node.weight - weight));
}

/// Sums of lanes 0 .. i at every lane i.
inline __m512i running_sums(__m512i x) {
  const __m512i zero = _mm512_setzero_si512();
  x = _mm512_add_epi32(x, _mm512_alignr_epi32(x, zero, 15));
  x = _mm512_add_epi32(x, _mm512_alignr_epi32(x, zero, 14));
  x = _mm512_add_epi32(x, _mm512_alignr_epi32(x, zero, 12));
  return _mm512_add_epi32(x, _mm512_alignr_epi32(x, zero, 8));
}

struct Running {
  alignas(64) std::uint32_t words[kWords];
  alignas(64) std::uint32_t n_rows[kWords];
  alignas(64) float score[kWords];
  __mmask16 occupied[kWords / 16];
  std::size_t n_chunks;
};

/// A candidate of one direction of missing.
struct Best {
  double score = -1;
  int bin = 0;
  std::uint32_t left = 0;
};

/// The scores of all bins in single precision choose the few that are scored exactly: an error of
/// rounding is below 2^-21 of a score, so that none that could win is left out.
constexpr float kNearlyBest = 1.0F - 0x1p-19F;
constexpr double kSurelyAbove = 1.0 + 0x1p-19;

template <bool kCounted>
Best search_side(Running& running, const NodeCounts& node, std::uint32_t moved_word,
                 std::uint32_t moved_rows, double least) {
  const __m512i total = _mm512_set1_epi32(static_cast<int>(node.counts.weight));
  const __m512i total_positives = _mm512_set1_epi32(static_cast<int>(node.counts.positives));
  const __m512i moved = _mm512_set1_epi32(static_cast<int>(moved_word));
  __m512 greatest = _mm512_set1_ps(-1.0F);
  for (std::size_t chunk = 0; chunk < running.n_chunks; ++chunk) {
    const __m512i left = _mm512_add_epi32(_mm512_load_si512(running.words + chunk * 16), moved);
    const __m512i weight = _mm512_srli_epi32(left, 16);
    const __m512i positives = _mm512_and_si512(left, _mm512_set1_epi32(0xffff));
    const __m512i right = _mm512_sub_epi32(total, weight);
    // Both products may wrap; their difference is below 2^30.
    const __m512i contrast = _mm512_sub_epi32(_mm512_mullo_epi32(positives, total),
                                              _mm512_mullo_epi32(weight, total_positives));
    __mmask16 is_legal = _mm512_mask_test_epi32_mask(running.occupied[chunk], right, right);
    if constexpr (kCounted) {
      const __m512i n_left = _mm512_add_epi32(_mm512_load_si512(running.n_rows + chunk * 16),
                                              _mm512_set1_epi32(static_cast<int>(moved_rows)));
      const __m512i n_right =
          _mm512_sub_epi32(_mm512_set1_epi32(static_cast<int>(node.n_rows)), n_left);
      const __m512i n_least = _mm512_set1_epi32(static_cast<int>(node.n_leaf_rows));
      is_legal = _mm512_mask_cmpge_epu32_mask(is_legal, n_left, n_least);
      is_legal = _mm512_mask_cmpge_epi32_mask(is_legal, n_right, n_least);
    }
    const __m512 d = _mm512_cvtepi32_ps(contrast);
    const __m512 score = _mm512_div_ps(
        _mm512_mul_ps(d, d), _mm512_mul_ps(_mm512_cvtepi32_ps(weight), _mm512_cvtepi32_ps(right)));
    const __m512 legal_score = _mm512_mask_mov_ps(_mm512_set1_ps(-1.0F), is_legal, score);
    greatest = _mm512_max_ps(greatest, legal_score);
    _mm512_store_ps(running.score + chunk * 16, legal_score);
  }
  const float top = _mm512_reduce_max_ps(greatest);
  Best best;
  if (top < 0) return best;
  best.score = 0;  // a split was possible, though perhaps not a better one
  if (static_cast<double>(top) * kSurelyAbove < least) return best;
  best.score = -1;
  const __m512 limit = _mm512_set1_ps(top * kNearlyBest);
  for (std::size_t chunk = 0; chunk < running.n_chunks; ++chunk) {
    const __m512 score = _mm512_load_ps(running.score + chunk * 16);
    auto nearly = static_cast<std::uint32_t>(_mm512_cmp_ps_mask(score, limit, _CMP_GE_OQ));
    for (; nearly != 0; nearly &= nearly - 1) {
      const std::size_t bin = chunk * 16 + _tzcnt_u32(nearly);
      const std::uint32_t left = running.words[bin] + moved_word;
      const double exact = exact_score(left >> 16, left & 0xffff, node.counts);
      if (exact > best.score) {
        best = {exact, static_cast<int>(bin), left};
      }
    }
  }
  return best;
}

template <bool kCounted>
void sum_up(const std::uint32_t* words, const std::uint32_t* n_rows, Running& running) {
  __m512i carry = _mm512_setzero_si512(), rows_carry = _mm512_setzero_si512();
  const __m512i last = _mm512_set1_epi32(15);
  for (std::size_t chunk = 0; chunk < running.n_chunks; ++chunk) {
    const __m512i own = _mm512_load_si512(words + chunk * 16);
    running.occupied[chunk] = _mm512_test_epi32_mask(own, own);
    const __m512i sums = _mm512_add_epi32(running_sums(own), carry);
    carry = _mm512_permutexvar_epi32(last, sums);
    _mm512_store_si512(running.words + chunk * 16, sums);
    if constexpr (kCounted) {
      const __m512i rows =
          _mm512_add_epi32(running_sums(_mm512_load_si512(n_rows + chunk * 16)), rows_carry);
      rows_carry = _mm512_permutexvar_epi32(last, rows);
      _mm512_store_si512(running.n_rows + chunk * 16, rows);
    }
  }
}

template <bool kCounted>
bool search_feature(const std::uint32_t* words, const std::uint32_t* n_rows, const NodeCounts& node,
                    int missing_bin, FeatureIndex feature, Choice& best) {
  Running running;
  const auto missing = static_cast<std::size_t>(missing_bin);
  running.n_chunks = missing / 16 + 1;
  sum_up<kCounted>(words, n_rows, running);
  const double least = best.score;
  // Rows without a value occupy the highest bin: at the right of every candidate.
  Best found = search_side<kCounted>(running, node, 0, 0, least);
  const bool has_missing = words[missing] != 0;
  const bool is_varied = found.score >= 0;
  bool is_missing_left = false;
  if (has_missing) {
    running.occupied[missing / 16] &= static_cast<__mmask16>(~(1U << (missing % 16)));
    const Best left =
        search_side<kCounted>(running, node, words[missing], kCounted ? n_rows[missing] : 0, least);
    is_missing_left = left.score != found.score ? left.score > found.score : left.bin <= found.bin;
    if (is_missing_left) found = left;
  }
  if (found.score >= 0 && found.score > best.score) {
    best = {found.score, feature,         found.bin,
            has_missing, is_missing_left, {found.left >> 16, found.left & 0xffff}};
  }
  return is_varied;
}

// ---- Few rows: lane i stands for the split below row i's bin. Row after row adds what it weighs
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

}  // namespace

std::size_t find_nonzero(const std::uint8_t* bytes, std::size_t n, std::uint64_t* masks) {
  std::size_t n_set = 0;
  for (std::size_t at = 0; at < n; at += 64) {
    const __m512i v = _mm512_maskz_loadu_epi8(low_bits(n - at), bytes + at);
    masks[at / 64] = _mm512_test_epi8_mask(v, v);
    n_set += count_bits(masks[at / 64]);
  }
  _mm256_zeroupper();
  return n_set;
}

std::size_t find_sides(const Bin* column, std::size_t n_rows, RightBins right_bins,
                       std::uint64_t* left, std::uint64_t* right) {
  const __m512i first = _mm512_set1_epi8(static_cast<char>(right_bins.first_right));
  const __m512i n_right = _mm512_set1_epi8(static_cast<char>(right_bins.n_right));
  std::size_t n_left = 0;
  for (std::size_t at = 0; at < n_rows; at += 64) {
    const std::uint64_t rows = low_bits(n_rows - at);
    const __m512i bins = _mm512_loadu_si512(column + at);
    const std::uint64_t is_right =
        _mm512_mask_cmplt_epu8_mask(rows, _mm512_sub_epi8(bins, first), n_right);
    right[at / 64] = is_right;
    left[at / 64] = rows & ~is_right;
    n_left += count_bits(rows & ~is_right);
  }
  _mm256_zeroupper();
  return n_left;
}

void keep_rows(const Columns& from, std::size_t n_rows, const std::uint64_t* masks,
               std::size_t n_out, Bin* to, std::size_t to_stride) {
  const std::size_t n_blocks = (n_rows + 63) / 64;
  for (std::size_t column = 0; column < from.n; ++column) {
    const Bin* in = from.first + column * from.stride;
    Bin* out = to + column * to_stride;
    const Bin* const end = out + n_out;
    std::size_t block = 0;
    // What a whole store writes too much is written over by the next.
    for (; block < n_blocks && end - out >= 64; ++block) {
      _mm512_storeu_si512(
          out, _mm512_maskz_compress_epi8(masks[block], _mm512_loadu_si512(in + block * 64)));
      out += count_bits(masks[block]);
    }
    for (; block < n_blocks; ++block) {
      const std::size_t n_kept = count_bits(masks[block]);
      _mm512_mask_storeu_epi8(
          out, low_bits(n_kept),
          _mm512_maskz_compress_epi8(masks[block], _mm512_loadu_si512(in + block * 64)));
      out += n_kept;
    }
  }
  _mm256_zeroupper();
}

bool search_words(const std::uint32_t* words, const std::uint32_t* n_rows, const NodeCounts& node,
                  int missing_bin, FeatureIndex feature, Choice& best) {
  const bool is_varied =
      node.n_leaf_rows > 1 ? search_feature<true>(words, n_rows, node, missing_bin, feature, best)
                           : search_feature<false>(words, n_rows, node, missing_bin, feature, best);
  _mm256_zeroupper();
  return is_varied;
}

void start_few(const Code* codes, std::size_t n_rows, FewRows& few) {
  const __m512i code = _mm512_maskz_loadu_epi8(low_bits(n_rows), codes);
  const __m512i weight = _mm512_and_si512(_mm512_srli_epi16(code, 1), _mm512_set1_epi8(0x7f));
  const __mmask64 is_positive = _mm512_test_epi8_mask(code, _mm512_set1_epi8(1));
  _mm512_store_si512(few.weight, weight);
  _mm512_store_si512(few.positives, _mm512_maskz_mov_epi8(is_positive, weight));
  _mm256_zeroupper();
}

bool search_few(const FewRows& few, std::uint64_t rows, const NodeCounts& node,
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

FewSides divide_few(const FewRows& few, std::uint64_t rows, const Choice& choice, Bin missing_bin) {
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

}  // namespace orchard::learn::binary

ORCHARD_END_INSTRUCTIONS

#endif
