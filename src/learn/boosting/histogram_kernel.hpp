#pragma once
// The innermost loops of histogram building, apart so that versions for one processor can be added
// beside them.

#include <cstddef>
#include <cstdint>
#include <span>

#include "boosting/gradients.hpp"
#include "orchard/base/types.hpp"

namespace orchard::learn::boosting {

/// Packed sums of a feature begin this many words after those of the feature before: a constant, so
/// that addresses cost nothing, and no power of two, so that the features' first bins do not
/// compete for the same lines of the cache.
inline constexpr std::size_t kPackedStride = 264;
/// Most features of one call.
inline constexpr std::size_t kMaxTile = 64;

/// Row-major bins of at most kMaxTile consecutive features.
struct BinRows {
  const Bin* bins = nullptr;  ///< of row 0, at the first feature
  std::size_t stride = 0;     ///< from row to row
  std::size_t n_features = 0;
};

/// words_of_feature[bin] += words[row], for all features of all rows; `packed` has shape
/// [n_features][kPackedStride]. At most kPackedRows rows of a bin between two flushes.
void add_packed_rows(const BinRows& bins, const std::uint64_t* words,
                     std::span<const RowIndex> rows, std::uint64_t* packed);
/// The same with pairs, feature f at slots + offsets[f]: the reference, and the form for rounds
/// that need more bits.
void add_wide_rows(const BinRows& bins, const Sums* sums, std::span<const RowIndex> rows,
                   const std::uint32_t* offsets, Sums* slots);

}  // namespace orchard::learn::boosting
