#include "orchard/search/cost.hpp"

#include <algorithm>
#include <cmath>
#include <variant>

namespace orchard::search {
namespace {

constexpr double kNanosecond = 1e-9;
/// Share of the rows that a bootstrap draws.
constexpr double kDrawn = 0.632;
/// Of a tree in a file: feature, threshold, child, flags, value row, samples, gain.
constexpr double kNodeBytes = 4 + 4 + 4 + 1 + 4 + 4 + 8;
constexpr double kStopsBytes = 8;

/// The leaf sizes of a forest family, in rows, ascending.
std::vector<double> leaf_rows(const Family& family, double rows) {
  std::vector<double> out;
  for (const auto& size : family.leaf_sizes) {
    const auto n_rows = options::resolve_count(size, static_cast<std::int64_t>(rows));
    out.push_back(std::max(1.0, static_cast<double>(n_rows)));
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// The depth that bounds a forest's trees: that of the member which goes deepest.
std::optional<std::int64_t> depth_limit(const Family& family) {
  auto limit = std::get<options::ForestSettings>(family.settings).max_depth;
  for (const auto& cut : family.cut_settings) {
    if (!cut.max_depth) return std::nullopt;
    limit = std::max(limit.value_or(0), *cut.max_depth);
  }
  return limit;
}

double limit_leaves(double leaves, std::optional<std::int64_t> max_depth) {
  if (max_depth && *max_depth < 60) leaves = std::min(leaves, std::exp2(*max_depth));
  return std::max(1.0, leaves);
}

/// Of a forest's tree of a leaf size.
double forest_leaves(const Family& family, double n_leaf_rows, const DataShape& shape) {
  const double rows = static_cast<double>(shape.n_rows);
  // Pure nodes end early where there are classes.
  const double full = (shape.task == Task::kRegression ? kDrawn : 0.15) * rows;
  return limit_leaves(std::min(full, kDrawn * rows / (1.5 * n_leaf_rows)), depth_limit(family));
}

/// Forests grown for the price of so many of the least leaf size.
double leaf_sizes_factor(const Family& family, const DataShape& shape) {
  const auto n_sizes = static_cast<double>(family.leaf_sizes.size());
  // Trees of further leaf sizes have most of their nodes in common with the first.
  const double further = shape.n_classes > 2 ? 0.28 : 0.15;
  return 1 + further * (n_sizes - 1);
}

double outputs_of(const DataShape& shape) {
  return shape.n_classes > 2 ? static_cast<double>(shape.n_classes) : 1.0;
}

double forest_seconds(const Family& family, double leaves, const DataShape& shape) {
  const auto& forest = std::get<options::ForestSettings>(family.settings);
  const double rows = static_cast<double>(shape.n_rows);
  const double features = static_cast<double>(shape.n_features);
  double levels = std::log2(std::max(2.0, rows / leaf_rows(family, rows).front()));
  if (const auto limit = depth_limit(family)) {
    levels = std::min(levels, static_cast<double>(*limit));
  }
  const auto tried =
      static_cast<double>(forest.max_features.resolve(static_cast<std::int64_t>(features)));
  if (shape.task == Task::kRegression) {
    return kNanosecond * (rows * levels * (10.5 + 0.067 * tried) + leaves * 1370);
  }
  // The rows of a node move with all their features, of which few are looked at.
  return kNanosecond *
         (rows * levels * (0.18 * tried + 0.09 * features) + leaves * (190 + 23 * tried));
}

double boosting_seconds(double leaves, const DataShape& shape) {
  const double rows = static_cast<double>(shape.n_rows);
  const double features = static_cast<double>(shape.n_features);
  // Histograms of many features leave the cache.
  const double beyond_cache = std::max(0.0, features - 64);
  const double levels = std::log2(std::max(2.0, leaves));
  const double tree = rows * (7.1 * levels + 0.29 * features + 0.56 * beyond_cache * levels) +
                      leaves * (1500 + 300 * features + 550 * beyond_cache);
  return kNanosecond * (17.5 * rows + outputs_of(shape) * tree);
}

double padded(double n, double multiple) { return std::ceil(n / multiple) * multiple; }

/// Share of the rows that a tree draws.
double drawn(const options::ForestSettings& forest, double rows) {
  if (!forest.bootstrap) return 1;
  if (!forest.max_samples) return kDrawn;
  const auto n_draws = options::resolve_count(*forest.max_samples, static_cast<std::int64_t>(rows));
  return 1 - std::exp(-static_cast<double>(n_draws) / std::max(1.0, rows));
}

/// The rows of the tree that a thread grows.
double forest_rows_bytes(const Family& family, const DataShape& shape) {
  const auto& forest = std::get<options::ForestSettings>(family.settings);
  const double rows = static_cast<double>(shape.n_rows);
  const double features = static_cast<double>(shape.n_features);
  const double in_tree = rows * drawn(forest, rows);
  if (shape.task == Task::kRegression) {
    // Rows side by side where all features are searched; numbers and sums of rows, twice.
    const bool is_copied =
        forest.max_features.resolve(static_cast<std::int64_t>(shape.n_features)) ==
        static_cast<std::int64_t>(shape.n_features);
    return rows * ((is_copied ? padded(features, 8) : 0) + 4) + in_tree * (8 + 32);
  }
  // Rows that move are set aside where leaf sizes part: in nodes of some times the greatest.
  constexpr double kMostRowsALeafRow = 64;
  const auto sizes = leaf_rows(family, rows);
  const double n_aside = sizes.size() > 1 ? std::min(in_tree, kMostRowsALeafRow * sizes.back()) : 0;
  if (shape.n_classes > 2) return rows * 2.25 + (2 * in_tree + n_aside) * (features + 2);
  constexpr double kBlock_bytes = 8 << 20;
  const bool is_listed = in_tree * (features + 1) > kBlock_bytes;
  const double block = std::min(in_tree * (features + 1), kBlock_bytes);
  const double aside = std::min(n_aside * (features + 1), kBlock_bytes);
  return rows * 2.25 + 2 * block + aside + (is_listed ? in_tree * 10 : 0);
}

/// A tree as it is built, node by node, of every leaf size.
double builder_bytes(const Family& family, const DataShape& shape) {
  constexpr double kBuiltNode_bytes = 56;
  // Lists double as they grow, and hold the old half until it is copied.
  constexpr double kGrowth = 1.5;
  return kGrowth * kBuiltNode_bytes * expected_nodes(family, shape);
}

/// Trees made ready for reading test rows, some at a time: a word, a leaf's number, and for every
/// cut where it stops.
double readout_bytes(const Family& family, const DataShape& shape) {
  constexpr double kTreesAWalk = 16;
  const double leaves = expected_leaves(family, shape);
  const double cuts = static_cast<double>(std::max<std::size_t>(1, family.cut_settings.size()));
  return kTreesAWalk * leaves * (2 * (8 + 4) + 4 * cuts);
}

/// Rows that go to the rank which grows their subtree, as messages and as bins; then the trees that
/// come back to all, as messages and as trees.
double gathered_bytes(const Family& family, const DataShape& shape, int n_threads, int n_ranks) {
  const double rows = static_cast<double>(shape.n_rows);
  const double row = static_cast<double>(shape.n_features) + 8;
  const auto n_all = static_cast<std::size_t>(n_threads) * static_cast<std::size_t>(n_ranks);
  const double n_trees =
      std::min(static_cast<double>(learn::trees_a_group_step(
                   std::max<std::uint64_t>(1, shape.n_rows), shape.n_features, n_all)),
               static_cast<double>(family.n_units()));
  const double tree = static_cast<double>(held_bytes(family, 1, shape, family.cut_settings.size()));
  const auto& forest = std::get<options::ForestSettings>(family.settings);
  return 2 * n_trees * std::max(rows * drawn(forest, rows) * row / n_ranks, tree);
}

double forest_bytes(const Family& family, bool is_whole_fit, const DataShape& shape, double n_test,
                    int n_threads, int n_ranks) {
  const double outputs = static_cast<double>(std::max<std::uint64_t>(1, shape.n_classes));
  const double target = (shape.task == Task::kRegression ? 8 : 4) + (shape.is_weighted ? 8 : 0);
  // A whole fit sums one leaf size after the other, a block all of them.
  const auto n_sums = static_cast<double>(family.cut_settings.size() *
                                          (is_whole_fit ? 1 : family.leaf_sizes.size()));
  const double scoring =
      n_test > 0 ? n_test * (8 * outputs + 16) + readout_bytes(family, shape) : 0;
  const double growing =
      n_ranks > 1 ? gathered_bytes(family, shape, n_threads, n_ranks)
                  : n_threads * (forest_rows_bytes(family, shape) + builder_bytes(family, shape));
  return static_cast<double>(shape.n_rows) * target + n_sums * n_test * outputs * 8 + scoring +
         growing;
}

/// Sums of gradients that nodes keep until they are split.
double histograms_bytes(const Family& family, const DataShape& shape, int n_ranks) {
  constexpr double kMost_bytes = 256 << 20;
  const auto& boosting = std::get<options::BoostingSettings>(family.settings);
  double n_nodes = expected_leaves(family, shape) + 1;
  if (!boosting.max_leaf_nodes && n_ranks == 1) {
    // Trees without a limit of leaves are grown to their ends below nodes of so many rows.
    constexpr double kSubtreeRows = 4096;
    n_nodes = std::min(n_nodes, 2 * static_cast<double>(shape.n_rows) / kSubtreeRows + 2);
  }
  const double slots = static_cast<double>(shape.n_features) * (family.max_bins() + 1);
  return std::min(kMost_bytes, 16 * slots * n_nodes) + (n_ranks > 1 ? 16 * slots : 0);
}

double boosting_bytes(const Family& family, const DataShape& shape, double n_test, int n_threads,
                      int n_ranks) {
  const auto& boosting = std::get<options::BoostingSettings>(family.settings);
  const double rows = static_cast<double>(shape.n_rows), outputs = outputs_of(shape);
  const double features = static_cast<double>(shape.n_features);
  const double classes = static_cast<double>(std::max<std::uint64_t>(1, shape.n_classes));
  const bool is_weighted =
      shape.is_weighted || boosting.class_weight != options::ClassWeight::kNone;
  const double weight = is_weighted ? 8 : 0;
  // Raw predictions, probabilities of several classes, gradients, lists of rows and their spare,
  // the rows of the fit. A rank of a group begins with the list of all rows.
  const double row = 8 * outputs + (outputs > 1 ? 8 * outputs : 0) + 8 + 8 + 4 + weight;
  const double of_rows = rows / n_ranks * row + (n_ranks > 1 ? rows * (4 + weight) : 0);
  double judged = 0;
  const auto stopping = boosting.early_stopping;
  if (stopping == options::EarlyStopping::kOn ||
      (stopping == options::EarlyStopping::kAuto && shape.n_rows > 10'000)) {
    judged = rows * boosting.validation_fraction.value_or(1) * (12 + 8 * classes + 8 * outputs);
  }
  // Raw predictions and codes of the test rows, which a group gathers to score them.
  const double codes = padded(features + 1, 32) + features;
  const double of_test = n_test / n_ranks * (8 * outputs + codes) +
                         (n_ranks > 1 ? n_test * 8 * outputs : 0) + n_test * (8 * classes + 16);
  const double slots = features * (family.max_bins() + 1);
  return of_rows + judged + of_test + histograms_bytes(family, shape, n_ranks) +
         n_threads * slots * 24;
}

}  // namespace

double expected_leaves(const Family& family, const DataShape& shape) {
  const double rows = static_cast<double>(shape.n_rows);
  if (family.is_forest()) {
    return forest_leaves(family, leaf_rows(family, rows).front(), shape);
  }
  const auto& boosting = std::get<options::BoostingSettings>(family.settings);
  double leaves = rows / (1.5 * static_cast<double>(boosting.min_samples_leaf));
  if (boosting.max_leaf_nodes) {
    leaves = std::min(leaves, static_cast<double>(*boosting.max_leaf_nodes));
  }
  return limit_leaves(leaves, boosting.max_depth);
}

double expected_nodes(const Family& family, const DataShape& shape) {
  if (!family.is_forest()) return outputs_of(shape) * (2 * expected_leaves(family, shape) - 1);
  double nodes = 0;
  for (const double n_leaf_rows : leaf_rows(family, static_cast<double>(shape.n_rows))) {
    nodes += 2 * forest_leaves(family, n_leaf_rows, shape) - 1;
  }
  return nodes;
}

double estimate_cost(const Family& family, std::int64_t n_units, const DataShape& shape) {
  const double leaves = expected_leaves(family, shape);
  const double unit = family.is_forest()
                          ? leaf_sizes_factor(family, shape) * forest_seconds(family, leaves, shape)
                          : boosting_seconds(leaves, shape);
  return static_cast<double>(n_units) * unit;
}

double thread_speedup(const Family& family, int n_threads) {
  return 1 + (family.is_forest() ? 0.9 : 0.75) * (n_threads - 1);
}

double exchange_seconds(const Family& family, std::int64_t n_units, const DataShape& shape) {
  if (family.is_forest()) {
    // The rows that a tree draws are sent once, after the top of the tree was counted row by row.
    constexpr double kRowByte_s = 3.3e-9;
    const double rows = static_cast<double>(shape.n_rows);
    const auto& forest = std::get<options::ForestSettings>(family.settings);
    return static_cast<double>(n_units) * rows * drawn(forest, rows) *
           (static_cast<double>(shape.n_features) + 8) * kRowByte_s;
  }
  // Agreeing on a split, and the histogram of one of its sides at 1.7 GB a second.
  constexpr double kSplit_s = 0.1e-3, kByte_s = 0.6e-9;
  const double n_splits = static_cast<double>(n_units * trees_a_unit(family, shape)) *
                          (expected_leaves(family, shape) - 1);
  const double bytes = 16.0 * static_cast<double>(shape.n_features) * (family.max_bins() + 1);
  return n_splits * (kSplit_s + bytes * kByte_s);
}

std::int64_t trees_a_unit(const Family& family, const DataShape& shape) {
  return family.is_forest() ? static_cast<std::int64_t>(family.leaf_sizes.size())
                            : static_cast<std::int64_t>(outputs_of(shape));
}

namespace {

/// Values that a tree stores, for each of its nodes. Half of the nodes are leaves. Class fractions
/// of pure and of small leaves are few different ones, which nodes share.
double values_a_node(const Family& family, const DataShape& shape) {
  const bool shares = family.is_forest() && shape.task == Task::kClassification;
  return shares ? 0.1 : 0.5;
}

/// Bytes in which a packed tree stores numbers up to so many.
double packed_width(double n) { return n < 0x1p8 ? 1 : n < 0x1p16 ? 2 : 4; }

}  // namespace

double bytes_a_node(const Family& family, const DataShape& shape, std::size_t n_cuts) {
  return kNodeBytes + 8 * values_a_node(family, shape) + (n_cuts > 1 ? kStopsBytes : 0);
}

std::uint64_t tree_bytes(const Family& family, std::int64_t n_units, const DataShape& shape,
                         std::size_t n_cuts) {
  return static_cast<std::uint64_t>(static_cast<double>(n_units) * expected_nodes(family, shape) *
                                    bytes_a_node(family, shape, n_cuts));
}

std::uint64_t held_bytes(const Family& family, std::int64_t n_units, const DataShape& shape,
                         std::size_t n_cuts) {
  const double nodes = 2 * expected_leaves(family, shape) - 1;  // of the largest tree
  const double values = values_a_node(family, shape);
  const double value_row = packed_width(values * nodes);
  // Feature, flags, threshold, gain and child.
  const double inner =
      packed_width(static_cast<double>(shape.n_features)) + 1 + 4 + 8 + packed_width(nodes);
  double node = 0.5 * (inner + value_row) + packed_width(static_cast<double>(shape.n_rows)) +
                1.0 / 8 + 8 * values;
  if (n_cuts > 1) {
    const double stops = n_cuts <= 8 ? 1 : n_cuts <= 16 ? 2 : n_cuts <= 32 ? 4 : 8;
    node += stops + 0.5 * value_row;
  }
  return static_cast<std::uint64_t>(static_cast<double>(n_units) * expected_nodes(family, shape) *
                                    node);
}

std::uint64_t working_bytes(const Family& family, std::int64_t n_units, const DataShape& shape,
                            std::uint64_t n_test, int n_threads, int n_ranks) {
  const double test = static_cast<double>(n_test);
  const double beside =
      family.is_forest()
          ? forest_bytes(family, n_units == family.n_units(), shape, test, n_threads, n_ranks)
          : boosting_bytes(family, shape, test, n_threads, n_ranks);
  return static_cast<std::uint64_t>(beside) +
         held_bytes(family, n_units, shape, family.cut_settings.size());
}

}  // namespace orchard::search
