#include "boosting/partition_kernel.hpp"

#include "orchard/base/instruction_set.hpp"

namespace orchard::learn::boosting {

// Both sides are written for every row and one cursor advances: no branch to mispredict.
void partition_rows(RowIndex* list, std::uint32_t begin, std::uint32_t end, const Bin* column,
                    const BinSet& left, RowIndex* right, Parted& parted) {
  std::uint32_t n_left = parted.n_left, n_right = parted.n_right;
  for (std::uint32_t at = begin; at < end; ++at) {
    const RowIndex row = list[at];
    const Bin bin = column[row];
    const auto is_left = static_cast<std::uint32_t>(left[bin / 64] >> (bin % 64) & 1);
    list[n_left] = row;
    right[n_right] = row;
    n_left += is_left;
    n_right += 1 - is_left;
  }
  parted = {n_left, n_right};
}

PartitionKernel partition_kernel() {
#if ORCHARD_HAS_X86_64
  return choose_version(&partition_rows, &partition_rows_avx2, &partition_rows_avx512);
#else
  return partition_rows;
#endif
}

}  // namespace orchard::learn::boosting
