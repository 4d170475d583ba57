// Searching the splits of one feature, sixteen bins at a time, all classes of a bin at once.

#include "forest_class_kernels.hpp"
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

struct Best {
  double score;
  std::size_t position;
};

/// A left side is the rows of `left` and some bins. Bins without rows repeat the left side before
/// them and lose to it as equals do; the first ones, which repeat `left`, are left out. A right
/// side without rows gives no number, which wins nothing.
inline Best scan(const Cells& cells, const BinList& list, const std::uint32_t* n_rows, __m512i left,
                 std::uint32_t n_left, const ShortNode& node, bool& is_varied) {
  const __m512i counts = _mm512_load_si512(node.counts);
  const __m512i ones = _mm512_set1_epi16(1);
  const __m512i weight = _mm512_set1_epi32(static_cast<int>(node.weight));
  const __m512i start = _mm512_set1_epi32(_mm512_reduce_add_epi32(_mm512_madd_epi16(left, ones)));
  Lanes best{_mm512_set1_pd(-std::numeric_limits<double>::infinity()), _mm512_setzero_si512()};
  __m512i position = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
  for (std::size_t first = 0; first < list.n; first += kGroup) {
    __m512i squares[kGroup], products[kGroup], weights[kGroup];
    const std::size_t n = list.n - first < kGroup ? list.n - first : kGroup;
    std::uint32_t valid = 0xffff;
    if (n_rows != nullptr) {
      valid = 0;
      for (std::size_t i = 0; i < n; ++i) {
        n_left += n_rows[list.bins[first + i]];
        const bool is_valid =
            n_left >= node.n_leaf_rows && node.n_rows - n_left >= node.n_leaf_rows;
        valid |= static_cast<std::uint32_t>(is_valid) << i;
      }
    }
    for (std::size_t i = 0; i < kGroup; ++i) {
      if (i < n) left = _mm512_add_epi16(left, cell(cells, list.bins[first + i]));
      squares[i] = _mm512_madd_epi16(left, left);
      products[i] = _mm512_madd_epi16(left, counts);
      weights[i] = _mm512_madd_epi16(left, ones);
    }
    const __m512i w = sums_of(weights);
    const __m512i s = sums_of(squares);
    const __m512i p = sums_of(products);
    const __mmask16 is_new = _mm512_cmpgt_epi32_mask(w, start);
    is_varied |= (is_new & _mm512_cmplt_epi32_mask(w, weight)) != 0;
    valid &= is_new;
    offer(_mm512_castsi512_si256(s), _mm512_castsi512_si256(p), _mm512_castsi512_si256(w),
          static_cast<__mmask8>(valid), node, position, best);
    position = _mm512_add_epi64(position, _mm512_set1_epi64(8));
    offer(_mm512_extracti64x4_epi64(s, 1), _mm512_extracti64x4_epi64(p, 1),
          _mm512_extracti64x4_epi64(w, 1), static_cast<__mmask8>(valid >> 8), node, position, best);
    position = _mm512_add_epi64(position, _mm512_set1_epi64(8));
  }
  const double score = _mm512_reduce_max_pd(best.score);
  const __mmask8 ties = _mm512_cmp_pd_mask(best.score, _mm512_set1_pd(score), _CMP_EQ_OQ);
  return {score, _mm512_mask_reduce_min_epu64(ties, best.position)};
}

void choose(const Cells& cells, const BinList& list, const Best& found, bool has_missing,
            bool is_missing_left, FeatureIndex feature, Choice& best) {
  best.score = found.score;
  best.feature = feature;
  best.has_missing = has_missing;
  best.is_missing_left = is_missing_left;
  best.left_bin = list.bins[found.position];
  best.right_bin = list.missing_bin;
  for (std::size_t i = found.position + 1; i < list.n; ++i) {
    const __m512i next = cell(cells, list.bins[i]);
    if (_mm512_test_epi32_mask(next, next) == 0) continue;
    best.right_bin = list.bins[i];
    break;
  }
  __m512i left = is_missing_left ? cell(cells, list.missing_bin) : _mm512_setzero_si512();
  for (std::size_t i = 0; i <= found.position; ++i) {
    left = _mm512_add_epi16(left, cell(cells, list.bins[i]));
  }
  _mm512_storeu_si512(&best.left[0], _mm512_cvtepu16_epi32(_mm512_castsi512_si256(left)));
  _mm512_storeu_si512(&best.left[16], _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(left, 1)));
}

}  // namespace

bool search_cells(const Cells& cells, const BinList& list, const std::uint32_t* n_rows,
                  const ShortNode& node, FeatureIndex feature, Choice& best) {
  bool is_varied = false;
  Best found = scan(cells, list, n_rows, _mm512_setzero_si512(), 0, node, is_varied);
  bool is_missing_left = false;
  const __m512i missing = cell(cells, list.missing_bin);
  const bool has_missing = _mm512_test_epi32_mask(missing, missing) != 0;
  if (has_missing) {
    const std::uint32_t n_left = n_rows != nullptr ? n_rows[list.missing_bin] : 0;
    bool is_any = false;
    const Best left = scan(cells, list, n_rows, missing, n_left, node, is_any);
    is_missing_left =
        left.score != found.score ? left.score > found.score : left.position <= found.position;
    if (is_missing_left) found = left;
  }
  if (found.score > best.score) {
    choose(cells, list, found, has_missing, is_missing_left, feature, best);
  }
  _mm256_zeroupper();
  return is_varied;
}

}  // namespace orchard::learn::classes

ORCHARD_END_INSTRUCTIONS
#endif
