#include "boosting/gradient_loops.hpp"
#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64

#include <immintrin.h>

namespace orchard::learn::boosting {
ORCHARD_BEGIN_AVX2
namespace {

void derivatives(const LossInput& input, std::size_t begin, std::size_t n, GradientBlock& out) {
  loops::derivatives(input, begin, n, out);
  _mm256_zeroupper();
}

GreatestBits greatest(const GradientBlock& block, std::size_t n) {
  const GreatestBits found = loops::greatest(block, n);
  _mm256_zeroupper();
  return found;
}

std::size_t pack(const GradientBlock& block, const double* weight, const PackScale& scale,
                 std::size_t n, std::uint64_t* out) {
  const std::size_t n_few = loops::pack(block, weight, scale, n, out);
  _mm256_zeroupper();
  return n_few;
}

void softmax(int n_outputs, std::size_t n_rows, double raw_quantum, const std::int64_t* raw,
             std::size_t n, double* out) {
  loops::softmax(n_outputs, n_rows, raw_quantum, raw, n, out);
  _mm256_zeroupper();
}

__m256i all(std::uint64_t x) { return _mm256_set1_epi64x(static_cast<long long>(x)); }

/// Four numbers and, of each, the greatest and the least so far. There is no maximum of 64 bits.
struct Extremes {
  __m256i greatest, least;
  void take(__m256i of_greatest, __m256i of_least) {
    greatest = _mm256_blendv_epi8(greatest, of_greatest, _mm256_cmpgt_epi64(of_greatest, greatest));
    least = _mm256_blendv_epi8(least, of_least, _mm256_cmpgt_epi64(least, of_least));
  }
};

void find_extremes(const std::int64_t* raw, const double* target, std::size_t n,
                   RawExtremes& extremes) {
  // Patterns are compared as numbers of the other sign.
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  const __m256i sign = all(kSign);
  const __m256i of_none_0 = all(static_cast<std::uint64_t>(extremes.greatest_of_0));
  const __m256i of_none_1 = all(static_cast<std::uint64_t>(extremes.least_of_1));
  Extremes of_class{of_none_0, of_none_1};
  Extremes of_all{all(extremes.greatest ^ kSign), all(extremes.least ^ kSign)};
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    const __m256i here = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(raw + i));
    const __m256i is_1 = _mm256_castpd_si256(
        _mm256_cmp_pd(_mm256_loadu_pd(target + i), _mm256_set1_pd(1.0), _CMP_EQ_OQ));
    of_class.take(_mm256_blendv_epi8(here, of_none_0, is_1),
                  _mm256_blendv_epi8(of_none_1, here, is_1));
    const __m256i pattern = _mm256_xor_si256(here, sign);
    of_all.take(pattern, pattern);
  }
  alignas(32) std::int64_t greatest_of_0[4], least_of_1[4], greatest[4], least[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(greatest_of_0), of_class.greatest);
  _mm256_store_si256(reinterpret_cast<__m256i*>(least_of_1), of_class.least);
  _mm256_store_si256(reinterpret_cast<__m256i*>(greatest), of_all.greatest);
  _mm256_store_si256(reinterpret_cast<__m256i*>(least), of_all.least);
  extremes.greatest_of_0 = *std::max_element(greatest_of_0, greatest_of_0 + 4);
  extremes.least_of_1 = *std::min_element(least_of_1, least_of_1 + 4);
  const auto pattern_of = [](std::int64_t x) { return static_cast<std::uint64_t>(x) ^ kSign; };
  extremes.greatest = pattern_of(*std::max_element(greatest, greatest + 4));
  extremes.least = pattern_of(*std::min_element(least, least + 4));
  loops::find_extremes(raw + i, target + i, n - i, extremes);
  _mm256_zeroupper();
}

}  // namespace
ORCHARD_END_INSTRUCTIONS

const GradientKernel kGradientKernelAvx2{derivatives, greatest, pack, softmax, find_extremes};

}  // namespace orchard::learn::boosting

#endif
