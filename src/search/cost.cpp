#include "orchard/search/cost.hpp"

#include <algorithm>
#include <cmath>
#include <variant>

namespace orchard::search {
namespace {

constexpr double kNanosecond = 1e-9;
/// Share of the rows that a bootstrap draws.
constexpr double kDrawn = 0.632;
/// Of a tree in memory: feature, threshold, child, flags, value row, samples, gain.
constexpr double kNodeBytes = 4 + 4 + 4 + 1 + 4 + 4 + 8;
constexpr double kStopsBytes = 8;

/// What a node takes while its tree grows, in arrays that have room for more.
constexpr double kGrowingNodeBytes = 80;
/// Of growing the trees of a leaf size alone, what is left where they grow with those of a smaller
/// one: nodes that have parted, and writing the others down.
constexpr double kApart = 0.35;

/// The leaf sizes of a forest family, in rows, ascending.
std::vector<double> leaf_rows(const Family& family, const DataShape& shape) {
  std::vector<double> out;
  for (const auto& size : family.leaf_sizes) {
    const auto n_rows = options::resolve_count(size, static_cast<std::int64_t>(shape.n_rows));
    out.push_back(std::max(1.0, static_cast<double>(n_rows)));
  }
  std::sort(out.begin(), out.end());
  return out;
}

double outputs_of(const DataShape& shape) {
  return shape.n_classes > 2 ? static_cast<double>(shape.n_classes) : 1.0;
}

double limit_leaves(double leaves, std::optional<std::int64_t> max_depth) {
  if (max_depth && *max_depth < 60) leaves = std::min(leaves, std::exp2(*max_depth));
  return std::max(1.0, leaves);
}

/// Of a tree of a forest.
double forest_leaves(const options::ForestSettings& forest, double n_leaf_rows,
                     const DataShape& shape) {
  const double rows = static_cast<double>(shape.n_rows);
  // Pure nodes end early where there are classes.
  const double full = (shape.task == Task::kRegression ? kDrawn : 0.15) * rows;
  return limit_leaves(std::min(full, kDrawn * rows / (1.5 * n_leaf_rows)), forest.max_depth);
}

/// Of a tree of boosting.
double boosting_leaves(const options::BoostingSettings& boosting, const DataShape& shape) {
  double leaves =
      static_cast<double>(shape.n_rows) / (1.5 * static_cast<double>(boosting.min_samples_leaf));
  if (boosting.max_leaf_nodes) {
    leaves = std::min(leaves, static_cast<double>(*boosting.max_leaf_nodes));
  }
  return limit_leaves(leaves, boosting.max_depth);
}

double forest_tree_seconds(const options::ForestSettings& forest, double n_leaf_rows,
                           const DataShape& shape) {
  const double leaves = forest_leaves(forest, n_leaf_rows, shape);
  const double rows = static_cast<double>(shape.n_rows);
  const double features = static_cast<double>(shape.n_features);
  double levels = std::log2(std::max(2.0, rows / n_leaf_rows));
  if (forest.max_depth) levels = std::min(levels, static_cast<double>(*forest.max_depth));
  const auto tried =
      static_cast<double>(forest.max_features.resolve(static_cast<std::int64_t>(features)));
  if (shape.task == Task::kRegression) {
    return kNanosecond * (rows * levels * (10.5 + 0.067 * tried) + leaves * 1370);
  }
  // The rows of a node move with all their features, of which few are looked at.
  return kNanosecond *
         (rows * levels * (0.18 * tried + 0.09 * features) + leaves * (190 + 23 * tried));
}

/// Of a tree of each leaf size.
double forest_seconds(const Family& family, const DataShape& shape) {
  const auto& forest = std::get<options::ForestSettings>(family.settings);
  double seconds = 0, share = 1;
  for (const double n_leaf_rows : leaf_rows(family, shape)) {
    seconds += share * forest_tree_seconds(forest, n_leaf_rows, shape);
    share = kApart;
  }
  return seconds;
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

/// A thread's rows and counts.
double forest_thread_bytes(const Family& family, const DataShape& shape) {
  const double rows = static_cast<double>(shape.n_rows);
  const double features = static_cast<double>(shape.n_features);
  if (shape.task == Task::kRegression) {
    const double row = std::ceil(features / 8) * 8;
    constexpr double kMaxHistograms_bytes = 32 << 20, kHistograms = 16;
    return rows * (row + 4 + kDrawn * (8 + 32)) +
           std::min(kMaxHistograms_bytes, kHistograms * row * 260 * 16);
  }
  // Where leaf sizes part, rows that move are set aside, of nodes of some times the leaf size.
  constexpr double kMostRowsALeafRow = 64;
  const auto sizes = leaf_rows(family, shape);
  const double aside =
      sizes.size() > 1 ? std::min(rows, kMostRowsALeafRow * sizes.back()) * (features + 2) : 0;
  if (shape.n_classes > 2) return rows * (2.25 + 2 * kDrawn * (features + 2)) + aside;
  constexpr double kBlock_bytes = 8 << 20;
  const double block = std::min(rows * (features + 1), kBlock_bytes);
  return rows * 2.25 + 2 * block + std::min(block, aside) +
         (rows * (features + 1) > block ? rows * kDrawn * 10 : 0);
}

/// Value rows of a node, in numbers: half of the nodes are leaves; those of classes share their
/// values where they are pure.
double values_a_node(const Family& family, const DataShape& shape) {
  if (!family.is_forest()) return 0.5;
  return 0.25 * static_cast<double>(std::max<std::uint64_t>(2, shape.n_classes));
}

}  // namespace

double expected_leaves(const Family& family, const DataShape& shape) {
  if (const auto* forest = std::get_if<options::ForestSettings>(&family.settings)) {
    return forest_leaves(*forest, leaf_rows(family, shape).front(), shape);
  }
  return boosting_leaves(std::get<options::BoostingSettings>(family.settings), shape);
}

double expected_nodes(const Family& family, const DataShape& shape) {
  const auto* forest = std::get_if<options::ForestSettings>(&family.settings);
  if (forest == nullptr) return outputs_of(shape) * (2 * expected_leaves(family, shape) - 1);
  double nodes = 0;
  for (const double n_leaf_rows : leaf_rows(family, shape)) {
    nodes += 2 * forest_leaves(*forest, n_leaf_rows, shape) - 1;
  }
  return nodes;
}

double estimate_cost(const Family& family, std::int64_t n_units, const DataShape& shape) {
  const double unit = family.is_forest() ? forest_seconds(family, shape)
                                         : boosting_seconds(expected_leaves(family, shape), shape);
  return static_cast<double>(n_units) * unit;
}

double thread_speedup(const Family& family, int n_threads) {
  return 1 + (family.is_forest() ? 0.9 : 0.75) * (n_threads - 1);
}

std::int64_t trees_a_unit(const Family& family, const DataShape& shape) {
  return family.is_forest() ? static_cast<std::int64_t>(family.leaf_sizes.size())
                            : static_cast<std::int64_t>(outputs_of(shape));
}

double bytes_a_node(const Family& family, const DataShape& shape, std::size_t n_cuts) {
  return kNodeBytes + 8 * values_a_node(family, shape) + (n_cuts > 1 ? kStopsBytes : 0);
}

std::uint64_t working_bytes(const Family& family, std::int64_t n_units, const DataShape& shape,
                            std::uint64_t n_test, int n_threads) {
  const double rows = static_cast<double>(shape.n_rows), test = static_cast<double>(n_test);
  const double features = static_cast<double>(shape.n_features);
  const double nodes = expected_nodes(family, shape);
  const double trees = static_cast<double>(n_units) * nodes *
                       bytes_a_node(family, shape, family.cut_settings.size());
  if (family.is_forest()) {
    const double n_outputs = static_cast<double>(std::max<std::uint64_t>(1, shape.n_classes));
    const double targets = rows * (shape.task == Task::kRegression ? 8 : 4);
    // A whole fit sums one leaf size after the other, a block all of them.
    const auto n_sums =
        family.cut_settings.size() * (n_units == family.n_units() ? 1 : family.leaf_sizes.size());
    const double sums = static_cast<double>(n_sums) * test * n_outputs * 8;
    const double scoring = test * n_outputs * 8 + test * 16;
    // A thread grows a tree of each leaf size at once.
    const double growing = nodes * (kGrowingNodeBytes + 12 * values_a_node(family, shape));
    return static_cast<std::uint64_t>(targets + sums + scoring + trees +
                                      n_threads * (forest_thread_bytes(family, shape) + growing));
  }
  const double n_outputs = outputs_of(shape);
  // Raw predictions, gradients, the lists of rows and their spare, the rows of the fit.
  const double by_rows = rows * (n_outputs * 8 + (n_outputs > 1 ? n_outputs * 8 : 0) + 8 + 8 + 4);
  const double by_test = test * (n_outputs * 16 + 16);
  constexpr double kMaxHistograms_bytes = 256 << 20;
  const double slots = features * (family.max_bins() + 1);
  const double histograms =
      std::min(kMaxHistograms_bytes, slots * 16 * (expected_leaves(family, shape) + 2));
  return static_cast<std::uint64_t>(by_rows + by_test + histograms + trees +
                                    n_threads * slots * 24);
}

}  // namespace orchard::search
