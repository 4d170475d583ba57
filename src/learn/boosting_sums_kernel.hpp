#pragma once
// The loops over the bins of a histogram. Versions for several instruction sets, all of the same
// bits.

#include <cstddef>
#include <cstdint>

#include "boosting_gradients.hpp"

namespace orchard::learn::boosting {

/// What decides which cut of a node is best, in quanta.
struct CutRules {
  double l2 = 0, min_h = 0;
  double base = 0;   ///< what the node's sums give uncut
  double least = 0;  ///< gains up to this are rounding; not negative
};

/// `bin`: the last one to the left. No legal cut: gain 0.
struct BestCut {
  double gain = 0;
  int bin = 0;
};

struct SumsKernel {
  /// Moves packed sums into wide ones and clears them. `is_first`: sets instead of adding.
  void (*flush)(std::uint64_t* packed, std::size_t n, Sums* out, bool is_first);
  void (*add)(Sums* to, const Sums* what, std::size_t n);
  void (*subtract)(Sums* from, const Sums* what, std::size_t n);
  /// Greatest gain over the cuts after bins [first, n_bins), ties to the lowest bin. The left side
  /// has `start` and the bins up to the cut, the right side the rest of `total`; both need h of
  /// min_h, which is positive. n_bins <= 255.
  BestCut (*best_cut)(const Sums* slots, int first, int n_bins, const Sums& start,
                      const Sums& total, const CutRules& rules);
};

/// The kernel for instruction_set().
const SumsKernel& sums_kernel();

extern const SumsKernel kSumsKernelAvx2, kSumsKernelAvx512;

}  // namespace orchard::learn::boosting
