#pragma once
// Reading a shared forest at all its cuts in one walk a tree and row.

#include <span>
#include <vector>

#include "test_rows.hpp"

namespace orchard::learn {

/// One tree made ready for reading test rows: a row is walked to the end of its path, which says
/// where each cut has stopped on the way. Keeps what it needs of the tree.
class TreeReadout {
 public:
  /// `width`: numbers in a value row. `cuts`: bit c stands for cut c; all bits up to the highest
  /// are set.
  TreeReadout(const model::Tree& tree, const data::Binning& binning, std::size_t width,
              std::uint64_t cuts);

  /// Adds the tree's values for some test rows at every cut to `sums`, [n_cuts][n_test][width].
  void add(const TestRows& test, model::WalkScratch& scratch, std::size_t n_test,
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
  std::vector<std::uint32_t> find_stops(const model::Tree& tree, std::uint64_t cuts);
  void find_entries();
  template <class ValueRow>
  void add_values(std::span<const ValueRow> value_rows, std::span<const NodeIndex> leaves,
                  std::size_t stride, std::int64_t* out) const;
  template <class ValueRow>
  void add_pair(const ValueRow* rows, std::int64_t* out, std::size_t stride) const;
  template <class ValueRow>
  void add_any(const ValueRow* rows, std::int64_t* out, std::size_t stride) const;

  std::vector<std::int64_t> values_;  ///< of the tree
  model::CodeTree walk_;
  std::size_t width_;
  std::size_t n_cuts_;
  std::vector<std::uint32_t> end_of_;  ///< [n_nodes]: number among the leaves, at a leaf
  /// [n_leaves][n_cuts]: the value row where each cut stops; in half the memory where that fits.
  std::vector<std::uint16_t> narrow_rows_;
  std::vector<std::uint32_t> wide_rows_;
  std::vector<Sparse> sparse_;  ///< [n_value_rows], but for pairs
  std::vector<Entry> entries_;
};

}  // namespace orchard::learn
