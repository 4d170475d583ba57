#pragma once
// Split search where a side of a split is two integers: its weight and a sum. That is regression by
// squared error, and two classes by gini, which is squared error on 0 and 1.

#include <span>
#include <utility>
#include <vector>

#include "forest/plan.hpp"
#include "forest/split.hpp"

namespace orchard::learn {

using Int128 = __int128;

/// Weight and sum of some rows.
struct Pair {
  std::int64_t weight = 0, sum = 0;
};

/// (L.sum W - L.weight S): the sides' difference, exactly.
inline Int128 contrast(const Pair& left, const Pair& node) {
  return static_cast<Int128>(left.sum) * node.weight - static_cast<Int128>(left.weight) * node.sum;
}

// A judge scores the left sides of one node: proportional to the impurity decrease
// contrast^2 / (W L R), without the factors that all splits of a node share.

/// Weights and sums below 2^31: the contrast fits 64 bits.
class NarrowJudge {
 public:
  void start(const Pair& node) { node_ = node; }
  double score(const Pair& left) const {
    const auto d = static_cast<double>(left.sum * node_.weight - left.weight * node_.sum);
    const auto right = node_.weight - left.weight;
    return d * d / (static_cast<double>(left.weight) * static_cast<double>(right));
  }

 private:
  Pair node_;
};

/// Any weights and sums: the contrast in 128 bits.
class WideJudge {
 public:
  void start(const Pair& node) { node_ = node; }
  double score(const Pair& left) const {
    const auto d = static_cast<double>(contrast(left, node_));
    const auto right = node_.weight - left.weight;
    return d * d / (static_cast<double>(left.weight) * static_cast<double>(right));
  }

 private:
  Pair node_;
};

/// Small weights and wide sums: contrast / W as a 64-bit difference to the node's mean, whose
/// fraction is carried in double. No cancellation, no 128-bit step a bin.
class CentredJudge {
 public:
  void start(const Pair& node) {
    weight_ = node.weight;
    mean_ = node.sum / node.weight;
    rest_ = static_cast<double>(node.sum % node.weight) / static_cast<double>(node.weight);
  }
  double score(const Pair& left) const {
    const auto l = static_cast<double>(left.weight);
    const double d = static_cast<double>(left.sum - left.weight * mean_) - l * rest_;
    return d * d / (l * static_cast<double>(weight_ - left.weight));
  }

 private:
  std::int64_t weight_ = 1, mean_ = 0;
  double rest_ = 0;
};

// A kind says what a row carries, how rows are summed in a bin, and who judges.

/// Two classes, multiplicities: both numbers in one word.
struct BinaryCounts {
  struct Row {
    std::uint32_t weight, label;
  };
  using Cell = std::uint64_t;
  using Judge = NarrowJudge;
  static constexpr bool kIsClassification = true;
  explicit BinaryCounts(const ForestPlan&) {}
  Row make_row(const ForestTargets& targets, RowIndex position, std::uint32_t multiplicity) const {
    return {multiplicity, targets.label[position]};
  }
  void add(Cell& cell, const Row& row) const {
    cell += static_cast<Cell>(row.weight) << 32 | (row.weight & -row.label);
  }
  static Pair pair(Cell cell) {
    return {static_cast<std::int64_t>(cell >> 32), static_cast<std::int64_t>(cell & 0xffffffff)};
  }
};

/// Two classes, weighted rows.
struct BinaryWeights {
  struct Row {
    std::int64_t weight;
    std::int64_t label;
  };
  using Cell = Pair;
  using Judge = WideJudge;
  static constexpr bool kIsClassification = true;
  explicit BinaryWeights(const ForestPlan&) {}
  Row make_row(const ForestTargets& targets, RowIndex position, std::uint32_t multiplicity) const {
    const std::int64_t weight = targets.has_weights ? targets.weight[position] : 1;
    return {weight * multiplicity, targets.label[position]};
  }
  void add(Cell& cell, const Row& row) const {
    cell.weight += row.weight;
    cell.sum += row.weight & -row.label;
  }
  static Pair pair(const Cell& cell) { return cell; }
};

/// Regression, multiplicities.
struct Values {
  struct Row {
    std::int64_t weight, value;
  };
  using Cell = Pair;
  using Judge = CentredJudge;
  static constexpr bool kIsClassification = false;
  explicit Values(const ForestPlan&) {}
  Row make_row(const ForestTargets& targets, RowIndex position, std::uint32_t multiplicity) const {
    return {multiplicity, targets.value[position]};
  }
  void add(Cell& cell, const Row& row) const {
    cell.weight += row.weight;
    cell.sum += row.weight * row.value;
  }
  static Pair pair(const Cell& cell) { return cell; }
};

/// Regression, weighted rows: a sum has the resolution of the weights.
struct WeightedValues {
  using Row = Values::Row;
  using Cell = Pair;
  using Judge = WideJudge;
  static constexpr bool kIsClassification = false;
  explicit WeightedValues(const ForestPlan& plan) : value_bits(plan.targets.value_bits) {}
  Row make_row(const ForestTargets& targets, RowIndex position, std::uint32_t multiplicity) const {
    return {targets.weight[position] * multiplicity, targets.value[position]};
  }
  void add(Cell& cell, const Row& row) const {
    cell.weight += row.weight;
    cell.sum +=
        static_cast<std::int64_t>((static_cast<Int128>(row.weight) * row.value) >> value_bits);
  }
  static Pair pair(const Cell& cell) { return cell; }
  int value_bits;
};

/// (weight of node / weight of root) x decrease of the variance of the target.
double squared_error_decrease(const ForestTargets& targets, const Pair& left, const Pair& node,
                              double root_weight);
/// The leaf value of rows with that sum, and of rows that all have target `value`.
std::int64_t mean_leaf_value(const ForestTargets& targets, const Pair& node);
std::int64_t exact_leaf_value(const ForestTargets& targets, std::int64_t value);

/// Finds the best split of one node after another, for one thread. See TreeGrower for the protocol.
template <class Kind>
class PairSearch {
 public:
  using Row = typename Kind::Row;

  explicit PairSearch(const ForestPlan& plan) : plan_(plan), kind_(plan) {}

  void start_tree(const TreeStart&, const std::vector<std::uint32_t>&) {}
  Row make_row(RowIndex position, std::uint32_t multiplicity) const {
    return kind_.make_row(plan_.targets, position, multiplicity);
  }
  std::int64_t integer_weight(std::span<const Row> rows) const { return sum(rows).weight; }

  void start_node(std::span<const Row> rows);
  /// `first_value`: the target of one of its rows.
  void start_node(const Pair& node, bool is_pure, std::int64_t first_value);
  bool is_pure() const { return is_pure_; }
  /// The node's weight in the units of `decrease`'s numerator.
  double node_weight() const { return static_cast<double>(node_.weight); }
  const Split& split() const { return split_; }
  /// The same, and the next feature competes with none.
  Split take_split() { return std::exchange(split_, Split()); }

  /// Offers the best split of `feature` among those with `n_leaf_rows` distinct rows a side. False
  /// when all rows lie in one bin.
  bool try_feature(FeatureIndex feature, const RowIndex* positions, std::span<const Row> rows,
                   std::uint32_t n_leaf_rows);

  /// The same from what the node's rows add up to in each bin: in_bin(bin) gives an integer number
  /// of rows and their Pair.
  template <class InBin>
  bool try_feature(FeatureIndex feature, std::uint32_t n_rows, std::uint32_t n_leaf_rows,
                   InBin in_bin) {
    const auto& bins = plan_.context.data.binning->features[feature];
    start_bins();
    for (int bin = 0; bin < bins.n_slots(); ++bin) {
      const auto [n, pair] = in_bin(bin);
      if (n > 0) list(static_cast<Bin>(bin), static_cast<std::uint32_t>(n), pair, bins);
    }
    return offer_best(feature, bins, n_rows, n_leaf_rows);
  }

  /// (weight of node / weight of root) x impurity decrease of the split with these rows left.
  double decrease(std::span<const Row> left_rows, double root_weight) const {
    return decrease(sum(left_rows), root_weight);
  }
  double decrease(const Pair& left, double root_weight) const;
  const Kind& kind() const { return kind_; }
  /// The node's value row.
  void write_value(std::span<std::int64_t> out) const;

 private:
  struct Sweep;

  Pair sum(std::span<const Row> rows) const;
  template <bool kCounted>
  void collect(const Bin* column, const data::FeatureBins& bins, const RowIndex* positions,
               std::span<const Row> rows);
  void start_bins();
  void list(Bin bin, std::uint32_t n_rows, const Pair& pair, const data::FeatureBins& bins);
  template <bool kCounted>
  void take(Bin bin, const data::FeatureBins& bins);
  bool offer_best(FeatureIndex feature, const data::FeatureBins& bins, std::uint32_t n_rows,
                  std::uint32_t n_leaf_rows);
  void sort_categories();

  const ForestPlan& plan_;
  Kind kind_;
  Pair node_;
  bool is_pure_ = false;
  std::int64_t first_value_ = 0;
  typename Kind::Judge judge_;
  Split split_;
  OccupiedBins bins_;
  std::array<Pair, 256> pairs_;  ///< of the occupied bins, in their order
  Pair missing_;
  BinFlags flags_;
  /// By bin; all zero between features.
  std::array<typename Kind::Cell, 256> cells_{};
  std::array<std::uint32_t, 256> n_rows_{};  ///< only when rows are counted
};

extern template class PairSearch<BinaryCounts>;
extern template class PairSearch<BinaryWeights>;
extern template class PairSearch<Values>;
extern template class PairSearch<WeightedValues>;

}  // namespace orchard::learn
