#pragma once
// What all trees of a forest share, resolved once a fit.

#include <algorithm>
#include <limits>
#include <vector>

#include "forest/targets.hpp"
#include "orchard/learn/forest.hpp"
#include "orchard/random/stream.hpp"

namespace orchard::learn {

/// Where a faster way of doing the same takes over. No setting changes a tree; tests vary them.
struct ForestTuning {
  /// Class counts a bin are kept when a node has at least this many rows a class; else rows are
  /// chained by bin.
  std::size_t n_dense_rows = 32;
  /// Occupied bins are marked by a byte each from this many rows on, by bits in four words below.
  std::size_t n_flag_rows = 32;
  /// Rows that move are copied once a node's fit into so many bytes; until then they are a list.
  /// Twice as much is needed a thread, and half of a cache is a good place for it.
  std::size_t n_block_bytes = std::size_t{8} << 20;
  /// Among ranks that hold shares of the rows, a node of at most so many rows, or of its part of
  /// the work, is grown by one of them.
  std::size_t n_gathered_rows = 4096;
};

/// Leaf sizes [first, last) of a plan.
struct LeafSizes {
  std::uint32_t first = 0, last = 0;
  bool is_empty() const { return first == last; }
};

/// Immutable while trees grow; shared by all threads.
struct ForestPlan {
  FitContext context;
  options::ForestSettings settings;
  std::vector<Cut> cuts;
  ForestTuning tuning;
  ForestTargets targets;
  std::uint64_t n_draws = 0;             ///< sum of a tree's multiplicities
  std::vector<std::uint32_t> leaf_rows;  ///< leaf sizes in distinct rows, ascending
  std::vector<std::size_t> leaf_places;  ///< of each of these, where it was given
  std::size_t n_tried = 1;               ///< max_features
  std::int32_t value_exponent = 0;

  std::uint64_t all_cuts() const {
    return cuts.size() == kMaxCuts ? ~std::uint64_t{0} : (std::uint64_t{1} << cuts.size()) - 1;
  }
  LeafSizes all_leaf_sizes() const { return {0, static_cast<std::uint32_t>(leaf_rows.size())}; }
  /// Those of `sizes` that are at most `n_rows`: the first ones.
  LeafSizes leaf_sizes_up_to(std::size_t n_rows, LeafSizes sizes) const {
    while (!sizes.is_empty() && leaf_rows[sizes.last - 1] > n_rows) --sizes.last;
    return sizes;
  }
  std::size_t n_values() const {
    return context.schema.task == Task::kClassification ? targets.n_classes : 1;
  }
};

/// Those of `cuts` that stop at a node whatever its split and the leaf size may be. `n_rows`:
/// distinct ones.
std::uint64_t stops_before(const ForestPlan& plan, std::uint64_t cuts, bool is_pure,
                           std::size_t n_rows, std::int64_t depth);
/// Those of `cuts` that ask more of a split than it gives.
std::uint64_t stops_below(const ForestPlan& plan, std::uint64_t cuts, double decrease);

/// Throws kData when the settings do not fit the training rows. `leaf_sizes`: as ForestFit's.
ForestPlan make_plan(const FitContext& context, const options::ForestSettings& settings,
                     std::vector<Cut> cuts,
                     const std::vector<options::CountOrFraction>& leaf_sizes = {});

/// Class fractions are stored with this many bits after the point.
inline constexpr int kFractionBits = 30;
/// A regression leaf value has this many bits: 2^16 trees can be added.
inline constexpr int kLeafBits = 46;
inline constexpr int kMaxTrees = 1 << 16;

/// A node of a tree before its rows are looked at.
struct NodeHead {
  LeafSizes sizes;  ///< whose trees have the node
  std::int64_t depth = 0;
  random::NodeKey key;
  std::uint64_t cuts = 0;  ///< that have not stopped above
};

/// A node below the root with its rows: those of a plan whose data holds them alone.
struct NodeStart {
  NodeHead head;
  std::vector<std::uint32_t> multiplicity;  ///< [n_train], how often the tree draws each row
  double root_weight = 0;                   ///< of the whole tree
  std::vector<double> class_weight;         ///< of the whole tree; empty: 1 each
};

/// Where growing begins: at the root of a tree, with the rows that it draws, or at a node.
struct TreeStart {
  std::uint64_t tree = 0;
  const NodeStart* node = nullptr;  ///< null: the root

  NodeHead head(const ForestPlan& plan) const {
    return node != nullptr ? node->head : NodeHead{plan.all_leaf_sizes(), 0, {}, plan.all_cuts()};
  }
};

/// Calls draw(position) for each draw of tree `tree`, with bootstrap: a position among all training
/// rows of the fold.
template <class Draw>
void draw_each(const ForestPlan& plan, std::uint64_t tree, Draw draw) {
  const std::uint64_t n_train = plan.context.data.train_share.n;
  const random::Stream stream(plan.context.random_state, random::Purpose::kBootstrap, tree);
  for (std::uint64_t first = 0; first < plan.n_draws; first += 4) {
    const auto block = stream.block(first / 4);
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(4, plan.n_draws - first); ++i) {
      const auto product = static_cast<unsigned __int128>(block[i]) * n_train;
      draw(static_cast<RowIndex>(product >> 64));
    }
  }
}

/// Calls add(position, n) for own training rows, such that each row's n sum up to its multiplicity.
template <class Add>
void add_rows(const ForestPlan& plan, const TreeStart& start, Add add) {
  const data::RowShare& share = plan.context.data.train_share;
  if (start.node != nullptr) {
    const auto& multiplicity = start.node->multiplicity;
    for (RowIndex row = 0; row < share.size(); ++row) add(row, multiplicity[row]);
  } else if (!plan.settings.bootstrap) {
    for (RowIndex row = 0; row < share.size(); ++row) add(row, 1U);
  } else if (share.is_whole()) {
    draw_each(plan, start.tree, [&](RowIndex position) { add(position, 1U); });
  } else {
    draw_each(plan, start.tree, [&](RowIndex position) {
      const RowIndex row = position - share.begin;
      if (row < share.size()) add(row, 1U);
    });
  }
}

/// Multiplicities of the own training rows: [n_train], replaced.
void count_rows(const ForestPlan& plan, const TreeStart& start,
                std::vector<std::uint32_t>& multiplicity);

}  // namespace orchard::learn
