#pragma once

#include <array>

#include "orchard/model/tree.hpp"

namespace orchard::model {

/// The codes (RowCoder) that a categorical node sends right: bit c of the words stands for code c.
/// Codes past the node's levels, and so the one of missing, go where missing goes.
inline std::array<std::uint64_t, 4> right_codes(const Tree& tree, std::size_t node) {
  const auto begin = static_cast<std::size_t>(tree.category_begin[node]);
  const auto n_levels = static_cast<std::size_t>(tree.category_n_words[node]) * 32;
  const bool is_missing_left = (tree.flags[node] & Tree::kMissingLeft) != 0;
  std::array<std::uint64_t, 4> right{};
  for (std::size_t code = 0; code < 256; ++code) {
    const bool is_left = code < n_levels
                             ? (tree.category_words[begin + code / 32] >> (code % 32) & 1) != 0
                             : is_missing_left;
    if (!is_left) right[code / 64] |= std::uint64_t{1} << (code % 64);
  }
  return right;
}

}  // namespace orchard::model
