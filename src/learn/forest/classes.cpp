#include "forest/classes.hpp"

#include <numeric>
#include <utility>

namespace orchard::learn {

/// Rows of a bin hang in a chain: cheap where rows are few beside classes and bins.
template <class Count, class Judge>
struct ClassSearch<Count, Judge>::ChainSweep {
  ClassSearch& search;
  std::span<const Row> rows;

  void reset() { search.judge_.reset(); }
  void move_bin(std::size_t bin) {
    for (auto i = search.first_[bin]; i != kNoRow; i = search.next_[i]) {
      search.judge_.move(search.id_[rows[i].label], rows[i].weight);
    }
  }
  void move(std::size_t i) { move_bin(search.bins_.bin[i]); }
  void move_missing() { move_bin(static_cast<std::size_t>(search.missing_bin_)); }
  double score() const { return search.judge_.score(); }
};

/// Class counts by bin.
template <class Count, class Judge>
struct ClassSearch<Count, Judge>::CellSweep {
  ClassSearch& search;

  void reset() { search.judge_.reset(); }
  void move_bin(std::size_t bin) {
    const Count* cell = search.cell(bin);
    for (std::size_t id = 0; id < search.classes_.size(); ++id) {
      if (cell[id] != 0) search.judge_.move(id, cell[id]);
    }
  }
  void move(std::size_t i) { move_bin(search.bins_.bin[i]); }
  void move_missing() { move_bin(static_cast<std::size_t>(search.missing_bin_)); }
  double score() const { return search.judge_.score(); }
};

template <class Count, class Judge>
ClassSearch<Count, Judge>::ClassSearch(const ForestPlan& plan)
    : plan_(plan),
      judge_(plan),
      counts_(plan.targets.n_classes),
      id_(plan.targets.n_classes),
      cells_(256 * plan.targets.n_classes) {
  first_.fill(kNoRow);
}

template <class Count, class Judge>
void ClassSearch<Count, Judge>::start_tree(const TreeStart& start,
                                           const std::vector<std::uint32_t>& multiplicity) {
  if (start.node != nullptr) return judge_.start_tree(start.node->class_weight);
  if (plan_.settings.class_weight != options::ClassWeight::kBalancedSubsample) {
    judge_.start_tree(plan_.targets.class_weight);
    return;
  }
  std::vector<std::uint64_t> counts(plan_.targets.n_classes);
  for (std::size_t i = 0; i < multiplicity.size(); ++i) {
    counts[plan_.targets.label[i]] += multiplicity[i];
  }
  judge_.start_tree(balanced_weights(counts));
}

template <class Count, class Judge>
std::int64_t ClassSearch<Count, Judge>::integer_weight(std::span<const Row> rows) const {
  std::int64_t sum = 0;
  for (const Row& row : rows) sum += static_cast<std::int64_t>(row.weight);
  return sum;
}

template <class Count, class Judge>
void ClassSearch<Count, Judge>::start_node(std::span<const Row> rows) {
  std::fill(counts_.begin(), counts_.end(), Count{0});
  for (const Row& row : rows) counts_[row.label] += row.weight;
  find_classes();
}

template <class Count, class Judge>
void ClassSearch<Count, Judge>::start_node(std::span<const std::int64_t> counts) {
  std::transform(counts.begin(), counts.end(), counts_.begin(),
                 [](std::int64_t count) { return static_cast<Count>(count); });
  find_classes();
}

/// Begins a node from the counts of all classes.
template <class Count, class Judge>
void ClassSearch<Count, Judge>::find_classes() {
  classes_.clear();
  for (std::uint32_t c = 0; c < counts_.size(); ++c) {
    if (counts_[c] == 0) continue;
    const auto id = static_cast<std::uint32_t>(classes_.size());
    id_[c] = id;
    counts_[id] = counts_[c];
    classes_.push_back(c);
  }
  judge_.start(classes_, counts_);
  split_ = {};
}

/// Lists the occupied bins in ascending order.
template <class Count, class Judge>
void ClassSearch<Count, Judge>::list_bins(const BinSet& occupied, int missing_bin, bool counted) {
  bins_.n = 0;
  bins_.has_missing = false;
  bins_.n_missing_rows = 0;
  missing_bin_ = missing_bin;
  occupied.for_each([&](Bin bin) {
    if (bin == missing_bin) {
      bins_.has_missing = true;
      bins_.n_missing_rows = n_rows_[bin];
      return;
    }
    bins_.bin[bins_.n] = bin;
    if (counted) bins_.n_rows[bins_.n] = n_rows_[bin];
    ++bins_.n;
  });
}

template <class Count, class Judge>
void ClassSearch<Count, Judge>::chain_rows(const Bin* column, int missing_bin,
                                           const RowIndex* positions, std::span<const Row> rows) {
  if (next_.size() < rows.size()) next_.resize(rows.size());
  BinSet occupied;
  for (std::uint32_t i = 0; i < rows.size(); ++i) {
    const Bin bin = column[positions[i]];
    next_[i] = std::exchange(first_[bin], i);
    occupied.insert(bin);
    ++n_rows_[bin];
  }
  list_bins(occupied, missing_bin, is_counted());
}

template <class Count, class Judge>
void ClassSearch<Count, Judge>::count_cells(const Bin* column, const RowIndex* positions,
                                            std::span<const Row> rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Bin bin = column[positions[i]];
    cell(bin)[id_[rows[i].label]] += rows[i].weight;
    ++n_rows_[bin];
  }
}

template <class Count, class Judge>
void ClassSearch<Count, Judge>::clear_chains() {
  const auto clear = [&](std::size_t bin) {
    first_[bin] = kNoRow;
    n_rows_[bin] = 0;
  };
  for (std::size_t i = 0; i < bins_.n; ++i) clear(bins_.bin[i]);
  if (bins_.has_missing) clear(static_cast<std::size_t>(missing_bin_));
}

template <class Count, class Judge>
void ClassSearch<Count, Judge>::clear_cells(const data::FeatureBins& bins) {
  const auto n_slots = static_cast<std::size_t>(bins.n_slots());
  std::fill_n(cells_.begin(), n_slots * classes_.size(), Count{0});
  std::fill_n(n_rows_.begin(), n_slots, 0U);
}

template <class Count, class Judge>
template <class Sweep>
Candidate ClassSearch<Count, Judge>::scan_bins(bool counted, std::uint32_t n_rows, Sweep& sweep) {
  return counted ? scan<true>(bins_, n_rows, n_leaf_rows_, sweep)
                 : scan<false>(bins_, n_rows, n_leaf_rows_, sweep);
}

template <class Count, class Judge>
bool ClassSearch<Count, Judge>::try_feature(FeatureIndex feature, const RowIndex* positions,
                                            std::span<const Row> rows, std::uint32_t n_leaf_rows) {
  n_leaf_rows_ = n_leaf_rows;
  const Bin* column = plan_.context.data.column(feature);
  const auto& bins = plan_.context.data.binning->features[feature];
  const auto n_rows = static_cast<std::uint32_t>(rows.size());
  const bool is_categorical = bins.kind == model::FeatureKind::kCategorical;
  if (!is_categorical && rows.size() < plan_.tuning.n_dense_rows * classes_.size()) {
    chain_rows(column, bins.missing_bin(), positions, rows);
    const bool is_varied = bins_.n + (bins_.has_missing ? 1 : 0) > 1;
    if (is_varied) {
      ChainSweep sweep{*this, rows};
      offer(scan_bins(is_counted(), n_rows, sweep), bins_, feature, bins, split_);
    }
    clear_chains();
    return is_varied;
  }
  count_cells(column, positions, rows);
  return offer_cells(feature, bins, n_rows);
}

/// Offers the best split by the counts in the cells and clears these.
template <class Count, class Judge>
bool ClassSearch<Count, Judge>::offer_cells(FeatureIndex feature, const data::FeatureBins& bins,
                                            std::uint32_t n_rows) {
  BinSet occupied;
  for (int bin = 0; bin < bins.n_slots(); ++bin) {
    if (n_rows_[static_cast<std::size_t>(bin)] != 0) occupied.insert(static_cast<Bin>(bin));
  }
  list_bins(occupied, bins.missing_bin(), true);
  const bool is_categorical = bins.kind == model::FeatureKind::kCategorical;
  const bool is_varied = bins_.n + (bins_.has_missing ? 1 : 0) > 1;
  if (is_varied && is_categorical) {
    try_categories(feature, bins, n_rows);
  } else if (is_varied) {
    CellSweep sweep{*this};
    offer(scan_bins(is_counted(), n_rows, sweep), bins_, feature, bins, split_);
  }
  clear_cells(bins);
  return is_varied;
}

/// Moves levels with few rows to the missing bin. False when no other level is left.
template <class Count, class Judge>
bool ClassSearch<Count, Judge>::pool_rare_levels(int missing_bin) {
  std::size_t n = 0;
  Count* missing = cell(static_cast<std::size_t>(missing_bin));
  for (std::size_t i = 0; i < bins_.n; ++i) {
    if (bins_.n_rows[i] >= kMinCategoryRows) {
      bins_.bin[n] = bins_.bin[i];
      bins_.n_rows[n++] = bins_.n_rows[i];
      continue;
    }
    const Count* rare = cell(bins_.bin[i]);
    for (std::size_t id = 0; id < classes_.size(); ++id) missing[id] += rare[id];
    bins_.has_missing = true;
    bins_.n_missing_rows += bins_.n_rows[i];
  }
  bins_.n = n;
  return n > 0;
}

/// Orders levels by the smoothed share of one class, ties by bin.
template <class Count, class Judge>
void ClassSearch<Count, Judge>::sort_categories(std::size_t id) {
  struct Item {
    double share;
    std::uint32_t n_rows;
    Bin bin;
  };
  std::array<Item, 256> items;
  double node_weight = 0;
  for (std::size_t k = 0; k < classes_.size(); ++k) node_weight += static_cast<double>(counts_[k]);
  const double smoothing = kCategorySmoothing * plan_.targets.unit_weight();
  const double prior = smoothing * (static_cast<double>(counts_[id]) / node_weight);
  for (std::size_t i = 0; i < bins_.n; ++i) {
    const Count* counts = cell(bins_.bin[i]);
    double weight = 0;
    for (std::size_t k = 0; k < classes_.size(); ++k) weight += static_cast<double>(counts[k]);
    const double share = (static_cast<double>(counts[id]) + prior) / (weight + smoothing);
    items[i] = {share, bins_.n_rows[i], bins_.bin[i]};
  }
  std::sort(items.begin(), items.begin() + bins_.n, [](const Item& a, const Item& b) {
    return a.share != b.share ? a.share < b.share : a.bin < b.bin;
  });
  for (std::size_t i = 0; i < bins_.n; ++i) {
    bins_.bin[i] = items[i].bin;
    bins_.n_rows[i] = items[i].n_rows;
  }
}

/// Two classes have one order; of more, the most frequent ones each give theirs.
template <class Count, class Judge>
void ClassSearch<Count, Judge>::try_categories(FeatureIndex feature, const data::FeatureBins& bins,
                                               std::uint32_t n_rows) {
  if (!pool_rare_levels(bins.missing_bin())) return;
  order_.resize(classes_.size());
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  if (order_.size() == 2) {
    order_ = {1};
  } else {
    std::stable_sort(order_.begin(), order_.end(),
                     [&](std::size_t a, std::size_t b) { return counts_[a] > counts_[b]; });
    order_.resize(std::min(order_.size(), kMaxCategoryClasses));
  }
  for (const std::size_t id : order_) {
    sort_categories(id);
    CellSweep sweep{*this};
    offer(scan_bins(true, n_rows, sweep), bins_, feature, bins, split_);
  }
}

template <class Count, class Judge>
double ClassSearch<Count, Judge>::decrease(std::span<const Row> left_rows, double root_weight) {
  judge_.reset();
  for (const Row& row : left_rows) judge_.move(id_[row.label], row.weight);
  return judge_.decrease(root_weight);
}

template <class Count, class Judge>
double ClassSearch<Count, Judge>::decrease(std::span<const std::int64_t> left_counts,
                                           double root_weight) {
  judge_.reset();
  for (std::size_t id = 0; id < classes_.size(); ++id) {
    judge_.move(id, static_cast<Count>(left_counts[classes_[id]]));
  }
  return judge_.decrease(root_weight);
}

template <class Count, class Judge>
void ClassSearch<Count, Judge>::write_value(std::span<std::int64_t> out) const {
  std::fill(out.begin(), out.end(), 0);
  std::int64_t rest = std::int64_t{1} << kFractionBits;
  std::size_t largest = classes_.front();
  for (std::size_t id = 0; id < classes_.size(); ++id) {
    const std::size_t c = classes_[id];
    out[c] = judge_.fraction(id);
    rest -= out[c];
    if (out[c] > out[largest]) largest = c;
  }
  out[largest] += rest;
}

template class ClassSearch<std::uint32_t, ExactGini<std::uint32_t, std::int64_t>>;
template class ClassSearch<std::int64_t, ExactGini<std::int64_t, __int128>>;
template class ClassSearch<std::uint32_t, WeightedImpurity<std::uint32_t>>;
template class ClassSearch<std::int64_t, WeightedImpurity<std::int64_t>>;

}  // namespace orchard::learn
