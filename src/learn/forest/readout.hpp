#pragma once
// Reading a shared forest at all its cuts in one walk a tree and row.

#include <span>
#include <vector>

#include "test_rows.hpp"

namespace orchard::learn {

/// What reading some test rows leaves behind from tree to tree. One for each TestRows; finish()
/// takes what it has gathered.
struct ReadoutScratch {
  model::WalkScratch walk;
  std::vector<NodeIndex> leaves;
  /// [n_rows][n_items]: sums over trees of the second number of pairs, one row after the other.
  std::vector<std::int64_t> seconds;
  /// The same over trees of what both numbers add up to; wraps, as do sums that are not used.
  std::uint64_t total = 0;
};

/// One tree made ready for reading test rows: a row is walked to the end of its path, which says
/// where each cut has stopped on the way. Keeps what it needs of the tree.
///
/// The shares of two classes add up to the same number everywhere, so that of the second tells
/// both: the end of a path lists it for every cut, and the sums of a row lie side by side.
class TreeReadout {
 public:
  /// `width`: numbers in a value row. `cuts`: bit c stands for cut c; all bits up to the highest
  /// are set.
  TreeReadout(const model::Tree& tree, const data::Binning& binning, std::size_t width,
              std::uint64_t cuts);

  /// Adds the tree's values for some test rows at every cut to `sums`, [n_cuts][n_test][width], or
  /// to `scratch`, from where finish() takes them.
  void add(const TestRows& test, ReadoutScratch& scratch, std::size_t n_test,
           std::span<std::int64_t> sums) const;
  /// Moves to `sums` what trees of width 2 with these cuts have left in `scratch`.
  static void finish(const TestRows& test, ReadoutScratch& scratch, std::size_t n_cuts,
                     std::size_t n_test, std::span<std::int64_t> sums);

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
  /// What a leaf lists: an item for each cut, and one that nobody reads where that evens them out.
  static std::size_t n_items(std::size_t n_cuts) { return (n_cuts + 1) / 2 * 2; }
  static bool has_equal_totals(std::span<const std::int64_t> values);
  std::uint32_t item_of(const model::Tree& tree, std::size_t node) const;
  std::vector<std::uint32_t> find_stops(const model::Tree& tree, std::uint64_t cuts);
  void find_entries();
  template <class Item, class AddRow>
  void for_rows(std::span<const Item> items, std::span<const NodeIndex> leaves,
                const AddRow& add_row) const;
  void add_seconds(std::span<const NodeIndex> leaves, std::int64_t* out) const;
  template <class ValueRow>
  void add_values(std::span<const ValueRow> value_rows, std::span<const NodeIndex> leaves,
                  std::size_t stride, std::int64_t* out) const;

  model::CodeTree walk_;
  std::size_t width_;
  std::size_t n_cuts_;
  bool is_paired_;           ///< two numbers of a constant total
  std::uint64_t total_ = 0;  ///< which is this
  std::size_t n_items_;
  std::vector<std::uint32_t> end_of_;  ///< [n_nodes]: number among the leaves, at a leaf
  /// [n_leaves][n_items]: the value row where each cut stops, in half the memory where that fits;
  /// of pairs the second number.
  std::vector<std::uint16_t> narrow_rows_;
  std::vector<std::uint32_t> wide_rows_, seconds_;
  // Unless is_paired_: the tree's values, and the same again where few are not 0.
  std::vector<std::int64_t> values_;
  std::vector<Sparse> sparse_;  ///< [n_value_rows]
  std::vector<Entry> entries_;
};

}  // namespace orchard::learn
