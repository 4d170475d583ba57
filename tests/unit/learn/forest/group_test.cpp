// Forests that several ranks grow together, each on its share of the rows, against the forest
// alone.

#include <gtest/gtest.h>

#include "forest/group/grower.hpp"
#include "forest/random_case.hpp"
#include "global_seed.hpp"
#include "thread_row_group.hpp"

namespace orchard::learn {
namespace {

using options::ForestSettings;
using testing_support::run_row_group;
using testing_support::ThreadRowGroup;

/// The rows of a rank: even shares, or more for higher ranks.
data::BinnedData own_rows(const data::BinnedData& whole, int rank, int size, bool is_uneven) {
  const auto share = [&](RowIndex n) {
    const auto border = [&](int at) {
      const auto part = static_cast<std::uint64_t>(at), all = static_cast<std::uint64_t>(size);
      const std::uint64_t even = n * part / all;
      return static_cast<RowIndex>(is_uneven ? even * part / all : even);
    };
    return data::RowShare{border(rank), border(rank + 1), n};
  };
  return data::share_of(whole, share(whole.n_train()), share(whole.n_test()));
}

struct RandomCase {
  std::mt19937_64 random;
  TableSpec spec;
  ForestSettings settings;
  std::vector<Cut> cuts;
  std::vector<options::CountOrFraction> leaf_sizes;
  ForestTable table;

  explicit RandomCase(std::uint64_t seed)
      : random(seed),
        spec(random_spec(random)),
        settings(random_settings(random, spec)),
        cuts(random_cuts(random, 1 + random() % 4, spec.n_classes == 0)),
        table(spec, seed) {
    for (std::size_t i = 0; i < 1 + random() % 3; ++i) {
      leaf_sizes.push_back(static_cast<std::int64_t>(1 + random() % 20));
    }
    settings.max_features = {options::MaxFeatures::Rule::kCountOrFraction,
                             static_cast<std::int64_t>(1 + random() % 2)};
  }
  ForestPlan plan(const FitContext& context) const {
    return make_plan(context, settings, cuts, leaf_sizes);
  }
};

/// However small the part that all ranks grow in step is.
void expect_trees_of_group(std::uint64_t seed) {
  const RandomCase test(seed);
  constexpr std::size_t kTrees = 3;
  const std::size_t n_sizes = test.leaf_sizes.size();
  parallel::Pool pool(1);
  const ForestPlan whole = test.plan({test.table.data, test.table.schema, seed, pool});
  std::vector<model::PackedTree> expected(kTrees * n_sizes);
  const auto grower = make_general_grower(whole);
  for (std::size_t i = 0; i < kTrees; ++i) {
    grower->grow({5 + i}, std::span(expected).subspan(i * n_sizes, n_sizes));
  }
  for (const std::size_t n_gathered_rows : {1, 40, 100'000}) {
    const int size = static_cast<int>(2 + seed % 3);
    run_row_group(size, [&](ThreadRowGroup& group) {
      const auto own = own_rows(test.table.data, group.rank(), size, seed % 2 != 0);
      parallel::Pool own_pool(1 + (group.rank() + static_cast<int>(seed)) % 2);
      ForestPlan plan = test.plan({own, test.table.schema, seed, own_pool, &group});
      plan.tuning.n_gathered_rows = n_gathered_rows;
      std::vector<model::PackedTree> grown(expected.size());
      group::GroupGrower(plan).grow(5, grown);
      for (std::size_t i = 0; i < grown.size(); ++i) {
        ASSERT_EQ(grown[i], expected[i])
            << "seed " << seed << " tree " << i << " of rank " << group.rank()
            << ", nodes gathered from " << n_gathered_rows << " rows";
      }
    });
  }
}

TEST(ForestGroup, GrowsTheTreesOfOneRank) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    expect_trees_of_group(seed);
    if (HasFatalFailure()) return;
  }
}

TEST(ForestGroup, GrowsTheTreesOfOneRankForAnySeed) {
  for (const auto seed : testing_support::global_seeds()) expect_trees_of_group(1000 + seed);
}

/// Nodes that are seen by all ranks and have nothing to split for.
TEST(ForestGroup, ANodeOfEqualTargetsIsALeaf) {
  for (const std::size_t n_classes : {0, 2, 3}) {
    ForestTable table({.n_train = 400, .n_classes = n_classes}, 5);
    std::fill(table.target.begin(), table.target.end(), 1.0);
    ForestSettings settings;
    if (n_classes == 0) settings.criterion = options::Criterion::kSquaredError;
    run_row_group(2, [&](ThreadRowGroup& group) {
      const auto own = own_rows(table.data, group.rank(), 2, false);
      parallel::Pool pool(1);
      ForestPlan plan = make_plan({own, table.schema, 2, pool, &group}, settings, {Cut{}});
      plan.tuning.n_gathered_rows = 1;
      std::vector<model::PackedTree> grown(2);
      group::GroupGrower(plan).grow(0, grown);
      for (const auto& tree : grown) ASSERT_EQ(tree.n_nodes(), 1u) << n_classes;
    });
  }
}

/// More ranks than rows, so that some hold none.
TEST(ForestGroup, RanksWithoutRows) {
  for (const bool has_weights : {false, true}) {
    for (const std::size_t n_classes : {0, 2, 3}) {
      const ForestTable table(
          {.n_train = 9, .n_test = 2, .n_classes = n_classes, .has_weights = has_weights}, 8);
      ForestSettings settings;
      if (n_classes == 0) settings.criterion = options::Criterion::kSquaredError;
      parallel::Pool pool(1);
      ForestFit alone({table.data, table.schema, 1, pool}, settings, {Cut{}}, 0, 4);
      while (!alone.is_done()) alone.advance();
      run_row_group(14, [&](ThreadRowGroup& group) {
        const auto own = own_rows(table.data, group.rank(), 14, false);
        parallel::Pool own_pool(1);
        ForestFit fit({own, table.schema, 1, own_pool, &group}, settings, {Cut{}}, 0, 4);
        while (!fit.is_done()) fit.advance();
        ASSERT_EQ(fit.units(), alone.units())
            << n_classes << " classes, weights " << has_weights << ", rank " << group.rank();
      });
    }
  }
}

struct Fitted {
  std::vector<model::Unit> units;
  std::vector<std::int64_t> sums;  ///< of all leaf sizes
};

Fitted fit(const RandomCase& test, const FitContext& context, std::vector<model::Unit> restored) {
  ForestFit fit(context, test.settings, test.cuts, 0, 6, test.leaf_sizes);
  if (!restored.empty()) fit.restore(std::move(restored));
  while (!fit.is_done()) {
    try {
      fit.advance();
    } catch (const Stopped&) {
      // Goes on with the finished units.
    }
  }
  Fitted out{fit.units(), {}};
  const auto n_outputs = static_cast<std::size_t>(fit.frame().n_outputs);
  for (std::size_t size = 0; size < test.leaf_sizes.size(); ++size) {
    std::vector<std::int64_t> sums(test.cuts.size() * context.data.n_test() * n_outputs);
    fit.read_out(size, 0, 6, sums);
    if (context.group != nullptr) sums = fit.sums_of_group(sums);
    out.sums.insert(out.sums.end(), sums.begin(), sums.end());
  }
  return out;
}

TEST(ForestGroup, StopsResumesAndReadsOutAsOneRank) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const RandomCase test(seed);
    parallel::Pool pool(1);
    const auto expected = fit(test, {test.table.data, test.table.schema, seed, pool}, {});
    const std::vector<model::Unit> first(
        expected.units.begin(),
        expected.units.begin() + static_cast<std::ptrdiff_t>(2 * test.leaf_sizes.size()));
    for (const std::size_t stop_at : {0, 2, 3, 4}) {
      run_row_group(3, [&](ThreadRowGroup& group) {
        const auto own = own_rows(test.table.data, group.rank(), 3, true);
        parallel::Pool own_pool(1);
        group.stop_at(stop_at);
        const auto fitted = fit(test, {own, test.table.schema, seed, own_pool, &group},
                                stop_at % 2 == 0 ? first : std::vector<model::Unit>());
        ASSERT_EQ(fitted.units, expected.units) << seed;
        ASSERT_EQ(fitted.sums, expected.sums) << seed;
      });
    }
  }
}

/// A tree that draws only rows without weight ends the forest after those before it.
TEST(ForestGroup, FailsAtTheTreeThatFailsAlone) {
  ForestTable table({.n_train = 12, .has_weights = true}, 3);
  std::fill(table.weight.begin(), table.weight.end(), 0.0);
  table.weight[4] = 1;
  table.data.weight = table.weight;
  ForestSettings settings;
  const auto failure = [&](const FitContext& context) {
    ForestFit fit(context, settings, {Cut{}}, 0, 40);
    std::string message;
    try {
      while (!fit.is_done()) fit.advance();
    } catch (const Error& error) {
      message = error.what();
    }
    return std::pair(message, fit.units());
  };
  parallel::Pool pool(1);
  const auto alone = failure({table.data, table.schema, 4, pool});
  ASSERT_NE(alone.first, "");
  ASSERT_FALSE(alone.second.empty());
  run_row_group(2, [&](ThreadRowGroup& group) {
    const auto own = own_rows(table.data, group.rank(), 2, false);
    parallel::Pool own_pool(1);
    ASSERT_EQ(failure({own, table.schema, 4, own_pool, &group}), alone);
  });
}

TEST(ForestGroup, SharesOutSubtreesByRows) {
  std::vector<group::Subtree> subtrees(5);
  const std::size_t n_rows[] = {10, 70, 30, 40, 50};
  for (std::size_t i = 0; i < 5; ++i) subtrees[i].n_rows = n_rows[i];
  EXPECT_EQ(group::choose_owners(subtrees, 2), (std::vector<int>{1, 0, 0, 1, 1}));
  EXPECT_EQ(group::choose_owners(subtrees, 1), (std::vector<int>(5, 0)));
}

}  // namespace
}  // namespace orchard::learn
