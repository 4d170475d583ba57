#include "boosting/sums_loops.hpp"
#include "orchard/base/instruction_set.hpp"

namespace orchard::learn::boosting {
namespace {

void flush(std::uint64_t* packed, std::size_t n, Sums* out, bool is_first) {
  loops::flush(packed, n, out, is_first);
}

void add(Sums* to, const Sums* what, std::size_t n) { loops::add(to, what, n); }

void subtract(Sums* from, const Sums* what, std::size_t n) { loops::subtract(from, what, n); }

constexpr SumsKernel kBaseline{flush, add, subtract};

}  // namespace

const SumsKernel& sums_kernel() {
#if ORCHARD_HAS_X86_64
  return *choose_version(&kBaseline, &kSumsKernelAvx2, &kSumsKernelAvx512);
#else
  return kBaseline;
#endif
}

}  // namespace orchard::learn::boosting
