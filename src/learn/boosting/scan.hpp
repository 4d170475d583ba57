#pragma once
// Vector versions of the search for the best numeric cut of a feature, apart from their reference
// in boosting_split.cpp.

#include <cstdint>

#include "boosting/split.hpp"
#include "orchard/base/instruction_set.hpp"

namespace orchard::learn::boosting {

/// A gain that is this small a share of what the node's sums give already is rounding.
inline constexpr double kLeastGainShare = 0x1p-44;

/// Bins [first, end) after which a node may be cut.
struct CutRange {
  int first = 0, end = 0;
};
/// By where missing values go.
struct CutRanges {
  CutRange to_right, to_left;
};

#if ORCHARD_HAS_X86_64

/// What best_split finds in a numeric feature, in the cuts of `ranges`: the same bits. `slots`,
/// `words`: [missing_bin + 1]; sums of packed words must not overflow. Local, any thread.
Candidate scan_sums_avx2(const Sums* slots, int missing_bin, const NodeSums& node,
                         const SplitRules& rules, const CutRanges& ranges);
Candidate scan_packed_avx2(const std::uint64_t* words, int missing_bin, const NodeSums& node,
                           const SplitRules& rules, const CutRanges& ranges);
Candidate scan_sums_avx512(const Sums* slots, int missing_bin, const NodeSums& node,
                           const SplitRules& rules, const CutRanges& ranges);
Candidate scan_packed_avx512(const std::uint64_t* words, int missing_bin, const NodeSums& node,
                             const SplitRules& rules, const CutRanges& ranges);

#endif

}  // namespace orchard::learn::boosting
