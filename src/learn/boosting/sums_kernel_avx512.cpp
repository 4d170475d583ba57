#include "boosting/sums_loops.hpp"
#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64

#include <immintrin.h>

namespace orchard::learn::boosting {
ORCHARD_BEGIN_AVX512
namespace {

void flush(std::uint64_t* packed, std::size_t n, Sums* out, bool is_first) {
  loops::flush(packed, n, out, is_first);
  _mm256_zeroupper();
}

void add(Sums* to, const Sums* what, std::size_t n) {
  loops::add(to, what, n);
  _mm256_zeroupper();
}

void subtract(Sums* from, const Sums* what, std::size_t n) {
  loops::subtract(from, what, n);
  _mm256_zeroupper();
}

}  // namespace
ORCHARD_END_INSTRUCTIONS

const SumsKernel kSumsKernelAvx512{flush, add, subtract};

}  // namespace orchard::learn::boosting

#endif
