#include "forest/class/search.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64

namespace orchard::learn::classes {
namespace {

/// Distinct rows by bin: [n_slots], replaced.
void count_rows(const Bin* column, std::size_t n, std::size_t n_slots, std::uint32_t* n_rows) {
  std::fill_n(n_rows, n_slots, 0U);
  for (std::size_t i = 0; i < n; ++i) ++n_rows[column[i]];
}

}  // namespace

SplitSearch::SplitSearch(const ForestPlan& plan, const Kernels& kernels)
    : plan_(plan),
      kernels_(kernels),
      cells_(std::make_unique<Cells[]>(kFeaturesAPass)),
      judge_(plan) {
  std::iota(all_bins_.begin(), all_bins_.end(), Bin{0});
}

void SplitSearch::start_node(const Counts& counts, std::uint32_t weight, std::size_t n_rows,
                             std::uint32_t n_leaf_rows) {
  node_.n_rows = static_cast<std::uint32_t>(n_rows);
  node_.n_leaf_rows = n_leaf_rows;
  is_long_ = weight > kMaxShortWeight;
  if (!is_long_) return kernels_.start_short(counts, node_);
  const auto of_classes = std::span<const std::uint32_t>(counts).first(plan_.targets.n_classes);
  judge_.start(of_classes, of_classes);
}

bool SplitSearch::offer(const NodeRows& rows, const FeatureIndex* features,
                        const Bin* const* columns, std::size_t n_features, Choice& best) {
  if (!is_long_) return offer_short(rows, features, columns, n_features, best);
  bool is_varied = false;
  for (std::size_t i = 0; i < n_features; ++i) {
    is_varied |= offer_long(rows, columns[i], features[i], best);
  }
  return is_varied;
}

/// All bins, or, where rows are fewer, those that have some.
BinList SplitSearch::list_bins(const Bin* column, std::size_t n, FeatureIndex feature,
                               std::array<Bin, kBins>& list) const {
  const auto& bins = plan_.context.data.binning->features[feature];
  const auto n_bins = static_cast<std::size_t>(bins.n_bins);
  const auto missing_bin = static_cast<Bin>(bins.missing_bin());
  if (n_bins <= n) return {all_bins_.data(), n_bins, missing_bin};
  std::size_t n_listed = 0;
  if (n_bins < 64) {
    std::uint64_t occupied = 0;
    for (std::size_t i = 0; i < n; ++i) occupied |= std::uint64_t{1} << column[i];
    for (; occupied != 0; occupied &= occupied - 1) {
      list[n_listed++] = static_cast<Bin>(std::countr_zero(occupied));
    }
  } else {
    BinSet occupied;
    for (std::size_t i = 0; i < n; ++i) occupied.insert(column[i]);
    occupied.for_each([&](Bin bin) { list[n_listed++] = bin; });
  }
  if (list[n_listed - 1] == missing_bin) --n_listed;
  return {list.data(), n_listed, missing_bin};
}

bool SplitSearch::offer_short(const NodeRows& rows, const FeatureIndex* features,
                              const Bin* const* columns, std::size_t n_features, Choice& best) {
  count_cells(rows, columns, n_features, cells_.get());
  FeatureCells found[kFeaturesAPass];
  for (std::size_t i = 0; i < n_features; ++i) {
    found[i] = {features[i], &cells_[i], list_bins(columns[i], rows.n, features[i], lists_[i]),
                nullptr};
    if (node_.n_leaf_rows == 1) continue;
    const auto n_slots = static_cast<std::size_t>(found[i].list.missing_bin) + 1;
    count_rows(columns[i], rows.n, n_slots, n_rows_[i].data());
    found[i].n_rows = n_rows_[i].data();
  }
  const bool is_varied = kernels_.search_cells(found, n_features, node_, best);
  for (std::size_t i = 0; i < n_features; ++i) {
    const BinList& list = found[i].list;
    auto& counts = cells_[i].counts;
    for (std::size_t at = 0; at < list.n; ++at) {
      std::fill_n(counts[list.bins[at]], kMaxClasses, std::uint16_t{0});
    }
    std::fill_n(counts[list.missing_bin], kMaxClasses, std::uint16_t{0});
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
  auto& n_rows = n_rows_.front();
  count_rows(column, rows.n, static_cast<std::size_t>(bins.n_slots()), n_rows.data());
  occupied_.n = 0;
  for (int bin = 0; bin <= bins.missing_bin(); ++bin) {
    const auto at = static_cast<std::size_t>(bin);
    if (n_rows[at] == 0) continue;
    occupied_.bin[occupied_.n] = static_cast<Bin>(bin);
    occupied_.n_rows[occupied_.n++] = n_rows[at];
  }
  const std::size_t n_occupied = occupied_.n;
  occupied_.n_missing_rows = n_rows[static_cast<std::size_t>(bins.missing_bin())];
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
