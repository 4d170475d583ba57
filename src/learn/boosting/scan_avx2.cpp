// Searching a feature's histogram four bins at a time; as in the version for AVX-512, bins without
// rows need no care. Sums are made one by one: there is no vector conversion of 64-bit integers.

#include "boosting/scan.hpp"

#if ORCHARD_HAS_X86_64
#include <immintrin.h>

ORCHARD_BEGIN_AVX2

namespace orchard::learn::boosting {
namespace {

constexpr int kLanes = 4;
constexpr int kMaxCuts = 256;

/// The sides of the cut after each bin, for one direction of missing values.
struct Sides {
  alignas(32) double gl[kMaxCuts], hl[kMaxCuts], gr[kMaxCuts], hr[kMaxCuts];
};

inline std::int64_t g_of(const Sums& slot) { return slot.g; }
inline std::int64_t h_of(const Sums& slot) { return slot.h; }
inline std::int64_t g_of(std::uint64_t word) {
  return static_cast<std::int64_t>(word) >> kPackedShift;
}
inline std::int64_t h_of(std::uint64_t word) {
  return static_cast<std::int64_t>(word & ((std::uint64_t{1} << kPackedShift) - 1));
}

/// Cuts at and after `range.end`, up to a whole vector, have no rows at the left.
template <class Slot>
void fill_sides(const Slot* slots, const CutRange& range, const Sums& start, const Sums& total,
                Sides& sides) {
  std::int64_t g = start.g, h = start.h;
  int bin = 0;
  for (; bin < range.end; ++bin) {
    g += g_of(slots[bin]);
    h += h_of(slots[bin]);
    sides.gl[bin] = static_cast<double>(g);
    sides.hl[bin] = static_cast<double>(h);
    sides.gr[bin] = static_cast<double>(total.g - g);
    sides.hr[bin] = static_cast<double>(total.h - h);
  }
  for (; bin % kLanes != 0; ++bin) {
    sides.gl[bin] = sides.hl[bin] = sides.gr[bin] = sides.hr[bin] = 0;
  }
}

/// The expression of boosting_split.cpp. In each lane the first cut of the greatest gain, then the
/// first of these.
Candidate best_of(const Sides& sides, const CutRange& range, const SplitRules& rules, double base,
                  bool is_missing_left) {
  const __m256d l2 = _mm256_set1_pd(rules.l2);
  const __m256d bases = _mm256_set1_pd(base);
  const __m256d least = _mm256_set1_pd(base * kLeastGainShare);
  const __m256d min_h = _mm256_set1_pd(rules.min_h);
  __m256d best_gain = _mm256_setzero_pd();
  __m256d best_bin = _mm256_setzero_pd();
  const int begin = range.first / kLanes * kLanes;
  const __m256d first = _mm256_set1_pd(range.first);
  __m256d bins = _mm256_add_pd(_mm256_set1_pd(begin), _mm256_setr_pd(0, 1, 2, 3));
  for (int bin = begin; bin < range.end; bin += kLanes) {
    const __m256d gl = _mm256_load_pd(sides.gl + bin);
    const __m256d hl = _mm256_load_pd(sides.hl + bin);
    const __m256d gr = _mm256_load_pd(sides.gr + bin);
    const __m256d hr = _mm256_load_pd(sides.hr + bin);
    const __m256d score =
        _mm256_add_pd(_mm256_div_pd(_mm256_mul_pd(gl, gl), _mm256_add_pd(hl, l2)),
                      _mm256_div_pd(_mm256_mul_pd(gr, gr), _mm256_add_pd(hr, l2)));
    const __m256d gain = _mm256_sub_pd(score, bases);
    const __m256d is_better =
        _mm256_and_pd(_mm256_and_pd(_mm256_and_pd(_mm256_cmp_pd(gain, least, _CMP_GT_OQ),
                                                  _mm256_cmp_pd(gain, best_gain, _CMP_GT_OQ)),
                                    _mm256_and_pd(_mm256_cmp_pd(hl, min_h, _CMP_GE_OQ),
                                                  _mm256_cmp_pd(hr, min_h, _CMP_GE_OQ))),
                      _mm256_cmp_pd(bins, first, _CMP_GE_OQ));
    best_gain = _mm256_blendv_pd(best_gain, gain, is_better);
    best_bin = _mm256_blendv_pd(best_bin, bins, is_better);
    bins = _mm256_add_pd(bins, _mm256_set1_pd(kLanes));
  }
  alignas(32) double gains[kLanes], of_bins[kLanes];
  _mm256_store_pd(gains, best_gain);
  _mm256_store_pd(of_bins, best_bin);
  int best = 0;
  for (int lane = 1; lane < kLanes; ++lane) {
    const bool is_lower = gains[lane] == gains[best] && of_bins[lane] < of_bins[best];
    if (gains[lane] > gains[best] || is_lower) best = lane;
  }
  return {gains[best], static_cast<std::int16_t>(of_bins[best]), is_missing_left};
}

template <class Slot>
Candidate scan(const Slot* slots, int missing_bin, const NodeSums& node, const SplitRules& rules,
               const CutRanges& ranges) {
  const auto g = static_cast<double>(node.total.g);
  const double base = g * g / (static_cast<double>(node.total.h) + rules.l2);
  const Sums missing = {g_of(slots[missing_bin]), h_of(slots[missing_bin])};
  Sides sides;
  fill_sides(slots, ranges.to_right, {0, 0}, node.total, sides);
  Candidate best = best_of(sides, ranges.to_right, rules, base, false);
  if (missing.h != 0) {
    // Missing values alone at the left is the last cut of the other direction.
    CutRange range = {0, ranges.to_left.end};
    while (range.first < range.end && h_of(slots[range.first]) == 0) ++range.first;
    if (range.first < ranges.to_left.first) range.first = ranges.to_left.first;
    fill_sides(slots, range, missing, node.total, sides);
    const Candidate left = best_of(sides, range, rules, base, true);
    const bool wins_tie = left.gain == best.gain && left.boundary <= best.boundary;
    if (left.gain > best.gain || wins_tie) best = left;
  }
  _mm256_zeroupper();
  return best;
}

}  // namespace

Candidate scan_sums_avx2(const Sums* slots, int missing_bin, const NodeSums& node,
                         const SplitRules& rules, const CutRanges& ranges) {
  return scan(slots, missing_bin, node, rules, ranges);
}

Candidate scan_packed_avx2(const std::uint64_t* words, int missing_bin, const NodeSums& node,
                           const SplitRules& rules, const CutRanges& ranges) {
  return scan(words, missing_bin, node, rules, ranges);
}

}  // namespace orchard::learn::boosting

ORCHARD_END_INSTRUCTIONS

#endif
