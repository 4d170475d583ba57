#include "orchard/base/elementary.hpp"

#include <cstddef>

// The best version for this processor is chosen when the program is loaded. All of them hold the
// same operations, so all of them give the same bits.
#if defined(__x86_64__) && defined(__ELF__)
#define ORCHARD_VECTOR_VERSIONS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define ORCHARD_VECTOR_VERSIONS
#endif

namespace orchard {

ORCHARD_VECTOR_VERSIONS
void exact_exp(std::span<const double> x, std::span<double> out) {
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = exact_exp(x[i]);
}

ORCHARD_VECTOR_VERSIONS
void exact_log(std::span<const double> x, std::span<double> out) {
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = exact_log(x[i]);
}

ORCHARD_VECTOR_VERSIONS
void exact_sigmoid(std::span<const double> x, std::span<double> out) {
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = exact_sigmoid(x[i]);
}

}  // namespace orchard
