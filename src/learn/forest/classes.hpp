#pragma once
// Split search between classes: any number of them, gini or entropy, with class weights.

#include <span>
#include <utility>
#include <vector>

#include "forest/impurity.hpp"
#include "forest/split.hpp"

namespace orchard::learn {

/// Finds the best split of one node after another, for one thread. See TreeGrower for the protocol.
/// Count is the type of a row's weight, Judge one of forest_impurity.hpp over it.
template <class Count, class Judge>
class ClassSearch {
 public:
  struct Row {
    Count weight;
    std::uint32_t label;
  };

  explicit ClassSearch(const ForestPlan& plan);

  void start_tree(const TreeStart& start, const std::vector<std::uint32_t>& multiplicity);
  Row make_row(RowIndex position, std::uint32_t multiplicity) const {
    const auto weight = plan_.targets.has_weights ? plan_.targets.weight[position] : 1;
    return {static_cast<Count>(weight * multiplicity), plan_.targets.label[position]};
  }
  std::int64_t integer_weight(std::span<const Row> rows) const;

  /// Factors of all classes; empty: 1.
  void start_tree(const std::vector<double>& class_weight) { judge_.start_tree(class_weight); }
  void start_node(std::span<const Row> rows);
  /// `counts`: [n_classes].
  void start_node(std::span<const std::int64_t> counts);
  bool is_pure() const { return classes_.size() == 1; }
  double node_weight() const { return judge_.node_weight(); }
  const Split& split() const { return split_; }
  /// The same, and the next feature competes with none.
  Split take_split() { return std::exchange(split_, Split()); }

  /// Offers the best split of `feature` among those with `n_leaf_rows` distinct rows a side. False
  /// when all rows lie in one bin.
  bool try_feature(FeatureIndex feature, const RowIndex* positions, std::span<const Row> rows,
                   std::uint32_t n_leaf_rows);

  /// The same from what the node's rows add up to in each bin: in_bin(bin) gives their number and
  /// their class counts, [n_classes].
  template <class InBin>
  bool try_feature(FeatureIndex feature, std::uint32_t n_rows, std::uint32_t n_leaf_rows,
                   InBin in_bin) {
    const auto& bins = plan_.context.data.binning->features[feature];
    n_leaf_rows_ = n_leaf_rows;
    for (int bin = 0; bin < bins.n_slots(); ++bin) {
      const auto [n, counts] = in_bin(bin);
      if (n == 0) continue;
      const auto slot = static_cast<std::size_t>(bin);
      n_rows_[slot] = static_cast<std::uint32_t>(n);
      for (std::size_t id = 0; id < classes_.size(); ++id) {
        cell(slot)[id] = static_cast<Count>(counts[classes_[id]]);
      }
    }
    return offer_cells(feature, bins, n_rows);
  }

  /// (weight of node / weight of root) x impurity decrease of the split with these rows left.
  double decrease(std::span<const Row> left_rows, double root_weight);
  double decrease(std::span<const std::int64_t> left_counts, double root_weight);
  /// The node's value row: class fractions that sum to 2^kFractionBits.
  void write_value(std::span<std::int64_t> out) const;

 private:
  struct ChainSweep;
  struct CellSweep;
  static constexpr std::uint32_t kNoRow = ~std::uint32_t{0};

  void find_classes();
  bool offer_cells(FeatureIndex feature, const data::FeatureBins& bins, std::uint32_t n_rows);
  void list_bins(const BinSet& occupied, int missing_bin, bool is_counted);
  void chain_rows(const Bin* column, int missing_bin, const RowIndex* positions,
                  std::span<const Row> rows);
  void count_cells(const Bin* column, const RowIndex* positions, std::span<const Row> rows);
  void clear_chains();
  void clear_cells(const data::FeatureBins& bins);
  bool pool_rare_levels(int missing_bin);
  void try_categories(FeatureIndex feature, const data::FeatureBins& bins, std::uint32_t n_rows);
  void sort_categories(std::size_t id);
  Count* cell(std::size_t bin) { return cells_.data() + bin * classes_.size(); }
  bool is_counted() const { return n_leaf_rows_ > 1; }
  template <class Sweep>
  Candidate scan_bins(bool counted, std::uint32_t n_rows, Sweep& sweep);

  const ForestPlan& plan_;
  Judge judge_;
  Split split_;
  OccupiedBins bins_;
  int missing_bin_ = 0;
  std::uint32_t n_leaf_rows_ = 1;
  std::vector<Count> counts_;             ///< [n_classes] of the node, then of the present classes
  std::vector<std::uint32_t> classes_;    ///< present in the node, ascending
  std::vector<std::uint32_t> id_;         ///< [n_classes]: place in classes_
  std::vector<std::size_t> order_;        ///< ids by falling count, for categorical splits
  std::vector<std::uint32_t> next_;       ///< [n rows]: next row of the same bin
  std::array<std::uint32_t, 256> first_;  ///< first row of a bin; kNoRow between features
  std::array<std::uint32_t, 256> n_rows_{};  ///< by bin; zero between features
  std::vector<Count> cells_;                 ///< [bin][id]; zero between features
};

extern template class ClassSearch<std::uint32_t, ExactGini<std::uint32_t, std::int64_t>>;
extern template class ClassSearch<std::int64_t, ExactGini<std::int64_t, __int128>>;
extern template class ClassSearch<std::uint32_t, WeightedImpurity<std::uint32_t>>;
extern template class ClassSearch<std::int64_t, WeightedImpurity<std::int64_t>>;

}  // namespace orchard::learn
