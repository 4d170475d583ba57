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

void find_extremes(const std::int64_t* raw, const double* target, std::size_t n,
                   RawExtremes& extremes) {
  loops::find_extremes(raw, target, n, extremes);
  _mm256_zeroupper();
}

}  // namespace
ORCHARD_END_INSTRUCTIONS

const GradientKernel kGradientKernelAvx2{derivatives, greatest, pack, softmax, find_extremes};

}  // namespace orchard::learn::boosting

#endif
