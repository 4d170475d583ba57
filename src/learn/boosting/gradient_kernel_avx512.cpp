#include "boosting/gradient_loops.hpp"
#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64

#include <immintrin.h>

#if !defined(__clang__)
// GCC bug 105593: its own headers for these instructions are reported.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

namespace orchard::learn::boosting {
ORCHARD_BEGIN_AVX512
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

void find_extremes(const std::int64_t* raw, const double* target, std::size_t n,
                   RawExtremes& extremes) {
  const __m512d one = _mm512_set1_pd(1.0);
  __m512i greatest_of_0 = _mm512_set1_epi64(extremes.greatest_of_0);
  __m512i least_of_1 = _mm512_set1_epi64(extremes.least_of_1);
  __m512i least = _mm512_set1_epi64(static_cast<long long>(extremes.least));
  __m512i greatest = _mm512_set1_epi64(static_cast<long long>(extremes.greatest));
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m512i here = _mm512_loadu_si512(raw + i);
    const __mmask8 is_1 = _mm512_cmp_pd_mask(_mm512_loadu_pd(target + i), one, _CMP_EQ_OQ);
    const auto is_0 = static_cast<__mmask8>(~is_1);
    greatest_of_0 = _mm512_mask_max_epi64(greatest_of_0, is_0, greatest_of_0, here);
    least_of_1 = _mm512_mask_min_epi64(least_of_1, is_1, least_of_1, here);
    least = _mm512_min_epu64(least, here);
    greatest = _mm512_max_epu64(greatest, here);
  }
  extremes.greatest_of_0 = _mm512_reduce_max_epi64(greatest_of_0);
  extremes.least_of_1 = _mm512_reduce_min_epi64(least_of_1);
  extremes.least = _mm512_reduce_min_epu64(least);
  extremes.greatest = _mm512_reduce_max_epu64(greatest);
  loops::find_extremes(raw + i, target + i, n - i, extremes);
  _mm256_zeroupper();
}

}  // namespace
ORCHARD_END_INSTRUCTIONS

const GradientKernel kGradientKernelAvx512{derivatives, greatest, pack, softmax, find_extremes};

}  // namespace orchard::learn::boosting

#endif
