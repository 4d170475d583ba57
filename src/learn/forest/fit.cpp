#include "orchard/learn/forest.hpp"

#include <algorithm>
#include <optional>

#include "forest/group/grower.hpp"
#include "forest/grower.hpp"
#include "forest/readout.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"
#include "peers.hpp"

namespace orchard::learn {
namespace {

/// Trees prepared for walking at a time.
constexpr std::size_t kTreesAWalk = 16;
/// Test rows a chunk of work: their sums, `n_row_bytes` each, stay in the cache from tree to tree,
/// and so does a tree from row to row.
std::size_t rows_a_walk(std::size_t n_row_bytes) {
  constexpr std::size_t kSumBytes = 2048 * 1024;
  return std::clamp<std::size_t>(kSumBytes / n_row_bytes, 1024, 16384);
}

/// Training rows of the trees that a thread grows between two waits for the others: enough work to
/// be worth the waking, little enough that checkpoints miss no more than a second's.
constexpr std::size_t kRowsAnAdvance = 1 << 20;

/// A restored tree is not trusted: readouts rely on every cut stopping by the end of every path, on
/// value rows where they stop, and on splits that suit the features' bins.
void check_restored(const ForestPlan& plan, const model::Tree& tree) {
  const auto& features = plan.context.data.binning->features;
  tree.validate(features.size(), plan.n_values());
  const auto refuse = [](const char* what) {
    throw Error(ErrorKind::kData, format("a restored tree {}", what));
  };
  if (tree.stops.empty() && plan.cuts.size() > 1) refuse("has no stops");
  std::vector<std::uint64_t> active(tree.n_nodes());
  active[0] = plan.all_cuts();
  for (std::size_t node = 0; node < tree.n_nodes(); ++node) {
    const bool is_leaf = tree.left[node] < 0;
    const std::uint64_t stops =
        tree.stops.empty() ? (is_leaf ? plan.all_cuts() : 0) : tree.stops[node];
    const std::uint64_t below = active[node] & ~stops;
    if (is_leaf) {
      if (below != 0) refuse("ends before all cuts have stopped");
      continue;
    }
    const auto left = static_cast<std::size_t>(tree.left[node]);
    active[left] = active[left + 1] = below;
    const bool is_categorical = (tree.flags[node] & model::Tree::kCategorical) != 0;
    const auto kind = features[static_cast<std::size_t>(tree.feature[node])].kind;
    if (is_categorical != (kind == model::FeatureKind::kCategorical)) {
      refuse("splits a feature by the wrong kind");
    }
  }
}

/// Units of the trees that are there.
void make_units(std::span<model::PackedTree> trees, std::span<model::Unit> units) {
  for (std::size_t i = 0; i < trees.size(); ++i) {
    if (trees[i].n_nodes() == 0) continue;
    std::vector<model::PackedTree> of_unit;
    of_unit.push_back(std::move(trees[i]));
    units[i] = model::Unit::of_packed(std::move(of_unit));
  }
}

}  // namespace

struct ForestFit::State {
  ForestPlan plan;
  std::uint64_t first_tree, n_trees;                   ///< numbers, each grown for every leaf size
  std::vector<model::Unit> units;                      ///< [number][leaf size]
  std::vector<std::unique_ptr<ForestGrower>> growers;  ///< [n_threads], of a fit alone
  std::unique_ptr<group::GroupGrower> group_grower;    ///< of a fit with a group
  bool has_advanced = false;

  std::size_t n_leaf_sizes() const { return plan.leaf_rows.size(); }
  std::size_t n_finished() const { return units.size() / n_leaf_sizes(); }

  std::size_t n_trees_a_step();
  /// Trees from number `first` on, as units [number][leaf size, ascending]. When it throws, and in
  /// a group also otherwise, those after the finished ones are empty.
  void grow(std::uint64_t first, std::span<model::Unit> grown);
  void grow_in_group(std::uint64_t first, std::span<model::Unit> grown);
  void keep_finished(std::span<model::Unit> grown);
};

std::size_t ForestFit::State::n_trees_a_step() {
  if (plan.context.group != nullptr) {
    if (group_grower == nullptr) group_grower = std::make_unique<group::GroupGrower>(plan);
    return group_grower->n_trees_a_step();
  }
  const std::size_t n_a_thread =
      std::max<std::size_t>(1, kRowsAnAdvance / plan.context.data.n_train());
  return static_cast<std::size_t>(plan.context.pool.n_threads()) * n_a_thread;
}

void ForestFit::State::grow_in_group(std::uint64_t first, std::span<model::Unit> grown) {
  std::vector<model::PackedTree> trees(grown.size());
  try {
    group_grower->grow(first, trees);
  } catch (...) {
    make_units(trees, grown);
    throw;
  }
  make_units(trees, grown);
}

void ForestFit::State::grow(std::uint64_t first, std::span<model::Unit> grown) {
  if (group_grower != nullptr) return grow_in_group(first, grown);
  auto& pool = plan.context.pool;
  while (growers.size() < static_cast<std::size_t>(pool.n_threads())) {
    growers.push_back(make_forest_grower(plan));
  }
  pool.for_chunks(grown.size() / n_leaf_sizes(), 1, [&](std::size_t i, std::size_t, int thread) {
    std::vector<model::PackedTree> trees(n_leaf_sizes());
    growers[static_cast<std::size_t>(thread)]->grow({first + i}, trees);
    make_units(trees, grown.subspan(i * n_leaf_sizes(), n_leaf_sizes()));
  });
}

void ForestFit::State::keep_finished(std::span<model::Unit> grown) {
  const std::size_t n_sizes = n_leaf_sizes();
  for (std::size_t i = 0; i < grown.size() && grown[i + n_sizes - 1].size() != 0; i += n_sizes) {
    const std::size_t begin = units.size();
    units.resize(begin + n_sizes);
    for (std::size_t size = 0; size < n_sizes; ++size) {
      units[begin + plan.leaf_places[size]] = std::move(grown[i + size]);
    }
  }
}

ForestFit::ForestFit(const FitContext& context, const options::ForestSettings& settings,
                     std::vector<Cut> cuts, int first_tree, int last_tree,
                     const std::vector<options::CountOrFraction>& leaf_sizes) {
  require(0 <= first_tree && first_tree <= last_tree, "a range of trees is in order");
  if (last_tree > kMaxTrees) {
    throw Error(ErrorKind::kData,
                format("a forest of {} trees; at most {} can be added", last_tree, kMaxTrees));
  }
  state_ = std::make_unique<State>(State{make_plan(context, settings, std::move(cuts), leaf_sizes),
                                         static_cast<std::uint64_t>(first_tree),
                                         static_cast<std::uint64_t>(last_tree - first_tree),
                                         {},
                                         {},
                                         {},
                                         false});
}

ForestFit::~ForestFit() = default;

bool ForestFit::is_done() const { return n_trees() == state_->n_trees; }

std::size_t ForestFit::n_trees() const { return state_->n_finished(); }

void ForestFit::advance() {
  State& state = *state_;
  require(!is_done(), "a finished fit is not advanced");
  state.has_advanced = true;
  const std::size_t n_grown = std::min(state.n_trees_a_step(), state.n_trees - state.n_finished());
  std::vector<model::Unit> grown(n_grown * state.n_leaf_sizes());
  try {
    state.grow(state.first_tree + state.n_finished(), grown);
  } catch (...) {
    state.keep_finished(grown);
    throw;
  }
  state.keep_finished(grown);
}

const std::vector<model::Unit>& ForestFit::units() const { return state_->units; }

void ForestFit::restore(std::vector<model::Unit> units) {
  State& state = *state_;
  require(!state.has_advanced && state.units.empty(), "a fit is restored before it advances");
  require(units.size() <= state.n_trees * state.n_leaf_sizes(),
          "a fit is restored from a prefix of its units");
  units.resize(units.size() / state.n_leaf_sizes() * state.n_leaf_sizes());
  for (const auto& unit : units) {
    require(unit.size() == 1, "a unit of a forest is one tree");
    check_restored(state.plan, unit[0]);
  }
  state.units = std::move(units);
}

ModelFrame ForestFit::frame() const {
  const auto n_outputs = state_->plan.n_values();
  return {model::Combine::kAverage, static_cast<std::int32_t>(n_outputs),
          state_->plan.value_exponent, std::vector<std::int64_t>(n_outputs, 0)};
}

void ForestFit::read_out(std::size_t leaf_size, std::size_t first, std::size_t last,
                         std::span<std::int64_t> sums) {
  const State& state = *state_;
  const auto& data = state.plan.context.data;
  require(leaf_size < state.n_leaf_sizes() && first <= last && last <= n_trees(),
          "only finished trees are read out");
  require(sums.size() == state.plan.cuts.size() * data.n_test() * state.plan.n_values(),
          "there is a sum for each cut, test row and output");
  auto& pool = state.plan.context.pool;
  const std::size_t n_rows =
      rows_a_walk(state.plan.cuts.size() * state.plan.n_values() * sizeof(std::int64_t));
  for (std::size_t begin = first; begin < last; begin += kTreesAWalk) {
    const std::size_t n_trees = std::min(kTreesAWalk, last - begin);
    std::vector<std::optional<TreeReadout>> trees(n_trees);
    pool.for_chunks(n_trees, 1, [&](std::size_t i, std::size_t, int) {
      const model::Unit& unit = state.units[(begin + i) * state.n_leaf_sizes() + leaf_size];
      trees[i].emplace(unit[0], *data.binning, state.plan.n_values(), state.plan.all_cuts());
    });
    pool.for_chunks(data.n_test(), n_rows, [&](std::size_t row, std::size_t end, int) {
      const TestRows test(data, static_cast<RowIndex>(row), static_cast<RowIndex>(end));
      ReadoutScratch scratch;
      for (const auto& tree : trees) {
        tree->add(test, scratch, data.n_test(), sums);
        pool.poll();
      }
      TreeReadout::finish(test, scratch, state.plan.cuts.size(), data.n_test(), sums);
    });
  }
}

std::vector<std::int64_t> ForestFit::sums_of_group(std::span<const std::int64_t> sums) const {
  const ForestPlan& plan = state_->plan;
  const Peers peers(plan.context.group);
  const auto& share = plan.context.data.test_share;
  const std::size_t n_own = share.size() * plan.n_values();
  std::vector<std::int64_t> all;
  for (std::size_t cut = 0; cut < plan.cuts.size(); ++cut) {
    const auto of_cut = peers.gather_items(
        sums.subspan(cut * n_own, n_own), share.begin * plan.n_values(), share.n * plan.n_values());
    all.insert(all.end(), of_cut.begin(), of_cut.end());
  }
  return all;
}

}  // namespace orchard::learn
