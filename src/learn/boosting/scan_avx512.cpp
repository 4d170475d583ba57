// Searching a feature's histogram eight bins at a time.
//
// Bins without rows need no care: their cut has the sums of the cut before, so it ties with a lower
// bin and loses, or one of its sides is empty, which min_h forbids.

#include "boosting/scan.hpp"

#if ORCHARD_HAS_X86_64
// GCC 12 takes the undefined operands inside its own intrinsics for our mistakes (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

ORCHARD_BEGIN_AVX512

namespace orchard::learn::boosting {
namespace {

constexpr int kLanes = 8;

/// g and h of eight bins, or their running sums.
struct Pair {
  __m512i g, h;
};

/// Sums of lanes 0 .. i at every lane i.
inline __m512i running_sums(__m512i x) {
  const __m512i zero = _mm512_setzero_si512();
  x = _mm512_add_epi64(x, _mm512_alignr_epi64(x, zero, 7));
  x = _mm512_add_epi64(x, _mm512_alignr_epi64(x, zero, 6));
  return _mm512_add_epi64(x, _mm512_alignr_epi64(x, zero, 4));
}

inline __m512i last_lane(__m512i x) { return _mm512_permutexvar_epi64(_mm512_set1_epi64(7), x); }

inline Pair unpack_words(__m512i words) {
  constexpr std::int64_t kHMask = (std::int64_t{1} << kPackedShift) - 1;
  return {_mm512_srai_epi64(words, kPackedShift),
          _mm512_and_si512(words, _mm512_set1_epi64(kHMask))};
}

/// The running sums over bins from one histogram of words.
class PackedSums {
 public:
  explicit PackedSums(const std::uint64_t* words) : words_(words), carry_(_mm512_setzero_si512()) {}
  Pair next(int bin, __mmask8 is_bin) {
    const __m512i words = _mm512_maskz_loadu_epi64(is_bin, words_ + bin);
    const __m512i sums = _mm512_add_epi64(running_sums(words), carry_);
    carry_ = last_lane(sums);
    return unpack_words(sums);
  }
  Pair everywhere(int bin) const {
    return unpack_words(_mm512_set1_epi64(static_cast<std::int64_t>(words_[bin])));
  }

 private:
  const std::uint64_t* words_;
  __m512i carry_;
};

/// The same from one of pairs.
class WideSums {
 public:
  explicit WideSums(const Sums* slots)
      : slots_(slots), carry_{_mm512_setzero_si512(), _mm512_setzero_si512()} {}
  Pair next(int bin, __mmask8 is_bin) {
    const std::int64_t* const from = &slots_[bin].g;
    const __m512i low =
        _mm512_maskz_loadu_epi64(static_cast<__mmask8>(_pdep_u32(is_bin, 0x55) * 3), from);
    const __m512i high =
        _mm512_maskz_loadu_epi64(static_cast<__mmask8>(_pdep_u32(is_bin >> 4, 0x55) * 3), from + 8);
    const __m512i g =
        _mm512_permutex2var_epi64(low, _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14), high);
    const __m512i h =
        _mm512_permutex2var_epi64(low, _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15), high);
    const Pair sums = {_mm512_add_epi64(running_sums(g), carry_.g),
                       _mm512_add_epi64(running_sums(h), carry_.h)};
    carry_ = {last_lane(sums.g), last_lane(sums.h)};
    return sums;
  }
  Pair everywhere(int bin) const {
    return {_mm512_set1_epi64(slots_[bin].g), _mm512_set1_epi64(slots_[bin].h)};
  }

 private:
  const Sums* slots_;
  Pair carry_;
};

/// A node's sums and the rules in every lane.
struct Node {
  Pair total;
  __m512d l2, base, least, min_h;
};

/// A CutRange in every lane.
class Range {
 public:
  explicit Range(const CutRange& range)
      : first_(_mm512_set1_epi64(range.first)), end_(_mm512_set1_epi64(range.end)) {}
  __mmask8 members(__mmask8 among, __m512i bins) const {
    return _mm512_mask_cmplt_epi64_mask(_mm512_mask_cmpge_epi64_mask(among, bins, first_), bins,
                                        end_);
  }

 private:
  __m512i first_, end_;
};

/// In each lane the best cut so far: the first of those with the greatest gain.
struct Best {
  __m512d gain;
  __m512i bin;
};

/// The expression of boosting_split.cpp.
inline void take(const Node& node, const Pair& left, __m512i bins, __mmask8 is_bin, Best& best) {
  const __m512d gl = _mm512_cvtepi64_pd(left.g);
  const __m512d hl = _mm512_cvtepi64_pd(left.h);
  const __m512d gr = _mm512_cvtepi64_pd(_mm512_sub_epi64(node.total.g, left.g));
  const __m512d hr = _mm512_cvtepi64_pd(_mm512_sub_epi64(node.total.h, left.h));
  const __m512d score =
      _mm512_add_pd(_mm512_div_pd(_mm512_mul_pd(gl, gl), _mm512_add_pd(hl, node.l2)),
                    _mm512_div_pd(_mm512_mul_pd(gr, gr), _mm512_add_pd(hr, node.l2)));
  const __m512d gain = _mm512_sub_pd(score, node.base);
  __mmask8 is_better = _mm512_mask_cmp_pd_mask(is_bin, gain, node.least, _CMP_GT_OQ);
  is_better = _mm512_mask_cmp_pd_mask(is_better, hl, node.min_h, _CMP_GE_OQ);
  is_better = _mm512_mask_cmp_pd_mask(is_better, hr, node.min_h, _CMP_GE_OQ);
  is_better = _mm512_mask_cmp_pd_mask(is_better, gain, best.gain, _CMP_GT_OQ);
  best.gain = _mm512_mask_mov_pd(best.gain, is_better, gain);
  best.bin = _mm512_mask_mov_epi64(best.bin, is_better, bins);
}

inline Candidate first_of(const Best& best, bool is_missing_left) {
  const double gain = _mm512_reduce_max_pd(best.gain);
  const __mmask8 has_gain = _mm512_cmp_pd_mask(best.gain, _mm512_set1_pd(gain), _CMP_EQ_OQ);
  const auto bin = _mm512_mask_reduce_min_epi64(has_gain, best.bin);
  return {gain, static_cast<std::int16_t>(bin), is_missing_left};
}

inline Candidate better_of(const Candidate& right, const Candidate& left) {
  if (left.gain != right.gain) return left.gain > right.gain ? left : right;
  return left.boundary <= right.boundary ? left : right;
}

template <class RunningSums>
Candidate scan(RunningSums sums, int missing_bin, const NodeSums& node, const SplitRules& rules,
               const CutRanges& ranges) {
  const auto g = static_cast<double>(node.total.g);
  const double base = g * g / (static_cast<double>(node.total.h) + rules.l2);
  const Node all = {{_mm512_set1_epi64(node.total.g), _mm512_set1_epi64(node.total.h)},
                    _mm512_set1_pd(rules.l2),
                    _mm512_set1_pd(base),
                    _mm512_set1_pd(base * kLeastGainShare),
                    _mm512_set1_pd(rules.min_h)};
  const Pair missing = sums.everywhere(missing_bin);
  const bool has_missing = _mm512_test_epi64_mask(missing.h, missing.h) != 0;
  const __m512i zero = _mm512_setzero_si512();
  __m512i bins = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
  const Range right_range(ranges.to_right), left_range(ranges.to_left);
  Best to_right = {_mm512_setzero_pd(), zero};  // by where missing goes
  Best to_left = to_right;
  for (int bin = 0; bin < missing_bin; bin += kLanes) {
    const auto is_bin =
        static_cast<__mmask8>(_bzhi_u32(0xff, static_cast<unsigned>(missing_bin - bin)));
    const Pair left = sums.next(bin, is_bin);
    take(all, left, bins, right_range.members(is_bin, bins), to_right);
    if (has_missing) {
      const Pair with_missing = {_mm512_add_epi64(left.g, missing.g),
                                 _mm512_add_epi64(left.h, missing.h)};
      // Missing values alone at the left is the last cut of the other direction.
      const __mmask8 has_rows = _mm512_mask_cmpneq_epi64_mask(is_bin, left.h, zero);
      take(all, with_missing, bins, left_range.members(has_rows, bins), to_left);
    }
    bins = _mm512_add_epi64(bins, _mm512_set1_epi64(kLanes));
  }
  Candidate best = first_of(to_right, false);
  if (has_missing) best = better_of(best, first_of(to_left, true));
  _mm256_zeroupper();
  return best;
}

}  // namespace

Candidate scan_sums_avx512(const Sums* slots, int missing_bin, const NodeSums& node,
                           const SplitRules& rules, const CutRanges& ranges) {
  return scan(WideSums(slots), missing_bin, node, rules, ranges);
}

Candidate scan_packed_avx512(const std::uint64_t* words, int missing_bin, const NodeSums& node,
                             const SplitRules& rules, const CutRanges& ranges) {
  return scan(PackedSums(words), missing_bin, node, rules, ranges);
}

}  // namespace orchard::learn::boosting

ORCHARD_END_INSTRUCTIONS

#endif
