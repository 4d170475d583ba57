// Searching histograms eight bins at a time.

#include "forest/binary/kernels.hpp"
#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64
#include <immintrin.h>

ORCHARD_BEGIN_AVX2

namespace orchard::learn::binary {
namespace {

constexpr std::size_t kLanes = 8;

inline __m256i load(const std::uint32_t* at) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(at));
}
inline void store(std::uint32_t* at, __m256i x) {
  _mm256_store_si256(reinterpret_cast<__m256i*>(at), x);
}
inline __m256i broadcast(std::uint32_t x) { return _mm256_set1_epi32(static_cast<int>(x)); }

/// The expression of NarrowJudge.
inline double exact_score(std::uint32_t weight, std::uint32_t positives, const Counts& node) {
  const auto d = static_cast<double>(static_cast<std::int64_t>(positives) * node.weight -
                                     static_cast<std::int64_t>(weight) * node.positives);
  return d * d / (static_cast<double>(weight) * static_cast<double>(node.weight - weight));
}

/// Sums of lanes 0 .. i at every lane i.
inline __m256i running_sums(__m256i x) {
  x = _mm256_add_epi32(x, _mm256_slli_si256(x, 4));
  x = _mm256_add_epi32(x, _mm256_slli_si256(x, 8));
  const __m256i low_sum = _mm256_shuffle_epi32(_mm256_permute2x128_si256(x, x, 0x08), 0xff);
  return _mm256_add_epi32(x, low_sum);
}

struct Running {
  alignas(64) std::uint32_t words[kWords];
  alignas(64) std::uint32_t n_rows[kWords];
  alignas(64) std::uint32_t occupied[kWords];  ///< not 0
  alignas(64) float score[kWords];
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

inline float greatest_of(__m256 x) {
  __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  four = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(four, _mm_shuffle_ps(four, four, 1)));
}

template <bool kCounted>
Best search_side(Running& running, const NodeCounts& node, std::uint32_t moved_word,
                 std::uint32_t moved_rows, double least) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i total = broadcast(node.counts.weight);
  const __m256i total_positives = broadcast(node.counts.positives);
  const __m256i moved = broadcast(moved_word);
  const __m256 none = _mm256_set1_ps(-1.0F);
  __m256 greatest = none;
  for (std::size_t chunk = 0; chunk < running.n_chunks; ++chunk) {
    const __m256i left = _mm256_add_epi32(load(running.words + chunk * kLanes), moved);
    const __m256i weight = _mm256_srli_epi32(left, 16);
    const __m256i positives = _mm256_and_si256(left, _mm256_set1_epi32(0xffff));
    const __m256i right = _mm256_sub_epi32(total, weight);
    // Both products may wrap; their difference is below 2^30.
    const __m256i contrast = _mm256_sub_epi32(_mm256_mullo_epi32(positives, total),
                                              _mm256_mullo_epi32(weight, total_positives));
    __m256i is_illegal =
        _mm256_or_si256(_mm256_cmpeq_epi32(load(running.occupied + chunk * kLanes), zero),
                        _mm256_cmpeq_epi32(right, zero));
    if constexpr (kCounted) {
      const __m256i n_left =
          _mm256_add_epi32(load(running.n_rows + chunk * kLanes), broadcast(moved_rows));
      const __m256i n_right = _mm256_sub_epi32(broadcast(node.n_rows), n_left);
      const __m256i n_least = broadcast(node.n_leaf_rows);
      is_illegal = _mm256_or_si256(is_illegal, _mm256_cmpgt_epi32(n_least, n_left));
      is_illegal = _mm256_or_si256(is_illegal, _mm256_cmpgt_epi32(n_least, n_right));
    }
    const __m256 d = _mm256_cvtepi32_ps(contrast);
    const __m256 score = _mm256_div_ps(
        _mm256_mul_ps(d, d), _mm256_mul_ps(_mm256_cvtepi32_ps(weight), _mm256_cvtepi32_ps(right)));
    const __m256 legal_score = _mm256_blendv_ps(score, none, _mm256_castsi256_ps(is_illegal));
    greatest = _mm256_max_ps(greatest, legal_score);
    _mm256_store_ps(running.score + chunk * kLanes, legal_score);
  }
  const float top = greatest_of(greatest);
  Best best;
  if (top < 0) return best;
  best.score = 0;  // a split was possible, though perhaps not a better one
  if (static_cast<double>(top) * kSurelyAbove < least) return best;
  best.score = -1;
  const __m256 limit = _mm256_set1_ps(top * kNearlyBest);
  for (std::size_t chunk = 0; chunk < running.n_chunks; ++chunk) {
    const __m256 score = _mm256_load_ps(running.score + chunk * kLanes);
    auto nearly =
        static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(score, limit, _CMP_GE_OQ)));
    for (; nearly != 0; nearly &= nearly - 1) {
      const std::size_t bin = chunk * kLanes + _tzcnt_u32(nearly);
      const std::uint32_t left = running.words[bin] + moved_word;
      const double exact = exact_score(left >> 16, left & 0xffff, node.counts);
      if (exact > best.score) best = {exact, static_cast<int>(bin), left};
    }
  }
  return best;
}

template <bool kCounted>
void sum_up(const std::uint32_t* words, const std::uint32_t* n_rows, Running& running) {
  __m256i carry = _mm256_setzero_si256(), rows_carry = _mm256_setzero_si256();
  const __m256i last = _mm256_set1_epi32(7);
  for (std::size_t chunk = 0; chunk < running.n_chunks; ++chunk) {
    const __m256i own = load(words + chunk * kLanes);
    store(running.occupied + chunk * kLanes, own);
    const __m256i sums = _mm256_add_epi32(running_sums(own), carry);
    carry = _mm256_permutevar8x32_epi32(sums, last);
    store(running.words + chunk * kLanes, sums);
    if constexpr (kCounted) {
      const __m256i rows =
          _mm256_add_epi32(running_sums(load(n_rows + chunk * kLanes)), rows_carry);
      rows_carry = _mm256_permutevar8x32_epi32(rows, last);
      store(running.n_rows + chunk * kLanes, rows);
    }
  }
}

template <bool kCounted>
bool search_feature(const std::uint32_t* words, const std::uint32_t* n_rows, const NodeCounts& node,
                    int missing_bin, FeatureIndex feature, Choice& best) {
  Running running;
  const auto missing = static_cast<std::size_t>(missing_bin);
  running.n_chunks = missing / kLanes + 1;
  sum_up<kCounted>(words, n_rows, running);
  const double least = best.score;
  // Rows without a value occupy the highest bin: at the right of every candidate.
  Best found = search_side<kCounted>(running, node, 0, 0, least);
  const bool has_missing = words[missing] != 0;
  const bool is_varied = found.score >= 0;
  bool is_missing_left = false;
  if (has_missing) {
    running.occupied[missing] = 0;
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

bool search_words_avx2(const std::uint32_t* words, const std::uint32_t* n_rows,
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
