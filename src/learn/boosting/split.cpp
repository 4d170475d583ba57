#include "boosting/split.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "boosting/scan.hpp"

namespace orchard::learn::boosting {
namespace {

constexpr double kMinHessian = 1e-3;
constexpr double kCatSmooth = 10;
constexpr double kMinCatSupport = 10;
constexpr int kMaxSlots = 256;

/// Ways to cut a node in two, in order of preference, as the sums of their left sides.
struct Cuts {
  std::array<double, kMaxSlots> gl, hl, gr, hr, score;
  std::array<std::uint32_t, kMaxSlots> n_left;
  std::array<std::int16_t, kMaxSlots> boundary;
  int n = 0;

  void add(const Sums& left, const Sums& total, int at, std::uint32_t rows_left) {
    const auto i = static_cast<std::size_t>(n++);
    gl[i] = static_cast<double>(left.g);
    hl[i] = static_cast<double>(left.h);
    gr[i] = static_cast<double>(total.g - left.g);
    hr[i] = static_cast<double>(total.h - left.h);
    boundary[i] = static_cast<std::int16_t>(at);
    n_left[i] = rows_left;
  }
};

double score_of(double g, double h, double l2) { return g * g / (h + l2); }

void score(Cuts& cuts, double l2) {
  for (int i = 0; i < cuts.n; ++i) {
    const auto at = static_cast<std::size_t>(i);
    cuts.score[at] = cuts.gl[at] * cuts.gl[at] / (cuts.hl[at] + l2) +
                     cuts.gr[at] * cuts.gr[at] / (cuts.hr[at] + l2);
  }
}

/// Takes the cuts of one direction of missing values into `best`.
void choose(Cuts& cuts, const NodeSums& node, const SplitRules& rules, bool has_counts,
            bool is_missing_left, Candidate& best) {
  score(cuts, rules.l2);
  const double base =
      score_of(static_cast<double>(node.total.g), static_cast<double>(node.total.h), rules.l2);
  const double least = base * kLeastGainShare;
  for (int i = 0; i < cuts.n; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const double gain = cuts.score[at] - base;
    if (!(gain > least) || gain < best.gain) continue;
    if (cuts.hl[at] < rules.min_h || cuts.hr[at] < rules.min_h) continue;
    if (has_counts && (cuts.n_left[at] < rules.min_samples_leaf ||
                       node.n_rows - cuts.n_left[at] < rules.min_samples_leaf)) {
      continue;
    }
    const bool is_lower = cuts.boundary[at] < best.boundary ||
                          (cuts.boundary[at] == best.boundary && is_missing_left);
    if (gain > best.gain || is_lower) best = {gain, cuts.boundary[at], is_missing_left};
  }
}

/// The bins of a node that hold weight, without the missing bin.
struct Occupied {
  std::array<std::int16_t, kMaxSlots> bin;
  int n = 0;
};

Occupied occupied_bins(const Sums* slots, int n_bins) {
  Occupied found;
  for (int bin = 0; bin < n_bins; ++bin) {
    found.bin[static_cast<std::size_t>(found.n)] = static_cast<std::int16_t>(bin);
    found.n += slots[bin].h != 0;
  }
  return found;
}

std::uint32_t sum_counts(const std::uint32_t* counts, int begin, int end) {
  std::uint32_t sum = 0;
  for (int bin = begin; bin < end; ++bin) sum += counts[bin];
  return sum;
}

Candidate best_numeric(const data::FeatureBins& bins, const Sums* slots, const NodeSums& node,
                       const SplitRules& rules, const std::uint32_t* counts) {
  const Occupied occupied = occupied_bins(slots, bins.n_bins);
  const Sums missing = slots[bins.missing_bin()];
  const bool has_missing = missing.h != 0;
  const std::uint32_t n_missing = counts == nullptr ? 0 : counts[bins.missing_bin()];
  Cuts left, right;  // by where missing goes; without missing only `right` is used
  Sums sums;
  std::uint32_t n_rows = 0;
  int n_counted = 0;
  for (int i = 0; i < occupied.n; ++i) {
    const int bin = occupied.bin[static_cast<std::size_t>(i)];
    const bool is_last = i + 1 == occupied.n;
    if (is_last && !has_missing) break;
    sums += slots[bin];
    if (counts != nullptr) {
      const int next = is_last ? 0 : occupied.bin[static_cast<std::size_t>(i) + 1];
      const int end = is_last ? bins.n_bins : middle_bin(bins, bin, next) + 1;
      n_rows += sum_counts(counts, n_counted, end);
      n_counted = end;
    }
    right.add(sums, node.total, bin, n_rows);
    if (has_missing && !is_last) {
      Sums with_missing = sums;
      with_missing += missing;
      left.add(with_missing, node.total, bin, n_rows + n_missing);
    }
  }
  Candidate best;
  best.boundary = std::numeric_limits<std::int16_t>::max();
  choose(right, node, rules, counts != nullptr, false, best);
  choose(left, node, rules, counts != nullptr, true, best);
  return best;
}

#if ORCHARD_HAS_X86_64
using ScanSums = decltype(scan_sums_avx512);
using ScanPacked = decltype(scan_packed_avx512);
#endif

/// The cuts that leave min_samples_leaf rows on both sides; all without counts.
CutRanges cut_ranges(int missing_bin, const NodeSums& node, const SplitRules& rules,
                     const std::uint32_t* counts) {
  if (counts == nullptr) return {{0, missing_bin}, {0, missing_bin}};
  const std::uint32_t n_missing = counts[missing_bin];
  CutRanges ranges;
  std::uint32_t n_left = 0;
  for (int bin = 0; bin < missing_bin; ++bin) {
    n_left += counts[bin];
    ranges.to_right.first += n_left < rules.min_samples_leaf;
    ranges.to_left.first += n_left + n_missing < rules.min_samples_leaf;
    ranges.to_right.end += node.n_rows - n_left >= rules.min_samples_leaf;
    ranges.to_left.end += node.n_rows - n_left - n_missing >= rules.min_samples_leaf;
  }
  return ranges;
}

/// Levels in the order of their statistic, and the pool of all others.
struct LevelOrder {
  std::array<std::int16_t, kMaxSlots> bin;
  int n = 0;
  Sums pool;
};

LevelOrder order_levels(const data::FeatureBins& bins, const Sums* slots, const NodeSums& node,
                        const SplitRules& rules) {
  LevelOrder order;
  order.pool = node.total;
  const double rows_per_h = static_cast<double>(node.n_rows) /
                            static_cast<double>(std::max<std::int64_t>(node.total.h, 1));
  std::array<double, kMaxSlots> statistic{};
  for (int bin = 0; bin < bins.n_bins; ++bin) {
    const Sums& sums = slots[bin];
    const auto h = static_cast<double>(sums.h);
    if (sums.h == 0 || h * rows_per_h < kMinCatSupport) continue;
    statistic[static_cast<std::size_t>(bin)] = static_cast<double>(sums.g) / (h + rules.cat_smooth);
    order.bin[static_cast<std::size_t>(order.n++)] = static_cast<std::int16_t>(bin);
    order.pool -= sums;
  }
  std::sort(order.bin.begin(), order.bin.begin() + order.n, [&](int a, int b) {
    const double of_a = statistic[static_cast<std::size_t>(a)];
    const double of_b = statistic[static_cast<std::size_t>(b)];
    return of_a != of_b ? of_a < of_b : a < b;
  });
  return order;
}

Candidate best_categorical(const data::FeatureBins& bins, const Sums* slots, const NodeSums& node,
                           const SplitRules& rules, const std::uint32_t* counts) {
  const LevelOrder order = order_levels(bins, slots, node, rules);
  const bool has_pool = order.pool.h != 0;
  std::uint32_t n_pool = node.n_rows;
  if (counts != nullptr) {
    for (int i = 0; i < order.n; ++i) n_pool -= counts[order.bin[static_cast<std::size_t>(i)]];
  }
  Cuts left, right;  // by where the pool goes; without pool only `right` is used
  Sums sums;
  std::uint32_t n_rows = 0;
  for (int i = 0; i < order.n; ++i) {
    const bool is_last = i + 1 == order.n;
    if (is_last && !has_pool) break;
    const int bin = order.bin[static_cast<std::size_t>(i)];
    sums += slots[bin];
    if (counts != nullptr) n_rows += counts[bin];
    right.add(sums, node.total, i + 1, n_rows);
    if (has_pool && !is_last) {
      Sums with_pool = sums;
      with_pool += order.pool;
      left.add(with_pool, node.total, i + 1, n_rows + n_pool);
    }
  }
  Candidate best;
  best.boundary = std::numeric_limits<std::int16_t>::max();
  choose(right, node, rules, counts != nullptr, false, best);
  choose(left, node, rules, counts != nullptr, true, best);
  return best;
}

void place_numeric(const data::FeatureBins& bins, const Sums* slots, int boundary, Split& split) {
  int next = boundary + 1;
  while (next < bins.n_bins && slots[next].h == 0) ++next;
  int last = bins.n_bins - 1;
  split.threshold = std::numeric_limits<float>::max();
  if (next < bins.n_bins) {
    last = middle_bin(bins, boundary, next);
    split.threshold = bins.cuts[static_cast<std::size_t>(last)];
  }
  for (int bin = 0; bin <= last; ++bin) {
    insert(split.left, bin);
    split.left_sums += slots[bin];
  }
  split.has_missing = slots[bins.missing_bin()].h != 0;
  if (split.is_missing_left) split.left_sums += slots[bins.missing_bin()];
}

void place_categories(const LevelOrder& order, const Sums* slots, int n_left, Split& split) {
  for (int i = 0; i < order.n; ++i) {
    const int bin = order.bin[static_cast<std::size_t>(i)];
    insert(split.known, bin);
    if (i >= n_left) continue;
    insert(split.left, bin);
    split.left_sums += slots[bin];
  }
  split.has_missing = order.pool.h != 0;
  if (split.is_missing_left) split.left_sums += order.pool;
}

}  // namespace

SplitRules split_rules(const QuantisedGradients& gradients, double l2_regularization,
                       std::int64_t min_samples_leaf) {
  SplitRules rules;
  rules.l2 = l2_regularization / gradients.h_quantum;
  rules.min_h = kMinHessian / gradients.h_quantum;
  rules.cat_smooth = kCatSmooth / gradients.h_quantum;
  rules.min_samples_leaf =
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(min_samples_leaf, 1, 0xffffffff));
  rules.h_is_count = gradients.h_is_count;
  if (rules.h_is_count) {
    rules.min_h = std::max(rules.min_h, static_cast<double>(rules.min_samples_leaf));
  }
  return rules;
}

int middle_bin(const data::FeatureBins& bins, int left_bin, int right_bin) {
  const auto value = [&](int bin) {
    return static_cast<double>(bins.cuts[static_cast<std::size_t>(bin)]);
  };
  const double low = bins.bin_max[static_cast<std::size_t>(left_bin)];
  const double high = bins.bin_min[static_cast<std::size_t>(right_bin)];
  const double middle = low + (high - low) / 2;
  int best = left_bin;
  for (int bin = left_bin + 1; bin < right_bin; ++bin) {
    if (std::abs(value(bin) - middle) < std::abs(value(best) - middle)) best = bin;
  }
  return best;
}

Candidate best_split(const data::FeatureBins& bins, const Sums* slots, const NodeSums& node,
                     const SplitRules& rules, const std::uint32_t* counts) {
  if (rules.h_is_count) counts = nullptr;
  if (bins.kind == model::FeatureKind::kCategorical) {
    return best_categorical(bins, slots, node, rules, counts);
  }
#if ORCHARD_HAS_X86_64
  if (auto* const scan = choose_version<ScanSums>(nullptr, scan_sums_avx2, scan_sums_avx512)) {
    return scan(slots, bins.missing_bin(), node, rules,
                cut_ranges(bins.missing_bin(), node, rules, counts));
  }
#endif
  return best_numeric(bins, slots, node, rules, counts);
}

Candidate best_split(const data::FeatureBins& bins, const std::uint64_t* words,
                     const NodeSums& node, const SplitRules& rules) {
#if ORCHARD_HAS_X86_64
  auto* const scan = choose_version<ScanPacked>(nullptr, scan_packed_avx2, scan_packed_avx512);
  if (scan != nullptr && bins.kind == model::FeatureKind::kNumeric) {
    return scan(words, bins.missing_bin(), node, rules,
                cut_ranges(bins.missing_bin(), node, rules, nullptr));
  }
#endif
  return best_split(bins, unpack_feature(bins, words).data(), node, rules, nullptr);
}

FeatureSums unpack_feature(const data::FeatureBins& bins, const std::uint64_t* words) {
  FeatureSums sums;
  for (int slot = 0; slot < bins.n_slots(); ++slot) {
    sums[static_cast<std::size_t>(slot)] = unpack(words[slot]);
  }
  return sums;
}

Split make_split(const data::FeatureBins& bins, std::int32_t feature, const Sums* slots,
                 const NodeSums& node, const SplitRules& rules, const Candidate& candidate) {
  Split split;
  split.gain = candidate.gain;
  split.feature = feature;
  split.is_categorical = bins.kind == model::FeatureKind::kCategorical;
  split.is_missing_left = candidate.is_missing_left;
  if (split.is_categorical) {
    place_categories(order_levels(bins, slots, node, rules), slots, candidate.boundary, split);
    if (split.is_missing_left) {
      for (int bin = 0; bin < bins.n_slots(); ++bin) {
        if (!contains(split.known, bin)) insert(split.left, bin);
      }
    }
  } else {
    place_numeric(bins, slots, candidate.boundary, split);
    if (split.is_missing_left) insert(split.left, bins.missing_bin());
  }
  return split;
}

}  // namespace orchard::learn::boosting
