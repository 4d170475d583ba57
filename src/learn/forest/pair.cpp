#include "forest/pair.hpp"

#include <cmath>

namespace orchard::learn {
namespace {

/// n / d to the nearest integer, halves away from zero; d > 0.
std::int64_t divide(Int128 n, Int128 d) {
  return static_cast<std::int64_t>((n >= 0 ? n + d / 2 : n - d / 2) / d);
}

/// contrast^2 / (W L R) / root weight, in the squared units of the sums.
double drop(const Pair& left, const Pair& node, double root_weight) {
  const auto d = static_cast<double>(contrast(left, node));
  const auto w = static_cast<double>(node.weight), l = static_cast<double>(left.weight);
  const auto r = static_cast<double>(node.weight - left.weight);
  return (d / w) * (d / w) * (w / (l * r)) / root_weight;
}

}  // namespace

double squared_error_decrease(const ForestTargets& targets, const Pair& left, const Pair& node,
                              double root_weight) {
  const int unit = targets.has_weights ? targets.exponent : targets.exponent - targets.value_bits;
  return std::min(std::ldexp(drop(left, node, root_weight), 2 * unit),
                  std::numeric_limits<double>::max());
}

std::int64_t mean_leaf_value(const ForestTargets& targets, const Pair& node) {
  const Int128 one = 1;
  const int shift = targets.has_weights ? kLeafBits : kLeafBits - targets.value_bits;
  return shift >= 0 ? divide(node.sum * (one << shift), node.weight)
                    : divide(node.sum, static_cast<Int128>(node.weight) << -shift);
}

std::int64_t exact_leaf_value(const ForestTargets& targets, std::int64_t value) {
  const Int128 one = 1;
  const int shift = targets.value_bits - kLeafBits;
  return shift > 0 ? divide(value, one << shift)
                   : static_cast<std::int64_t>(value * (one << -shift));
}

template <class Kind>
struct PairSearch<Kind>::Sweep {
  const PairSearch& search;
  Pair left{};

  void reset() { left = {}; }
  void add(const Pair& pair) {
    left.weight += pair.weight;
    left.sum += pair.sum;
  }
  void move(std::size_t i) { add(search.pairs_[i]); }
  void move_missing() { add(search.missing_); }
  double score() const { return search.judge_.score(left); }
};

template <class Kind>
Pair PairSearch<Kind>::sum(std::span<const Row> rows) const {
  typename Kind::Cell cell{};
  for (const Row& row : rows) kind_.add(cell, row);
  return Kind::pair(cell);
}

template <class Kind>
void PairSearch<Kind>::start_node(std::span<const Row> rows) {
  const Pair node = sum(rows);
  if constexpr (Kind::kIsClassification) {
    start_node(node, node.sum == 0 || node.sum == node.weight, 0);
  } else {
    const std::int64_t first = rows.front().value;
    start_node(
        node,
        std::all_of(rows.begin(), rows.end(), [&](const Row& row) { return row.value == first; }),
        first);
  }
}

template <class Kind>
void PairSearch<Kind>::start_node(const Pair& node, bool is_pure, std::int64_t first_value) {
  node_ = node;
  is_pure_ = is_pure;
  first_value_ = first_value;
  judge_.start(node_);
  split_ = {};
}

template <class Kind>
void PairSearch<Kind>::start_bins() {
  bins_.n = 0;
  bins_.has_missing = false;
  bins_.n_missing_rows = 0;
  missing_ = {};
}

template <class Kind>
void PairSearch<Kind>::list(Bin bin, std::uint32_t n_rows, const Pair& pair,
                            const data::FeatureBins& bins) {
  if (bin == bins.missing_bin()) {
    missing_ = pair;
    bins_.has_missing = true;
    bins_.n_missing_rows = n_rows;
    return;
  }
  bins_.bin[bins_.n] = bin;
  bins_.n_rows[bins_.n] = n_rows;
  pairs_[bins_.n++] = pair;
}

/// Moves one occupied bin from the cells to the list.
template <class Kind>
template <bool kCounted>
void PairSearch<Kind>::take(Bin bin, const data::FeatureBins& bins) {
  const Pair pair = Kind::pair(cells_[bin]);
  cells_[bin] = {};
  std::uint32_t n_rows = 0;
  if constexpr (kCounted) std::swap(n_rows, n_rows_[bin]);
  list(bin, n_rows, pair, bins);
}

template <class Kind>
template <bool kCounted>
void PairSearch<Kind>::collect(const Bin* column, const data::FeatureBins& bins,
                               const RowIndex* positions, std::span<const Row> rows) {
  start_bins();
  if (rows.size() >= plan_.tuning.n_flag_rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Bin bin = column[positions[i]];
      kind_.add(cells_[bin], rows[i]);
      flags_.raise(bin);
      if constexpr (kCounted) ++n_rows_[bin];
    }
    flags_.take_all([&](Bin bin) { take<kCounted>(bin, bins); });
    return;
  }
  BinSet occupied;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Bin bin = column[positions[i]];
    kind_.add(cells_[bin], rows[i]);
    occupied.insert(bin);
    if constexpr (kCounted) ++n_rows_[bin];
  }
  occupied.for_each([&](Bin bin) { take<kCounted>(bin, bins); });
}

/// Pools rare levels with missing and orders the others by smoothed mean, ties by bin.
template <class Kind>
void PairSearch<Kind>::sort_categories() {
  struct Item {
    double mean;
    std::uint32_t n_rows;
    Pair pair;
    Bin bin;
  };
  std::array<Item, 256> items;
  std::size_t n = 0;
  const double smoothing = kCategorySmoothing * plan_.targets.unit_weight();
  const double prior =
      smoothing * (static_cast<double>(node_.sum) / static_cast<double>(node_.weight));
  for (std::size_t i = 0; i < bins_.n; ++i) {
    const Pair& pair = pairs_[i];
    if (bins_.n_rows[i] < kMinCategoryRows) {
      missing_.weight += pair.weight;
      missing_.sum += pair.sum;
      bins_.n_missing_rows += bins_.n_rows[i];
      bins_.has_missing = true;
      continue;
    }
    const double mean =
        (static_cast<double>(pair.sum) + prior) / (static_cast<double>(pair.weight) + smoothing);
    items[n++] = {mean, bins_.n_rows[i], pair, bins_.bin[i]};
  }
  std::sort(items.begin(), items.begin() + n, [](const Item& a, const Item& b) {
    return a.mean != b.mean ? a.mean < b.mean : a.bin < b.bin;
  });
  bins_.n = n;
  for (std::size_t i = 0; i < n; ++i) {
    bins_.bin[i] = items[i].bin;
    bins_.n_rows[i] = items[i].n_rows;
    pairs_[i] = items[i].pair;
  }
}

template <class Kind>
bool PairSearch<Kind>::try_feature(FeatureIndex feature, const RowIndex* positions,
                                   std::span<const Row> rows, std::uint32_t n_leaf_rows) {
  const Bin* column = plan_.context.data.column(feature);
  const auto& bins = plan_.context.data.binning->features[feature];
  const bool is_categorical = bins.kind == model::FeatureKind::kCategorical;
  const bool is_counted = is_categorical || n_leaf_rows > 1;
  is_counted ? collect<true>(column, bins, positions, rows)
             : collect<false>(column, bins, positions, rows);
  return offer_best(feature, bins, static_cast<std::uint32_t>(rows.size()), n_leaf_rows);
}

template <class Kind>
bool PairSearch<Kind>::offer_best(FeatureIndex feature, const data::FeatureBins& bins,
                                  std::uint32_t n_rows, std::uint32_t n_leaf_rows) {
  const bool is_categorical = bins.kind == model::FeatureKind::kCategorical;
  const bool is_counted = is_categorical || n_leaf_rows > 1;
  if (bins_.n + (bins_.has_missing ? 1 : 0) <= 1) return false;
  if (is_categorical) sort_categories();
  Sweep sweep{*this};
  const Candidate best = is_counted ? scan<true>(bins_, n_rows, n_leaf_rows, sweep)
                                    : scan<false>(bins_, n_rows, n_leaf_rows, sweep);
  offer(best, bins_, feature, bins, split_);
  return true;
}

template <class Kind>
double PairSearch<Kind>::decrease(const Pair& left, double root_weight) const {
  if constexpr (Kind::kIsClassification) return 2 * drop(left, node_, root_weight);
  return squared_error_decrease(plan_.targets, left, node_, root_weight);
}

template <class Kind>
void PairSearch<Kind>::write_value(std::span<std::int64_t> out) const {
  if constexpr (Kind::kIsClassification) {
    out[1] = divide(static_cast<Int128>(node_.sum) << kFractionBits, node_.weight);
    const std::int64_t first =
        divide(static_cast<Int128>(node_.weight - node_.sum) << kFractionBits, node_.weight);
    const std::int64_t rest = (std::int64_t{1} << kFractionBits) - first - out[1];
    out[0] = first + (first >= out[1] ? rest : 0);
    out[1] += first >= out[1] ? 0 : rest;
  } else {
    out[0] = is_pure_ ? exact_leaf_value(plan_.targets, first_value_)
                      : mean_leaf_value(plan_.targets, node_);
  }
}

template class PairSearch<BinaryCounts>;
template class PairSearch<BinaryWeights>;
template class PairSearch<Values>;
template class PairSearch<WeightedValues>;

}  // namespace orchard::learn
