#pragma once
// The histograms of the nodes that wait.

#include <algorithm>
#include <memory>
#include <vector>

#include "forest/value/kernels.hpp"

namespace orchard::learn::values {

/// Cells of all features of one node, in a HistogramPool; or none.
class Histogram {
 public:
  Histogram() = default;
  explicit Histogram(Cell* cells) : cells_(cells) {}
  Cell* cells() const { return cells_; }

 private:
  Cell* cells_ = nullptr;
};

/// A bounded number of histograms of `n_cells` cells, kept from tree to tree.
class HistogramPool {
 public:
  explicit HistogramPool(std::size_t n_cells) : n_cells_(n_cells) {}

  /// All are free again.
  void clear() {
    free_.clear();
    for (const auto& cells : memory_) free_.push_back(cells.get());
  }
  /// Whether there is one to spare for a node that can do without.
  bool has_more() const { return memory_.size() - free_.size() + 1 < n_most(); }
  /// All zero.
  Histogram take() {
    if (free_.empty()) {
      memory_.push_back(std::make_unique<Cell[]>(n_cells_));
      return Histogram(memory_.back().get());
    }
    Cell* cells = free_.back();
    free_.pop_back();
    std::fill_n(cells, n_cells_, Cell{});
    return Histogram(cells);
  }
  void give_back(Histogram histogram) { free_.push_back(histogram.cells()); }
  /// from -= part.
  void subtract(Histogram part, Histogram from) const {
    for (std::size_t i = 0; i < n_cells_; ++i) from.cells()[i] -= part.cells()[i];
  }

 private:
  /// Beyond this many bytes, waiting nodes are counted again when their turn comes.
  static constexpr std::size_t kMostBytes = std::size_t{32} << 20;
  std::size_t n_most() const {
    return std::max<std::size_t>(2, kMostBytes / (n_cells_ * sizeof(Cell)));
  }

  std::size_t n_cells_;
  std::vector<std::unique_ptr<Cell[]>> memory_;
  std::vector<Cell*> free_;
};

}  // namespace orchard::learn::values
