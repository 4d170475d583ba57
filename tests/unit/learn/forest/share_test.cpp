// One fit for many cuts and leaf sizes gives what a fit of each alone gives, bit for bit.

#include <gtest/gtest.h>

#include "forest/random_case.hpp"
#include "global_seed.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/instruction_set.hpp"
#include "orchard/base/text.hpp"
#include "orchard/learn/forest.hpp"

namespace orchard::learn {
namespace {

using options::ForestSettings;

std::vector<std::int64_t> readout(ForestFit& fit, std::size_t n_sums, std::size_t leaf_size = 0) {
  std::vector<std::int64_t> sums(n_sums);
  fit.read_out(leaf_size, 0, fit.n_trees(), sums);
  return sums;
}

void expect_cuts_nest(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const TableSpec spec = random_spec(random);
  const ForestSettings settings = random_settings(random, spec);
  const auto cuts = random_cuts(random, 1 + random() % 6, spec.n_classes == 0);
  const ForestTable table(spec, seed);
  parallel::Pool pool(1);
  const FitContext context{table.data, table.schema, seed, pool};
  const int n_trees = 3;

  ForestFit shared(context, settings, cuts, 0, n_trees);
  while (!shared.is_done()) shared.advance();
  const auto n_outputs = static_cast<std::size_t>(shared.frame().n_outputs);
  const std::size_t n_sums = spec.n_test * n_outputs;
  const auto sums = readout(shared, cuts.size() * n_sums);
  for (std::size_t c = 0; c < cuts.size(); ++c) {
    SCOPED_TRACE(format("cut {} of {}", c, cuts.size()));
    ForestFit alone(context, settings, {cuts[c]}, 0, n_trees);
    while (!alone.is_done()) alone.advance();
    ASSERT_EQ(alone.frame().value_exponent, shared.frame().value_exponent);
    for (std::size_t t = 0; t < n_trees; ++t) {
      const auto tree = apply_cut(shared.units()[t][0], c);
      ASSERT_EQ(tree, apply_cut(alone.units()[t][0], 0));
      EXPECT_TRUE(tree.stops.empty());
      tree.validate(table.data.n_features(), n_outputs);
    }
    const auto begin = sums.begin() + static_cast<std::ptrdiff_t>(c * n_sums);
    ASSERT_EQ(std::vector(begin, begin + static_cast<std::ptrdiff_t>(n_sums)),
              readout(alone, n_sums));
  }
}

TEST(ForestShareTest, CutsOfASharedFitEqualSeparateFits) {
  for (const auto seed : testing_support::global_seeds()) {
    for (std::uint64_t i = 0; i < 60; ++i) {
      SCOPED_TRACE(format("seed {} case {}", seed, i));
      expect_cuts_nest(seed * 1000 + i);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

/// Counts and fractions, small and large, some of them equal.
std::vector<options::CountOrFraction> random_leaf_sizes(std::mt19937_64& random) {
  std::vector<options::CountOrFraction> sizes;
  const std::size_t n = 2 + random() % 4;
  for (std::size_t i = 0; i < n; ++i) {
    if (random() % 4 == 0) {
      sizes.emplace_back(0.01 * static_cast<double>(1 + random() % 30));
    } else {
      sizes.emplace_back(static_cast<std::int64_t>(1 + random() % (random() % 2 ? 4 : 40)));
    }
  }
  return sizes;
}

/// Grows a forest of all leaf sizes and one of each, and compares every tree and every sum.
void expect_leaf_sizes_share(const ForestTable& table, const TableSpec& spec,
                             const ForestSettings& settings, const std::vector<Cut>& cuts,
                             const std::vector<options::CountOrFraction>& leaf_sizes,
                             std::uint64_t seed, int n_threads) {
  parallel::Pool pool(n_threads);
  const FitContext context{table.data, table.schema, seed, pool};
  const int n_trees = 3;
  ForestFit shared(context, settings, cuts, 0, n_trees, leaf_sizes);
  while (!shared.is_done()) shared.advance();
  ASSERT_EQ(shared.n_trees(), n_trees);
  ASSERT_EQ(shared.units().size(), n_trees * leaf_sizes.size());
  const std::size_t n_sums =
      cuts.size() * spec.n_test * static_cast<std::size_t>(shared.frame().n_outputs);
  for (std::size_t size = 0; size < leaf_sizes.size(); ++size) {
    SCOPED_TRACE(format("leaf size {} of {}", size, leaf_sizes.size()));
    ForestSettings own = settings;
    own.min_samples_leaf = leaf_sizes[size];
    ForestFit alone(context, own, cuts, 0, n_trees);
    while (!alone.is_done()) alone.advance();
    for (std::size_t t = 0; t < n_trees; ++t) {
      ASSERT_EQ(shared.units()[t * leaf_sizes.size() + size], alone.units()[t]) << "tree " << t;
    }
    ASSERT_EQ(readout(shared, n_sums, size), readout(alone, n_sums));
  }
}

TEST(ForestShareTest, LeafSizesOfASharedFitEqualSeparateFits) {
  for (const auto seed : testing_support::global_seeds()) {
    for (std::uint64_t i = 0; i < 60; ++i) {
      SCOPED_TRACE(format("seed {} case {}", seed, i));
      std::mt19937_64 random(seed * 1000 + i);
      const TableSpec spec = random_spec(random);
      const ForestSettings settings = random_settings(random, spec);
      const auto cuts = random_cuts(random, 1 + random() % 3, spec.n_classes == 0);
      expect_leaf_sizes_share(ForestTable(spec, seed), spec, settings, cuts,
                              random_leaf_sizes(random), seed, 1 + static_cast<int>(i % 3));
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

/// Tables that the fast growers take, large enough for all that they do with many and few rows.
TEST(ForestShareTest, LeafSizesShareInEveryGrower) {
  const auto widest = instruction_set();
  for (const std::size_t n_classes : {2, 5, 0}) {
    for (const bool has_missing : {false, true}) {
      for (const auto set :
           {InstructionSet::kBaseline, InstructionSet::kAvx2, InstructionSet::kAvx512}) {
        if (set > widest) continue;
        SCOPED_TRACE(format("{} classes missing {} set {}", n_classes, has_missing, name_of(set)));
        const ScopedInstructionSet scope(set);
        TableSpec spec{3000, 50, 5, 0, n_classes, 60, has_missing, false};
        ForestSettings settings;
        if (n_classes == 0) {
          settings.criterion = options::Criterion::kSquaredError;
          settings.max_features.rule = options::MaxFeatures::Rule::kAll;
        }
        const std::vector<options::CountOrFraction> sizes = {
            std::int64_t{20}, std::int64_t{1}, 0.1, std::int64_t{5}, std::int64_t{5},
            std::int64_t{70}, std::int64_t{2}};
        expect_leaf_sizes_share(ForestTable(spec, 3), spec, settings, {Cut{}, Cut{6, 2, 0}}, sizes,
                                7, 2);
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

TEST(ForestShareTest, APrefixWithinATreeNumberIsCutBack) {
  const ForestTable table({}, 7);
  parallel::Pool pool(1);
  const FitContext context{table.data, table.schema, 0, pool};
  const std::vector<options::CountOrFraction> sizes = {std::int64_t{1}, std::int64_t{9}};
  ForestFit whole(context, {}, {Cut{}}, 0, 3, sizes);
  while (!whole.is_done()) whole.advance();
  ForestFit fit(context, {}, {Cut{}}, 0, 3, sizes);
  fit.restore({whole.units().begin(), whole.units().begin() + 3});
  EXPECT_EQ(fit.n_trees(), 1u);
  while (!fit.is_done()) fit.advance();
  EXPECT_EQ(fit.units(), whole.units());
}

/// That what an unfinished fit has kept is every leaf size of its first trees.
void expect_whole_numbers(const ForestFit& fit, const ForestTable& table, std::uint64_t seed,
                          const std::vector<options::CountOrFraction>& sizes) {
  ASSERT_EQ(fit.units().size(), fit.n_trees() * sizes.size());
  if (fit.n_trees() == 0) return;
  parallel::Pool pool(1);
  ForestFit whole({table.data, table.schema, seed, pool}, {}, {Cut{}}, 0,
                  static_cast<int>(fit.n_trees()), sizes);
  while (!whole.is_done()) whole.advance();
  EXPECT_EQ(fit.units(), whole.units());
}

TEST(ForestShareTest, AStopKeepsTheTreesThatEveryLeafSizeHas) {
  const ForestTable table({3000, 0, 6, 0, 2, 200, false, false}, 4);
  const std::vector<options::CountOrFraction> sizes = {std::int64_t{9}, std::int64_t{1},
                                                       std::int64_t{40}};
  for (const int n_threads : {1, 3}) {
    parallel::Pool pool(n_threads);
    int n_polls = 0;
    pool.set_poll_hook([&] { return ++n_polls > 5; });
    ForestFit fit({table.data, table.schema, 5, pool}, {}, {Cut{}}, 0, 10'000, sizes);
    EXPECT_THROW(while (true) fit.advance(), Stopped);
    EXPECT_GE(fit.n_trees(), 1U);
    expect_whole_numbers(fit, table, 5, sizes);
  }
}

/// Two training rows count: about every seventh tree draws neither of them.
TEST(ForestShareTest, AnErrorKeepsTheTreesBeforeIt) {
  ForestTable table({60, 0, 3, 0, 2, 9, false, true}, 4);
  for (std::size_t row = 0; row < 60; ++row) table.weight[row] = row < 2 ? 1 : 0;
  const std::vector<options::CountOrFraction> sizes = {std::int64_t{2}, std::int64_t{1}};
  std::size_t n_kept = 0;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    for (const int n_threads : {1, 2, 3}) {
      parallel::Pool pool(n_threads);
      const FitContext context{table.data, table.schema, seed, pool};
      ForestFit fit(context, {}, {Cut{}}, 0, 60, sizes);
      EXPECT_THROW(while (!fit.is_done()) fit.advance(), Error);
      const auto n_trees = static_cast<int>(fit.n_trees());
      n_kept += fit.n_trees();
      expect_whole_numbers(fit, table, seed, sizes);
      ForestFit next(context, {}, {Cut{}}, n_trees, n_trees + 1, sizes);
      EXPECT_THROW(next.advance(), Error);
    }
  }
  EXPECT_GT(n_kept, 0U);
}

TEST(ForestShareTest, ASeparateFitIsAlreadyCut) {
  const ForestTable table({}, 7);
  parallel::Pool pool(1);
  Cut cut;
  cut.max_depth = 3;
  ForestFit fit({table.data, table.schema, 0, pool}, {}, {cut}, 0, 1);
  fit.advance();
  const auto& tree = fit.units()[0][0];
  EXPECT_TRUE(tree.stops.empty());
  EXPECT_EQ(tree, apply_cut(tree, 0));
}

TEST(ForestShareTest, AllSixtyFourCutsWork) {
  const ForestTable table({}, 8);
  parallel::Pool pool(1);
  std::vector<Cut> cuts(kMaxCuts);
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    cuts[i].min_samples_split = static_cast<std::int64_t>(i + 2);
  }
  const FitContext context{table.data, table.schema, 0, pool};
  ForestFit fit(context, {}, cuts, 0, 1);
  fit.advance();
  ForestFit last(context, {}, {cuts.back()}, 0, 1);
  last.advance();
  EXPECT_EQ(apply_cut(fit.units()[0][0], 63), apply_cut(last.units()[0][0], 0));
}

TEST(ForestShareTest, TheReadoutIsThatOfTheRawRows) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::mt19937_64 random(seed);
    TableSpec spec = random_spec(random);
    spec.has_missing = true;
    const ForestTable table(spec, seed);
    parallel::Pool pool(1);
    ForestFit fit({table.data, table.schema, seed, pool}, random_settings(random, spec), {Cut{}}, 0,
                  4);
    while (!fit.is_done()) fit.advance();
    const auto frame = fit.frame();
    model::Ensemble ensemble;
    ensemble.schema = table.schema;
    ensemble.combine = frame.combine;
    ensemble.n_outputs = frame.n_outputs;
    ensemble.value_exponent = frame.value_exponent;
    ensemble.baseline = frame.baseline;
    for (const auto& unit : fit.units()) ensemble.trees.push_back(apply_cut(unit[0], 0));
    ensemble.validate();
    const std::size_t n_sums = spec.n_test * static_cast<std::size_t>(frame.n_outputs);
    std::vector<std::int64_t> raw(n_sums);
    accumulate(ensemble, table.features(), spec.n_train, table.n_rows(), raw);
    EXPECT_EQ(raw, readout(fit, n_sums)) << "seed " << seed;
  }
}

/// Two classes, more trees than are walked together; some of them restored with values that have no
/// common total, or do not fit the usual numbers: what is read out is what the values say.
TEST(ForestShareTest, ReadoutsOfPairsWithAnyValues) {
  const ForestTable table({200, 70, 4, 1, 2, 12, true, false}, 3);
  parallel::Pool pool(2);
  const FitContext context{table.data, table.schema, 3, pool};
  const std::vector<Cut> cuts = {Cut{}, Cut{2, 2, 0}, Cut{4, 5, 0}};
  ForestFit fit(context, {}, cuts, 0, 20);
  while (!fit.is_done()) fit.advance();
  auto units = fit.units();
  const auto change = [&](std::size_t i, auto with_values) {
    model::Tree tree = units[i][0];
    with_values(tree.values);
    units[i] = model::Unit({tree});
  };
  change(3, [](auto& values) { values[0] += 5; });
  change(17, [](auto& values) {
    for (std::size_t at = 0; at < values.size(); at += 2) {
      values[at] -= std::int64_t{1} << 40;
      values[at + 1] += std::int64_t{1} << 40;
    }
  });
  change(18, [](auto& values) {
    for (std::size_t at = 0; at < values.size(); at += 2) std::swap(values[at], values[at + 1]);
  });
  ForestFit restored(context, {}, cuts, 0, 20);
  restored.restore(units);
  const std::size_t n_sums = 70 * 2;
  const auto sums = readout(restored, cuts.size() * n_sums);
  for (std::size_t c = 0; c < cuts.size(); ++c) {
    model::Ensemble ensemble;
    ensemble.schema = table.schema;
    ensemble.n_outputs = 2;
    for (const auto& unit : units) ensemble.trees.push_back(apply_cut(unit[0], c));
    std::vector<std::int64_t> expected(n_sums);
    accumulate(ensemble, table.features(), 200, table.n_rows(), expected);
    const auto begin = sums.begin() + static_cast<std::ptrdiff_t>(c * n_sums);
    EXPECT_EQ(std::vector(begin, begin + static_cast<std::ptrdiff_t>(n_sums)), expected) << c;
  }
}

}  // namespace
}  // namespace orchard::learn
