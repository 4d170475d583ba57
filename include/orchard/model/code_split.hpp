#pragma once
// What a node asks of a row of codes.

#include <array>
#include <functional>

#include "orchard/base/types.hpp"

namespace orchard::model {

/// Rows whose codes lie side by side, column by column.
inline constexpr std::size_t kCodeBlock = 256;
/// The code of a missing value.
inline constexpr Bin kMissingCode = 255;

struct CodeSplit {
  std::size_t column = 0;
  bool is_set = false;
  /// Codes above it go right; below 255. Missing is the greatest code and goes right, unless
  /// `is_missing_left`.
  Bin limit = 0;
  bool is_missing_left = false;
  std::array<std::uint64_t, 4> right{};  ///< is_set: bit c is set where code c goes right
};

/// The split of an inner node of the tree in question.
using SplitOf = std::function<CodeSplit(std::size_t node)>;

}  // namespace orchard::model
