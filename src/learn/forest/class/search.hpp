#pragma once
// Finding the best split of one node of a tree of several classes.

#include <memory>
#include <vector>

#include "forest/class/rows.hpp"
#include "forest/impurity.hpp"
#include "forest/split.hpp"

namespace orchard::learn::classes {

/// For one thread. Owns the memory of its counts.
class SplitSearch {
 public:
  SplitSearch(const ForestPlan& plan, const Kernels& kernels);

  /// `n_leaf_rows`: distinct rows that each side must have.
  void start_node(const Counts& counts, std::uint32_t weight, std::size_t n_rows,
                  std::uint32_t n_leaf_rows);
  /// Offers the best splits of at most kFeaturesAPass features, in their order; `columns` are
  /// theirs for the node's rows. False when no feature has two bins (with n_leaf_rows == 1).
  bool offer(const NodeRows& rows, const FeatureIndex* features, const Bin* const* columns,
             std::size_t n_features, Choice& best);

 private:
  bool offer_short(const NodeRows& rows, const FeatureIndex* features, const Bin* const* columns,
                   std::size_t n_features, Choice& best);
  BinList list_bins(const Bin* column, std::size_t n, FeatureIndex feature,
                    std::array<Bin, kBins>& list) const;
  bool offer_long(const NodeRows& rows, const Bin* column, FeatureIndex feature, Choice& best);

  struct Sweep;
  using LongCells = std::array<Counts, kBins>;

  const ForestPlan& plan_;
  Kernels kernels_;
  ShortNode node_;
  bool is_long_ = false;
  std::unique_ptr<Cells[]> cells_;
  std::array<Bin, kBins> all_bins_;
  std::array<std::array<Bin, kBins>, kFeaturesAPass> lists_;
  std::array<std::array<std::uint32_t, kBins>, kFeaturesAPass> n_rows_;
  // For nodes too heavy for 16 bits.
  ExactGini<std::uint32_t, std::int64_t> judge_;
  std::unique_ptr<LongCells> long_cells_;
  OccupiedBins occupied_;
};

}  // namespace orchard::learn::classes
