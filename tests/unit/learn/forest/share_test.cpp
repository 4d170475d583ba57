// One fit for many cuts gives what a fit of each cut alone gives, bit for bit.

#include <gtest/gtest.h>

#include "forest/table.hpp"
#include "global_seed.hpp"
#include "orchard/base/text.hpp"
#include "orchard/learn/forest.hpp"

namespace orchard::learn {
namespace {

using options::ForestSettings;

std::vector<Cut> random_cuts(std::mt19937_64& random, std::size_t n_cuts, bool is_regression) {
  std::vector<Cut> cuts;
  for (std::size_t i = 0; i < n_cuts; ++i) {
    Cut cut;
    if (random() % 2) cut.max_depth = static_cast<std::int64_t>(random() % 9);
    if (random() % 2) cut.min_samples_split = static_cast<std::int64_t>(2 + random() % 30);
    if (random() % 2) {
      const double scale = is_regression ? 0.02 : 0.004;
      cut.min_impurity_decrease = scale * static_cast<double>(random() % 10);
    }
    cuts.push_back(cut);
  }
  return cuts;
}

TableSpec random_spec(std::mt19937_64& random) {
  TableSpec spec;
  spec.n_train = static_cast<RowIndex>(60 + random() % 200);
  spec.n_numeric = 2 + random() % 3;
  spec.n_categorical = random() % 3;
  spec.n_classes = std::array<std::size_t, 4>{0, 2, 3, 6}[random() % 4];
  spec.max_bins = static_cast<int>(2 + random() % 20);
  spec.has_missing = random() % 2;
  spec.has_weights = random() % 2;
  return spec;
}

ForestSettings random_settings(std::mt19937_64& random, const TableSpec& spec) {
  ForestSettings settings;
  settings.bootstrap = random() % 4 != 0;
  settings.min_samples_leaf = static_cast<std::int64_t>(1 + random() % 3);
  if (spec.n_classes == 0) {
    settings.criterion = options::Criterion::kSquaredError;
    return settings;
  }
  if (random() % 3 == 0) settings.criterion = options::Criterion::kEntropy;
  settings.class_weight = static_cast<options::ClassWeight>(random() % 3);
  return settings;
}

std::vector<std::int64_t> readout(ForestFit& fit, std::size_t n_sums) {
  std::vector<std::int64_t> sums(n_sums);
  fit.read_out(0, fit.units().size(), sums);
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

}  // namespace
}  // namespace orchard::learn
