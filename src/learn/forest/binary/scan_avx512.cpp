// Searching histograms 16 bins at a time.

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

}  // namespace

bool search_words_avx512(const std::uint32_t* words, const std::uint32_t* n_rows,
                         const NodeCounts& node, int missing_bin, FeatureIndex feature,
                         Choice& best) {
  const bool is_varied =
      node.n_leaf_rows > 1 ? search_feature<true>(words, n_rows, node, missing_bin, feature, best)
                           : search_feature<false>(words, n_rows, node, missing_bin, feature, best);
  _mm256_zeroupper();
  return is_varied;
}

}  // namespace orchard::learn::binary

ORCHARD_END_INSTRUCTIONS

#endif
