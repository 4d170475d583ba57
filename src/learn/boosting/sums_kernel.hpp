#pragma once
// The loops over the bins of a histogram. Versions for several instruction sets, all of the same
// bits.

#include <cstddef>
#include <cstdint>

#include "boosting/gradients.hpp"

namespace orchard::learn::boosting {

struct SumsKernel {
  /// Moves packed sums into wide ones and clears them. `is_first`: sets instead of adding.
  void (*flush)(std::uint64_t* packed, std::size_t n, Sums* out, bool is_first);
  void (*add)(Sums* to, const Sums* what, std::size_t n);
  void (*subtract)(Sums* from, const Sums* what, std::size_t n);
};

/// The kernel for instruction_set().
const SumsKernel& sums_kernel();

extern const SumsKernel kSumsKernelAvx2, kSumsKernelAvx512;

}  // namespace orchard::learn::boosting
