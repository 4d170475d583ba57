#pragma once
// Reading a shared forest at all its cuts in one walk a tree and row.

#include <span>
#include <vector>

#include "binned_tree.hpp"

namespace orchard::learn {

/// One tree made ready for reading test rows. Borrows the tree.
class TreeReadout {
 public:
  TreeReadout() = default;
  /// `width`: numbers in a value row.
  TreeReadout(const model::Tree& tree, const data::Binning& binning, std::size_t width);

  /// Adds the tree's values for test rows [begin, end) at every cut of `cuts` (bit c: cut c) to
  /// `sums`, [n_cuts][n_test][width].
  void add(const data::BinnedData& data, std::uint64_t cuts, RowIndex begin, RowIndex end,
           std::span<std::int64_t> sums) const;

 private:
  /// The numbers of a value row that are not 0: nearly all leaves of a deep tree know one class.
  struct Sparse {
    std::uint32_t begin = 0, end = 0;  ///< in entries_
    bool is_dense = false;
  };
  struct Entry {
    std::uint32_t output = 0;
    std::int64_t value = 0;
  };
  void add_value(NodeIndex node, std::int64_t* out) const;

  const model::Tree* tree_ = nullptr;
  BinnedTree binned_;
  std::size_t width_ = 0;
  std::vector<Sparse> rows_;
  std::vector<Entry> entries_;
};

}  // namespace orchard::learn
