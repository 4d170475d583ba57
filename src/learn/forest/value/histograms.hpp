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
    const Histogram out = take_any();
    std::fill_n(out.cells(), n_cells_, Cell{});
    return out;
  }
  /// One of equal cells, or none when there is none to spare.
  Histogram copy(Histogram from) {
    if (!has_more()) return {};
    const Histogram out = take_any();
    std::copy_n(from.cells(), n_cells_, out.cells());
    return out;
  }
  void give_back(Histogram histogram) { free_.push_back(histogram.cells()); }
  /// from -= part.
  void subtract(Histogram part, Histogram from) const {
    for (std::size_t i = 0; i < n_cells_; ++i) from.cells()[i] -= part.cells()[i];
  }

 private:
  Histogram take_any() {
    if (free_.empty()) {
      memory_.push_back(std::make_unique<Cell[]>(n_cells_));
      free_.push_back(memory_.back().get());
    }
    Cell* cells = free_.back();
    free_.pop_back();
    return Histogram(cells);
  }
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
