#pragma once
// Vector versions of the search for the best numeric cut of a feature, apart from their reference
// in boosting_split.cpp.

#include <cstdint>

#include "boosting_split.hpp"
#include "orchard/base/instruction_set.hpp"

namespace orchard::learn::boosting {

/// A gain that is this small a share of what the node's sums give already is rounding.
inline constexpr double kLeastGainShare = 0x1p-44;

#if ORCHARD_HAS_X86_64

/// What best_split finds without counts in a numeric feature: the same bits. `slots`, `words`:
/// [missing_bin + 1]; sums of packed words must not overflow. Local, any thread.
Candidate scan_sums_avx512(const Sums* slots, int missing_bin, const NodeSums& node,
                           const SplitRules& rules);
Candidate scan_packed_avx512(const std::uint64_t* words, int missing_bin, const NodeSums& node,
                             const SplitRules& rules);

#endif

}  // namespace orchard::learn::boosting
