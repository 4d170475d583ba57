// Searching the splits of one feature, sixteen bins at a time, all classes of a bin at once.

#include "forest/class/kernels.hpp"
#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64
// GCC 12 takes the undefined operands inside its own intrinsics for our mistakes (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

ORCHARD_BEGIN_AVX512

namespace orchard::learn::classes {
namespace {

constexpr std::size_t kGroup = 16;

/// The sums of sixteen vectors of sixteen integers.
inline __m512i sums_of(const __m512i* v) {
  __m512i pairs[8], quads[4];
  for (int i = 0; i < 8; ++i) {
    pairs[i] = _mm512_add_epi32(_mm512_unpacklo_epi32(v[2 * i], v[2 * i + 1]),
                                _mm512_unpackhi_epi32(v[2 * i], v[2 * i + 1]));
  }
  for (int i = 0; i < 4; ++i) {
    quads[i] = _mm512_add_epi32(_mm512_unpacklo_epi64(pairs[2 * i], pairs[2 * i + 1]),
                                _mm512_unpackhi_epi64(pairs[2 * i], pairs[2 * i + 1]));
  }
  const __m512i low = _mm512_add_epi32(_mm512_shuffle_i64x2(quads[0], quads[1], 0x88),
                                       _mm512_shuffle_i64x2(quads[0], quads[1], 0xdd));
  const __m512i high = _mm512_add_epi32(_mm512_shuffle_i64x2(quads[2], quads[3], 0x88),
                                        _mm512_shuffle_i64x2(quads[2], quads[3], 0xdd));
  return _mm512_add_epi32(_mm512_shuffle_i64x2(low, high, 0x88),
                          _mm512_shuffle_i64x2(low, high, 0xdd));
}

inline __m512i cell(const Cells& cells, Bin bin) { return _mm512_load_si512(cells.counts[bin]); }

/// The best of each lane.
struct Lanes {
  __m512d score;
  __m512i position;
};

/// ExactGini::score of eight left sides.
inline void offer(__m256i left_squares, __m256i products, __m256i left_weight, __mmask8 valid,
                  const ShortNode& node, __m512i position, Lanes& best) {
  const __m512i squares = _mm512_cvtepu32_epi64(left_squares);
  const __m512i twice = _mm512_slli_epi64(_mm512_cvtepu32_epi64(products), 1);
  const __m512i right_squares =
      _mm512_sub_epi64(_mm512_add_epi64(_mm512_set1_epi64(node.squares), squares), twice);
  const __m512d l = _mm512_cvtepi32_pd(left_weight);
  const __m512d r = _mm512_sub_pd(_mm512_set1_pd(static_cast<double>(node.weight)), l);
  const __m512d score = _mm512_add_pd(_mm512_div_pd(_mm512_cvtepi64_pd(squares), l),
                                      _mm512_div_pd(_mm512_cvtepi64_pd(right_squares), r));
  const __mmask8 wins = _mm512_mask_cmp_pd_mask(valid, score, best.score, _CMP_GT_OQ);
  best.score = _mm512_mask_mov_pd(best.score, wins, score);
  best.position = _mm512_mask_mov_epi64(best.position, wins, position);
}

/// Left sides in the order in which equals win, of one feature after the other; sixteen of them are
/// scored together.
class Slots {
 public:
  explicit Slots(const ShortNode& node)
      : node_(node),
        counts_(_mm512_load_si512(node.counts)),
        best_{_mm512_set1_pd(-std::numeric_limits<double>::infinity()), _mm512_setzero_si512()} {}

  void push(__m512i left, std::size_t feature, std::size_t position, bool is_missing_left) {
    squares_[n_] = _mm512_madd_epi16(left, left);
    products_[n_] = _mm512_madd_epi16(left, counts_);
    weights_[n_] = _mm512_madd_epi16(left, _mm512_set1_epi16(1));
    tags_[first_ + n_] =
        static_cast<std::uint32_t>(feature << 16 | position << 1 | (is_missing_left ? 1 : 0));
    if (++n_ == kGroup) score();
  }
  /// Scores what is left. Returns whether some split has rows on both sides.
  bool finish() {
    if (n_ != 0) score();
    return is_varied_;
  }
  double best_score() const { return _mm512_reduce_max_pd(best_.score); }
  /// Of the first that has `score`: the feature's number << 16 | position << 1 | is_missing_left.
  std::uint32_t tag(double score) const {
    const __mmask8 ties = _mm512_cmp_pd_mask(best_.score, _mm512_set1_pd(score), _CMP_EQ_OQ);
    return tags_[_mm512_mask_reduce_min_epu64(ties, best_.position)];
  }

 private:
  /// A side without rows gives no number, which wins nothing.
  void score() {
    const __m512i w = sums_of(weights_), s = sums_of(squares_), p = sums_of(products_);
    const __m512i weight = _mm512_set1_epi32(static_cast<int>(node_.weight));
    const auto valid = static_cast<std::uint32_t>((1U << n_) - 1);
    is_varied_ |= _mm512_mask_cmplt_epi32_mask(static_cast<__mmask16>(valid), w, weight) != 0;
    const __m512i position = _mm512_add_epi64(_mm512_set1_epi64(static_cast<long long>(first_)),
                                              _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0));
    offer(_mm512_castsi512_si256(s), _mm512_castsi512_si256(p), _mm512_castsi512_si256(w),
          static_cast<__mmask8>(valid), node_, position, best_);
    offer(_mm512_extracti64x4_epi64(s, 1), _mm512_extracti64x4_epi64(p, 1),
          _mm512_extracti64x4_epi64(w, 1), static_cast<__mmask8>(valid >> 8), node_,
          _mm512_add_epi64(position, _mm512_set1_epi64(8)), best_);
    first_ += kGroup;
    n_ = 0;
  }

  const ShortNode& node_;
  __m512i counts_;
  __m512i squares_[kGroup], products_[kGroup], weights_[kGroup];
  std::uint32_t tags_[2 * kBins * kFeaturesAPass];
  Lanes best_;
  std::size_t first_ = 0, n_ = 0;
  bool is_varied_ = false;
};

/// Bins without rows would repeat the left side before them.
inline void push_feature(const FeatureCells& at, std::size_t number, const ShortNode& node,
                         Slots& slots) {
  const __m512i missing = cell(*at.cells, at.list.missing_bin);
  const bool has_missing = _mm512_test_epi32_mask(missing, missing) != 0;
  const std::uint32_t n_missing =
      has_missing && at.n_rows != nullptr ? at.n_rows[at.list.missing_bin] : 0;
  const auto is_allowed = [&](std::uint32_t n_left) {
    return n_left >= node.n_leaf_rows && node.n_rows - n_left >= node.n_leaf_rows;
  };
  __m512i left = _mm512_setzero_si512();
  std::uint32_t n_left = 0;
  const std::size_t n = has_missing ? at.list.n : at.list.n - 1;
  for (std::size_t i = 0; i < n; ++i) {
    const Bin bin = at.list.bins[i];
    const __m512i here = cell(*at.cells, bin);
    if (_mm512_test_epi32_mask(here, here) == 0) continue;
    left = _mm512_add_epi16(left, here);
    if (at.n_rows != nullptr) n_left += at.n_rows[bin];
    if (has_missing && (at.n_rows == nullptr || is_allowed(n_left + n_missing))) {
      slots.push(_mm512_add_epi16(left, missing), number, i, true);
    }
    if (at.n_rows == nullptr || is_allowed(n_left)) slots.push(left, number, i, false);
  }
}

inline void choose(const FeatureCells& at, std::size_t position, bool is_missing_left,
                   Choice& best) {
  const __m512i missing = cell(*at.cells, at.list.missing_bin);
  best.feature = at.feature;
  best.has_missing = _mm512_test_epi32_mask(missing, missing) != 0;
  best.is_missing_left = is_missing_left;
  best.left_bin = at.list.bins[position];
  best.right_bin = at.list.missing_bin;
  for (std::size_t i = position + 1; i < at.list.n; ++i) {
    const __m512i next = cell(*at.cells, at.list.bins[i]);
    if (_mm512_test_epi32_mask(next, next) == 0) continue;
    best.right_bin = at.list.bins[i];
    break;
  }
  __m512i left = is_missing_left ? missing : _mm512_setzero_si512();
  for (std::size_t i = 0; i <= position; ++i) {
    left = _mm512_add_epi16(left, cell(*at.cells, at.list.bins[i]));
  }
  _mm512_storeu_si512(&best.left[0], _mm512_cvtepu16_epi32(_mm512_castsi512_si256(left)));
  _mm512_storeu_si512(&best.left[16], _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(left, 1)));
}

bool search_cells(const FeatureCells* features, std::size_t n_features, const ShortNode& node,
                  Choice& best) {
  Slots slots(node);
  for (std::size_t f = 0; f < n_features; ++f) push_feature(features[f], f, node, slots);
  const bool is_varied = slots.finish();
  const double score = slots.best_score();
  if (score > best.score) {
    best.score = score;
    const std::uint32_t tag = slots.tag(score);
    choose(features[tag >> 16], (tag & 0xffff) >> 1, (tag & 1) != 0, best);
  }
  _mm256_zeroupper();
  return is_varied;
}

Summary summarize(const Counts& counts) {
  const __m512i low = _mm512_loadu_si512(&counts[0]), high = _mm512_loadu_si512(&counts[16]);
  Summary out;
  out.weight = static_cast<std::uint32_t>(_mm512_reduce_add_epi32(_mm512_add_epi32(low, high)));
  out.classes = static_cast<std::uint32_t>(_mm512_test_epi32_mask(low, low)) |
                static_cast<std::uint32_t>(_mm512_test_epi32_mask(high, high)) << 16;
  _mm256_zeroupper();
  return out;
}

void start_short(const Counts& counts, ShortNode& node) {
  const __m512i low = _mm512_loadu_si512(&counts[0]), high = _mm512_loadu_si512(&counts[16]);
  const __m512i squares =
      _mm512_add_epi32(_mm512_mullo_epi32(low, low), _mm512_mullo_epi32(high, high));
  node.weight = static_cast<std::uint32_t>(_mm512_reduce_add_epi32(_mm512_add_epi32(low, high)));
  node.squares = static_cast<std::uint32_t>(_mm512_reduce_add_epi32(squares));
  _mm256_store_si256(reinterpret_cast<__m256i*>(node.counts), _mm512_cvtepi32_epi16(low));
  _mm256_store_si256(reinterpret_cast<__m256i*>(node.counts + 16), _mm512_cvtepi32_epi16(high));
  _mm256_zeroupper();
}

double sum_contrasts(const Counts& left, std::uint32_t left_weight, const Counts& node,
                     const Summary& summary) {
  alignas(64) double squares[kMaxClasses];
  const __m512i w = _mm512_set1_epi64(summary.weight), l = _mm512_set1_epi64(left_weight);
  const __m512d divisor = _mm512_cvtepi64_pd(w);
  for (std::size_t c = 0; c < kMaxClasses; c += 8) {
    const auto load = [c](const Counts& counts) {
      return _mm512_cvtepu32_epi64(
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(&counts[c])));
    };
    const __m512i contrast =
        _mm512_sub_epi64(_mm512_mul_epu32(load(left), w), _mm512_mul_epu32(load(node), l));
    const __m512d d = _mm512_div_pd(_mm512_cvtepi64_pd(contrast), divisor);
    _mm512_store_pd(squares + c, _mm512_mul_pd(d, d));
  }
  double sum = 0;
  for (std::uint32_t classes = summary.classes; classes != 0; classes &= classes - 1) {
    sum += squares[_tzcnt_u32(classes)];
  }
  _mm256_zeroupper();
  return sum;
}

}  // namespace

const Kernels kAvx512Kernels{search_cells, summarize, start_short, sum_contrasts};

}  // namespace orchard::learn::classes

ORCHARD_END_INSTRUCTIONS
#endif
