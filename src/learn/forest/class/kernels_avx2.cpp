// Searching the splits of one feature, eight bins at a time, all classes of a bin at once.

#include "forest/class/kernels.hpp"
#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64
#include <immintrin.h>

ORCHARD_BEGIN_AVX2

namespace orchard::learn::classes {
namespace {

constexpr std::size_t kGroup = 8;
/// Classes of a vector of counts.
constexpr std::size_t kVector = 16;

inline __m256i load(const std::uint16_t* at) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(at));
}
inline __m256i load(const std::uint32_t* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

/// The sums of eight vectors of eight integers.
inline __m256i sums_of(const __m256i* v) {
  const __m256i low =
      _mm256_hadd_epi32(_mm256_hadd_epi32(v[0], v[1]), _mm256_hadd_epi32(v[2], v[3]));
  const __m256i high =
      _mm256_hadd_epi32(_mm256_hadd_epi32(v[4], v[5]), _mm256_hadd_epi32(v[6], v[7]));
  return _mm256_add_epi32(_mm256_permute2x128_si256(low, high, 0x20),
                          _mm256_permute2x128_si256(low, high, 0x31));
}

inline int sum_of(__m256i x) {
  __m128i four = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
  four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return _mm_cvtsi128_si32(four) + _mm_extract_epi32(four, 1);
}

/// A bin's counts: all classes, or only the first half of them where the node has no others.
template <bool kIsHalf>
struct Cell {
  static constexpr std::size_t kVectors = kIsHalf ? 1 : 2;
  __m256i of[kVectors];

  static Cell zero() {
    Cell out;
    for (auto& v : out.of) v = _mm256_setzero_si256();
    return out;
  }
  static Cell at(const std::uint16_t* counts) {
    Cell out;
    for (std::size_t i = 0; i < kVectors; ++i) out.of[i] = load(counts + i * kVector);
    return out;
  }
  static Cell at(const Cells& cells, Bin bin) { return at(cells.counts[bin]); }
  bool is_empty() const {
    const __m256i any = kIsHalf ? of[0] : _mm256_or_si256(of[0], of[kVectors - 1]);
    return _mm256_testz_si256(any, any) != 0;
  }
  Cell operator+(const Cell& other) const {
    Cell out;
    for (std::size_t i = 0; i < kVectors; ++i) out.of[i] = _mm256_add_epi16(of[i], other.of[i]);
    return out;
  }
  /// Sums of products of pairs.
  __m256i times(const Cell& other) const {
    const __m256i first = _mm256_madd_epi16(of[0], other.of[0]);
    if constexpr (kIsHalf) return first;
    return _mm256_add_epi32(first, _mm256_madd_epi16(of[kVectors - 1], other.of[kVectors - 1]));
  }
  __m256i pairs() const {
    const __m256i all = kIsHalf ? of[0] : _mm256_add_epi16(of[0], of[kVectors - 1]);
    return _mm256_madd_epi16(all, _mm256_set1_epi16(1));
  }
};

/// The best of each lane.
struct Lanes {
  __m256d score;
  __m256i position;
};

/// ExactGini::score of four left sides.
inline void offer(__m128i left_squares, __m128i right_squares, __m128i left_weight,
                  __m128i right_weight, __m128i valid, __m256i position, Lanes& best) {
  const __m256d score = _mm256_add_pd(
      _mm256_div_pd(_mm256_cvtepi32_pd(left_squares), _mm256_cvtepi32_pd(left_weight)),
      _mm256_div_pd(_mm256_cvtepi32_pd(right_squares), _mm256_cvtepi32_pd(right_weight)));
  const __m256d wins = _mm256_and_pd(_mm256_castsi256_pd(_mm256_cvtepi32_epi64(valid)),
                                     _mm256_cmp_pd(score, best.score, _CMP_GT_OQ));
  best.score = _mm256_blendv_pd(best.score, score, wins);
  best.position = _mm256_castpd_si256(
      _mm256_blendv_pd(_mm256_castsi256_pd(best.position), _mm256_castsi256_pd(position), wins));
}

/// Left sides in the order in which equals win, of one feature after the other; eight of them are
/// scored together.
template <bool kIsHalf>
class Slots {
 public:
  explicit Slots(const ShortNode& node)
      : node_(node),
        counts_(Cell<kIsHalf>::at(node.counts)),
        best_{_mm256_set1_pd(-std::numeric_limits<double>::infinity()), _mm256_setzero_si256()} {
    for (std::size_t i = 0; i < kGroup; ++i) {
      squares_[i] = products_[i] = weights_[i] = _mm256_setzero_si256();
    }
  }

  void push(const Cell<kIsHalf>& left, std::size_t feature, std::size_t position,
            bool is_missing_left) {
    squares_[n_] = left.times(left);
    products_[n_] = left.times(counts_);
    weights_[n_] = left.pairs();
    tags_[first_ + n_] =
        static_cast<std::uint32_t>(feature << 16 | position << 1 | (is_missing_left ? 1 : 0));
    if (++n_ == kGroup) score();
  }
  /// Scores what is left. Returns whether some split has rows on both sides.
  bool finish() {
    if (n_ != 0) score();
    return is_varied_;
  }
  /// The best score; `tag` becomes that of the first left side that has it: the feature's number
  /// << 16 | position << 1 | is_missing_left.
  double best(std::uint32_t& tag) const {
    alignas(32) double scores[4];
    alignas(32) std::uint64_t positions[4];
    _mm256_store_pd(scores, best_.score);
    _mm256_store_si256(reinterpret_cast<__m256i*>(positions), best_.position);
    std::size_t at = 0;
    for (std::size_t i = 1; i < 4; ++i) {
      if (scores[i] > scores[at] || (scores[i] == scores[at] && positions[i] < positions[at])) {
        at = i;
      }
    }
    tag = tags_[positions[at]];
    return scores[at];
  }

 private:
  /// A side without rows gives no number, which wins nothing.
  void score() {
    const __m256i w = sums_of(weights_), s = sums_of(squares_), p = sums_of(products_);
    const __m256i right_weight =
        _mm256_sub_epi32(_mm256_set1_epi32(static_cast<int>(node_.weight)), w);
    // What the node's squares and the left ones may wrap to is undone by the products.
    const __m256i right_squares =
        _mm256_sub_epi32(_mm256_add_epi32(_mm256_set1_epi32(static_cast<int>(node_.squares)), s),
                         _mm256_slli_epi32(p, 1));
    const __m256i valid = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n_)),
                                             _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    const __m256i is_split =
        _mm256_and_si256(valid, _mm256_cmpgt_epi32(right_weight, _mm256_setzero_si256()));
    is_varied_ |= _mm256_testz_si256(is_split, is_split) == 0;
    const __m256i position = _mm256_add_epi64(_mm256_set1_epi64x(static_cast<long long>(first_)),
                                              _mm256_setr_epi64x(0, 1, 2, 3));
    offer(_mm256_castsi256_si128(s), _mm256_castsi256_si128(right_squares),
          _mm256_castsi256_si128(w), _mm256_castsi256_si128(right_weight),
          _mm256_castsi256_si128(valid), position, best_);
    if (n_ > 4) {
      offer(_mm256_extracti128_si256(s, 1), _mm256_extracti128_si256(right_squares, 1),
            _mm256_extracti128_si256(w, 1), _mm256_extracti128_si256(right_weight, 1),
            _mm256_extracti128_si256(valid, 1), _mm256_add_epi64(position, _mm256_set1_epi64x(4)),
            best_);
    }
    first_ += kGroup;
    n_ = 0;
  }

  const ShortNode& node_;
  Cell<kIsHalf> counts_;
  __m256i squares_[kGroup], products_[kGroup], weights_[kGroup];
  std::uint32_t tags_[2 * kBins * kFeaturesAPass];
  Lanes best_;
  std::size_t first_ = 0, n_ = 0;
  bool is_varied_ = false;
};

/// Bins without rows would repeat the left side before them.
template <bool kIsHalf>
inline void push_feature(const FeatureCells& at, std::size_t number, const ShortNode& node,
                         Slots<kIsHalf>& slots) {
  const auto missing = Cell<kIsHalf>::at(*at.cells, at.list.missing_bin);
  const bool has_missing = !missing.is_empty();
  const std::uint32_t n_missing =
      has_missing && at.n_rows != nullptr ? at.n_rows[at.list.missing_bin] : 0;
  const auto is_allowed = [&](std::uint32_t n_left) {
    return n_left >= node.n_leaf_rows && node.n_rows - n_left >= node.n_leaf_rows;
  };
  auto left = Cell<kIsHalf>::zero();
  std::uint32_t n_left = 0;
  const std::size_t n = has_missing ? at.list.n : at.list.n - 1;
  for (std::size_t i = 0; i < n; ++i) {
    const Bin bin = at.list.bins[i];
    const auto here = Cell<kIsHalf>::at(*at.cells, bin);
    if (here.is_empty()) continue;
    left = left + here;
    if (at.n_rows != nullptr) n_left += at.n_rows[bin];
    if (has_missing && (at.n_rows == nullptr || is_allowed(n_left + n_missing))) {
      slots.push(left + missing, number, i, true);
    }
    if (at.n_rows == nullptr || is_allowed(n_left)) slots.push(left, number, i, false);
  }
}

template <bool kIsHalf>
void choose(const FeatureCells& at, std::size_t position, bool is_missing_left, Choice& best) {
  const auto missing = Cell<kIsHalf>::at(*at.cells, at.list.missing_bin);
  best.feature = at.feature;
  best.has_missing = !missing.is_empty();
  best.is_missing_left = is_missing_left;
  best.left_bin = at.list.bins[position];
  best.right_bin = at.list.missing_bin;
  for (std::size_t i = position + 1; i < at.list.n; ++i) {
    if (Cell<kIsHalf>::at(*at.cells, at.list.bins[i]).is_empty()) continue;
    best.right_bin = at.list.bins[i];
    break;
  }
  auto left = is_missing_left ? missing : Cell<kIsHalf>::zero();
  for (std::size_t i = 0; i <= position; ++i) {
    left = left + Cell<kIsHalf>::at(*at.cells, at.list.bins[i]);
  }
  const __m256i zero = _mm256_setzero_si256();
  for (std::size_t i = 0; i < 2; ++i) {
    const __m256i counts =
        i < Cell<kIsHalf>::kVectors ? left.of[i % Cell<kIsHalf>::kVectors] : zero;
    auto* out = reinterpret_cast<__m256i*>(&best.left[i * kVector]);
    _mm256_storeu_si256(out, _mm256_cvtepu16_epi32(_mm256_castsi256_si128(counts)));
    _mm256_storeu_si256(out + 1, _mm256_cvtepu16_epi32(_mm256_extracti128_si256(counts, 1)));
  }
}

template <bool kIsHalf>
bool search_classes(const FeatureCells* features, std::size_t n_features, const ShortNode& node,
                    Choice& best) {
  Slots<kIsHalf> slots(node);
  for (std::size_t f = 0; f < n_features; ++f) push_feature(features[f], f, node, slots);
  const bool is_varied = slots.finish();
  std::uint32_t tag = 0;
  const double score = slots.best(tag);
  if (score > best.score) {
    best.score = score;
    choose<kIsHalf>(features[tag >> 16], (tag & 0xffff) >> 1, (tag & 1) != 0, best);
  }
  return is_varied;
}

bool search_cells(const FeatureCells* features, std::size_t n_features, const ShortNode& node,
                  Choice& best) {
  const __m256i upper = load(node.counts + kVector);
  const bool is_varied = _mm256_testz_si256(upper, upper) != 0
                             ? search_classes<true>(features, n_features, node, best)
                             : search_classes<false>(features, n_features, node, best);
  _mm256_zeroupper();
  return is_varied;
}

Summary summarize(const Counts& counts) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i sum = zero;
  std::uint32_t absent = 0;
  for (std::size_t c = 0; c < kMaxClasses; c += 8) {
    const __m256i here = load(&counts[c]);
    sum = _mm256_add_epi32(sum, here);
    absent |= static_cast<std::uint32_t>(
                  _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(here, zero))))
              << c;
  }
  const Summary out{static_cast<std::uint32_t>(sum_of(sum)), ~absent};
  _mm256_zeroupper();
  return out;
}

void start_short(const Counts& counts, ShortNode& node) {
  __m256i sum = _mm256_setzero_si256(), squares = sum;
  for (std::size_t c = 0; c < kMaxClasses; c += kVector) {
    const __m256i low = load(&counts[c]), high = load(&counts[c + 8]);
    sum = _mm256_add_epi32(sum, _mm256_add_epi32(low, high));
    squares = _mm256_add_epi32(
        squares, _mm256_add_epi32(_mm256_mullo_epi32(low, low), _mm256_mullo_epi32(high, high)));
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, high), 0xd8);
    _mm256_store_si256(reinterpret_cast<__m256i*>(node.counts + c), packed);
  }
  node.weight = static_cast<std::uint32_t>(sum_of(sum));
  node.squares = static_cast<std::uint32_t>(sum_of(squares));
  _mm256_zeroupper();
}

/// Class by class: there are few in most nodes, and integers of 64 bits have no conversion of four.
double sum_contrasts(const Counts& left, std::uint32_t left_weight, const Counts& node,
                     const Summary& summary) {
  const std::uint32_t* left_counts = left.data();
  const std::uint32_t* node_counts = node.data();
  const auto divisor = static_cast<double>(summary.weight);
  double sum = 0;
  for (std::uint32_t classes = summary.classes; classes != 0; classes &= classes - 1) {
    const std::uint32_t c = _tzcnt_u32(classes);
    const auto contrast =
        static_cast<std::int64_t>(left_counts[c]) * static_cast<std::int64_t>(summary.weight) -
        static_cast<std::int64_t>(node_counts[c]) * static_cast<std::int64_t>(left_weight);
    const double d = static_cast<double>(contrast) / divisor;
    sum += d * d;
  }
  return sum;
}

}  // namespace

const Kernels kAvx2Kernels{search_cells, summarize, start_short, sum_contrasts};

}  // namespace orchard::learn::classes

ORCHARD_END_INSTRUCTIONS

#endif
