#pragma once
// The rows of a small subtree, each feature's in the order of its bins: sorted once, then every
// split parts the lists and no node sorts again.

#include <vector>

#include "forest/value/rows.hpp"

namespace orchard::learn::values {

/// At most kMaxListed rows, numbered from 0. Owns its memory, keeps it from subtree to subtree.
class Block {
 public:
  explicit Block(const ForestPlan& plan);

  /// Takes rows [begin, end).
  void start(const TreeRows& rows, std::size_t begin, std::size_t end);
  const Lists& lists() const { return lists_; }

  /// Sets places [begin, end) of every list aside, on top of those that are there.
  void keep(std::size_t begin, std::size_t end);
  /// Takes the places that were set aside last back to where they were.
  void put_back(std::size_t begin, std::size_t end);

  const std::uint8_t* numbers(std::size_t feature) const {
    return numbers_.data() + feature * kListStride;
  }
  const Bin* bins(std::size_t feature) const { return bins_.data() + feature * kListStride; }
  const Cell& cell(std::uint8_t number) const { return cells_[number]; }
  std::int64_t value(std::uint8_t number) const { return values_[number]; }

 private:
  void sort(const TreeRows& rows, std::size_t begin, std::size_t n_rows, std::size_t feature);

  const ForestPlan& plan_;
  std::vector<std::uint8_t> numbers_;
  std::vector<Bin> bins_, missing_bins_;
  std::vector<std::uint8_t> kept_;  ///< numbers and bins, feature by feature
  std::vector<Cell> cells_;
  std::vector<std::int64_t> values_;
  std::vector<double> scores_;
  std::vector<std::uint64_t> positions_;
  Lists lists_;
};

}  // namespace orchard::learn::values
