#pragma once
// What the versions of CodeTree's walk share.

#include "orchard/model/code_walk.hpp"

namespace orchard::model {

/// Nodes of four bytes, none of which splits by membership.
struct NarrowWalk {
  const std::uint32_t* words;
  const Bin* codes;
  std::uint32_t stride;
  std::uint32_t leaf_column;
  std::uint32_t* row;    ///< [n_walks]: the rows, overwritten; 16 more entries are writable
  std::uint32_t* state;  ///< the same of the places where they begin
};

/// leaves[row] = the node that each of `n_walks` rows arrives at; the first for rows that miss
/// nothing.
void walk_narrow_avx512(const NarrowWalk& walk, std::size_t n_walks, NodeIndex* leaves);
void walk_narrow_missing_avx512(const NarrowWalk& walk, std::size_t n_walks, NodeIndex* leaves);

}  // namespace orchard::model
