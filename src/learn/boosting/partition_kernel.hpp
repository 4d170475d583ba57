#pragma once
// The loop that sends rows left or right. Versions for several instruction sets.

#include <array>
#include <cstdint>

#include "orchard/base/types.hpp"

namespace orchard::learn::boosting {

/// A set of bins: bit b says whether bin b goes left.
using BinSet = std::array<std::uint64_t, 4>;

/// Rows that went left and right so far.
struct Parted {
  std::uint32_t n_left = 0, n_right = 0;
};

/// Appends the rows of list[begin, end) whose bin is in `left` to the front of the list, at
/// list[n_left], and the others to `right`, keeping their order. n_left + n_right is `begin`, and
/// `right` has room for `end` rows. `column`: bins of all rows, readable up to a multiple of four.
using PartitionKernel = void (*)(RowIndex* list, std::uint32_t begin, std::uint32_t end,
                                 const Bin* column, const BinSet& left, RowIndex* right,
                                 Parted& parted);

/// The kernel for instruction_set().
PartitionKernel partition_kernel();

void partition_rows(RowIndex* list, std::uint32_t begin, std::uint32_t end, const Bin* column,
                    const BinSet& left, RowIndex* right, Parted& parted);
void partition_rows_avx2(RowIndex* list, std::uint32_t begin, std::uint32_t end, const Bin* column,
                         const BinSet& left, RowIndex* right, Parted& parted);
void partition_rows_avx512(RowIndex* list, std::uint32_t begin, std::uint32_t end,
                           const Bin* column, const BinSet& left, RowIndex* right, Parted& parted);

}  // namespace orchard::learn::boosting
