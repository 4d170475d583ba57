#include "forest_class_search.hpp"

#include <algorithm>
#include <numeric>

#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64

namespace orchard::learn::classes {
namespace {

std::uint32_t weight_of(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), 0U);
}

}  // namespace

SplitSearch::SplitSearch(const ForestPlan& plan)
    : plan_(plan), cells_(std::make_unique<Cells[]>(kFeaturesAPass)), judge_(plan) {
  std::iota(all_bins_.begin(), all_bins_.end(), Bin{0});
}

void SplitSearch::start_node(const Counts& counts, std::size_t n_rows, std::uint32_t n_leaf_rows) {
  node_.weight = weight_of(counts);
  node_.n_rows = static_cast<std::uint32_t>(n_rows);
  node_.n_leaf_rows = n_leaf_rows;
  is_long_ = node_.weight > kMaxShortWeight;
  if (is_long_) {
    judge_.start(std::span<const std::uint32_t>(counts).first(plan_.targets.n_classes),
                 std::span<const std::uint32_t>(counts).first(plan_.targets.n_classes));
    return;
  }
  node_.squares = 0;
  for (std::size_t c = 0; c < kMaxClasses; ++c) {
    node_.counts[c] = static_cast<std::uint16_t>(counts[c]);
    node_.squares += counts[c] * counts[c];
  }
}

bool SplitSearch::offer(const NodeRows& rows, const FeatureIndex* features,
                        const Bin* const* columns, std::size_t n_features, Choice& best) {
  bool is_varied = false;
  if (is_long_) {
    for (std::size_t i = 0; i < n_features; ++i) {
      is_varied |= offer_long(rows, columns[i], features[i], best);
    }
    return is_varied;
  }
  count_cells(rows, columns, n_features, cells_.get());
  for (std::size_t i = 0; i < n_features; ++i) {
    is_varied |= offer_short(rows, columns[i], features[i], cells_[i], best);
  }
  return is_varied;
}

/// Distinct rows by bin.
const std::uint32_t* SplitSearch::count_rows(const Bin* column, std::size_t n) {
  n_rows_.fill(0);
  for (std::size_t i = 0; i < n; ++i) ++n_rows_[column[i]];
  return n_rows_.data();
}

/// Looks at all bins, or, where rows are fewer, at those that have some.
bool SplitSearch::offer_short(const NodeRows& rows, const Bin* column, FeatureIndex feature,
                              Cells& cells, Choice& best) {
  const auto& bins = plan_.context.data.binning->features[feature];
  const auto n_bins = static_cast<std::size_t>(bins.n_bins);
  const auto missing_bin = static_cast<Bin>(bins.missing_bin());
  const std::uint32_t* n_rows = node_.n_leaf_rows > 1 ? count_rows(column, rows.n) : nullptr;
  if (n_bins <= rows.n) {
    const bool is_varied =
        search_cells(cells, {all_bins_.data(), n_bins, missing_bin}, n_rows, node_, feature, best);
    std::fill_n(&cells.counts[0][0], (n_bins + 1) * kMaxClasses, std::uint16_t{0});
    return is_varied;
  }
  BinSet occupied;
  for (std::size_t i = 0; i < rows.n; ++i) occupied.insert(column[i]);
  std::array<Bin, kBins> list;
  std::size_t n = 0;
  occupied.for_each([&](Bin bin) { list[n++] = bin; });
  const bool has_missing = list[n - 1] == missing_bin;
  const bool is_varied = search_cells(cells, {list.data(), has_missing ? n - 1 : n, missing_bin},
                                      n_rows, node_, feature, best);
  for (std::size_t i = 0; i < n; ++i) {
    std::fill_n(&cells.counts[list[i]][0], kMaxClasses, std::uint16_t{0});
  }
  return is_varied;
}

/// Moves a bin's counts to the left.
struct SplitSearch::Sweep {
  SplitSearch& search;

  void reset() { search.judge_.reset(); }
  void move_bin(std::size_t bin) {
    const Counts& counts = (*search.long_cells_)[bin];
    for (std::size_t c = 0; c < search.plan_.targets.n_classes; ++c) {
      if (counts[c] != 0) search.judge_.move(c, counts[c]);
    }
  }
  void move(std::size_t i) { move_bin(search.occupied_.bin[i]); }
  void move_missing() { move_bin(search.occupied_.bin[search.occupied_.n]); }
  double score() const { return search.judge_.score(); }
};

bool SplitSearch::offer_long(const NodeRows& rows, const Bin* column, FeatureIndex feature,
                             Choice& best) {
  const auto& bins = plan_.context.data.binning->features[feature];
  if (!long_cells_) long_cells_ = std::make_unique<LongCells>();
  LongCells& cells = *long_cells_;
  std::fill_n(cells.begin(), bins.n_slots(), Counts{});
  for (std::size_t i = 0; i < rows.n; ++i) cells[column[i]][rows.labels[i]] += rows.weights[i];
  count_rows(column, rows.n);
  occupied_.n = 0;
  for (int bin = 0; bin <= bins.missing_bin(); ++bin) {
    const auto at = static_cast<std::size_t>(bin);
    if (n_rows_[at] == 0) continue;
    occupied_.bin[occupied_.n] = static_cast<Bin>(bin);
    occupied_.n_rows[occupied_.n++] = n_rows_[at];
  }
  const std::size_t n_occupied = occupied_.n;
  occupied_.n_missing_rows = n_rows_[static_cast<std::size_t>(bins.missing_bin())];
  occupied_.has_missing = occupied_.n_missing_rows > 0;
  if (occupied_.has_missing) --occupied_.n;
  Sweep sweep{*this};
  const Candidate found = scan<true>(occupied_, node_.n_rows, node_.n_leaf_rows, sweep);
  if (found.score > best.score) {
    best.score = found.score;
    best.feature = feature;
    best.has_missing = occupied_.has_missing;
    best.is_missing_left = found.is_missing_left;
    best.left_bin = occupied_.bin[found.position];
    best.right_bin =
        found.position + 1 < occupied_.n ? occupied_.bin[found.position + 1] : bins.missing_bin();
    best.left =
        found.is_missing_left ? cells[static_cast<std::size_t>(bins.missing_bin())] : Counts{};
    for (std::size_t i = 0; i <= found.position; ++i) {
      for (std::size_t c = 0; c < kMaxClasses; ++c) best.left[c] += cells[occupied_.bin[i]][c];
    }
  }
  return n_occupied > 1;
}

}  // namespace orchard::learn::classes

#endif
