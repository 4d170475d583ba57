#pragma once
// The loops behind bin_search.hpp, for each instruction set. `tree` is ThresholdTree::node.

#include <cstddef>
#include <cstdint>

#include "orchard/base/types.hpp"

namespace orchard::data {

/// CutTable::bins_of over `n` values; 256 nodes.
using SearchCuts = void(const float* tree, const float* values, std::size_t n, Bin missing_bin,
                        Bin* out);
/// IntervalTable::bins_of over `n` values; 512 nodes. Thresholds 2i and 2i + 1 enclose interval i:
/// the number of thresholds below a value is odd exactly inside of one.
using SearchIntervals = std::size_t(const float* tree, const float* values, std::size_t n,
                                    Bin missing_bin, Bin* out, std::uint16_t* outside);

SearchCuts search_cuts_avx2, search_cuts_avx512;
SearchIntervals search_intervals_avx2, search_intervals_avx512;

}  // namespace orchard::data
