#include "boosting/gradient_loops.hpp"
#include "orchard/base/instruction_set.hpp"

namespace orchard::learn::boosting {
namespace {

void derivatives(const LossInput& input, std::size_t begin, std::size_t n, GradientBlock& out) {
  loops::derivatives(input, begin, n, out);
}

GreatestBits greatest(const GradientBlock& block, std::size_t n) {
  return loops::greatest(block, n);
}

std::size_t pack(const GradientBlock& block, const double* weight, const PackScale& scale,
                 std::size_t n, std::uint64_t* out) {
  return loops::pack(block, weight, scale, n, out);
}

void softmax(int n_outputs, std::size_t n_rows, double raw_quantum, const std::int64_t* raw,
             std::size_t n, double* out) {
  loops::softmax(n_outputs, n_rows, raw_quantum, raw, n, out);
}

void find_extremes(const std::int64_t* raw, const double* target, std::size_t n,
                   RawExtremes& extremes) {
  loops::find_extremes(raw, target, n, extremes);
}

constexpr GradientKernel kBaseline{derivatives, greatest, pack, softmax, find_extremes};

}  // namespace

const GradientKernel& gradient_kernel() {
#if ORCHARD_HAS_X86_64
  return *choose_version(&kBaseline, &kGradientKernelAvx2, &kGradientKernelAvx512);
#else
  return kBaseline;
#endif
}

}  // namespace orchard::learn::boosting
