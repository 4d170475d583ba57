// Regression trees that search every feature, against those of the general grower.

#include <gtest/gtest.h>

#include "forest/grower.hpp"
#include "forest/table.hpp"
#include "forest/value/grower.hpp"
#include "global_seed.hpp"
#include "instruction_sets.hpp"
#include "orchard/base/text.hpp"

namespace orchard::learn {
namespace {

using options::ForestSettings;
using testing_support::instruction_sets;

ForestSettings settings(std::int64_t n_leaf_rows = 1) {
  ForestSettings out;
  out.criterion = options::Criterion::kSquaredError;
  out.max_features.rule = options::MaxFeatures::Rule::kAll;
  out.min_samples_leaf = n_leaf_rows;
  return out;
}

struct Case {
  const char* name;
  TableSpec table;
  ForestSettings settings;
};

void PrintTo(const Case& entry, std::ostream* out) { *out << entry.name; }

ForestSettings shaped(std::int64_t n_leaf_rows, bool bootstrap, std::optional<double> max_samples) {
  ForestSettings out = settings(n_leaf_rows);
  out.bootstrap = bootstrap;
  if (max_samples) out.max_samples = *max_samples;
  return out;
}

ForestSettings stopped(std::int64_t max_depth, std::int64_t n_split_rows, double decrease) {
  ForestSettings out = settings();
  out.max_depth = max_depth;
  out.min_samples_split = n_split_rows;
  out.min_impurity_decrease = decrease;
  return out;
}

/// {n_train, n_test, n_numeric, n_categorical, n_classes, max_bins, has_missing, has_weights}
const Case kCases[] = {
    {"one_row", {1, 0, 3, 0, 0, 12, false, false}, shaped(1, false, {})},
    {"two_rows", {2, 0, 3, 0, 0, 12, true, false}, shaped(1, false, {})},
    {"few_rows", {9, 0, 5, 0, 0, 12, true, false}, shaped(1, false, {})},
    {"one_feature", {300, 0, 1, 0, 0, 255, true, false}, settings()},
    {"one_list", {65, 0, 7, 0, 0, 255, false, false}, shaped(1, false, {})},
    {"full_block", {256, 0, 8, 0, 0, 255, false, false}, shaped(1, false, {})},
    {"past_a_block", {257, 0, 9, 0, 0, 255, true, false}, shaped(1, false, {})},
    {"large", {5000, 0, 17, 0, 0, 255, false, false}, settings()},
    {"large_missing", {5000, 0, 10, 0, 0, 200, true, false}, settings()},
    {"large_leaf", {4000, 0, 11, 0, 0, 255, true, false}, settings(7)},
    {"large_leaf_many", {3000, 0, 11, 0, 0, 40, true, false}, settings(150)},
    {"few_bins", {3000, 0, 12, 0, 0, 3, true, false}, settings(2)},
    {"few_draws", {3000, 0, 12, 0, 0, 60, true, false}, shaped(1, true, 0.1)},
    {"stopped", {3000, 0, 12, 0, 0, 60, true, false}, stopped(9, 6, 0.0005)},
};

class ForestValueTest : public ::testing::TestWithParam<Case> {};

TEST_P(ForestValueTest, GrowsTheTreesOfTheGeneralGrower) {
  parallel::Pool pool(1);
  for (const auto seed : testing_support::global_seeds()) {
    const ForestTable table(GetParam().table, seed);
    const auto plan =
        make_plan({table.data, table.schema, seed, pool}, GetParam().settings,
                  {cut_of(GetParam().settings, table.data.n_train()), Cut{4, 2, 0}, Cut{}});
    const auto general = make_general_grower(plan);
    for (const auto set : instruction_sets()) {
      SCOPED_TRACE(format("seed {} set {}", seed, name_of(set)));
      const ScopedInstructionSet scoped(set);
      const auto grower = make_value_grower(plan);
      ASSERT_NE(grower, nullptr);
      for (std::uint64_t tree = 0; tree < 3; ++tree) {
        ASSERT_EQ(grow(*grower, tree), grow(*general, tree)) << "tree " << tree;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, ForestValueTest, ::testing::ValuesIn(kCases),
                         [](const auto& entry) { return std::string(entry.param.name); });

/// Targets that are nearly constant, huge or alike give ties, cancellation and pure nodes.
TEST(ForestValueTargetsTest, TargetsOfEveryKind) {
  parallel::Pool pool(1);
  const auto one_case = [](int kind, std::size_t row) {
    const auto x = static_cast<double>(row * 7919 % 1000);
    switch (kind) {
      case 0:
        return 1.0;
      case 1:
        return row % 2 == 0 ? 1.0 : -1.0;
      case 2:
        return 1e12 + x;
      case 3:
        return row == 17 ? 1e300 : x;
      default:
        return x * 1e-300;
    }
  };
  for (int kind = 0; kind < 5; ++kind) {
    for (const bool is_missing : {false, true}) {
      ForestTable table({1500, 0, 6, 0, 0, 30, is_missing, false}, 5);
      for (std::size_t row = 0; row < 1500; ++row) table.target[row] = one_case(kind, row);
      const auto plan =
          make_plan({table.data, table.schema, 3, pool}, settings(), {cut_of(settings(), 1500)});
      const auto expected = grow(*make_general_grower(plan), 1);
      for (const auto set : instruction_sets()) {
        const ScopedInstructionSet scoped(set);
        ASSERT_EQ(grow(*make_value_grower(plan), 1), expected)
            << "kind " << kind << " set " << name_of(set);
      }
    }
  }
}

/// What is missing says most: left sides of missing rows alone must not be tried.
TEST(ForestValueMissingTest, MissingThatMatters) {
  parallel::Pool pool(1);
  for (const int max_bins : {4, 30, 255}) {
    ForestTable table({20000, 0, 6, 0, 0, max_bins, true, false}, 8);
    for (std::size_t row = 0; row < 20000; ++row) {
      for (std::size_t f = 0; f < 6; ++f) {
        const bool is_missing =
            table.data.column(f)[row] == table.binning.features[f].missing_bin();
        table.target[row] += is_missing ? static_cast<double>(f) * 7 : 0;
      }
    }
    const auto plan = make_plan({table.data, table.schema, 3, pool}, settings(), {Cut{}});
    const auto expected = grow(*make_general_grower(plan), 1);
    for (const auto set : instruction_sets()) {
      const ScopedInstructionSet scoped(set);
      ASSERT_EQ(grow(*make_value_grower(plan), 1), expected) << "set " << name_of(set);
    }
  }
}

TEST(ForestValueChoiceTest, OtherPlansAreLeftToTheGeneralGrower) {
  parallel::Pool pool(1);
  const auto grower_for = [&](const TableSpec& spec, const ForestSettings& with) {
    const ForestTable table(spec, 1);
    const auto plan = make_plan({table.data, table.schema, 1, pool}, with, {Cut{}});
    return make_value_grower(plan) != nullptr;
  };
  EXPECT_TRUE(grower_for({50, 0, 3, 0, 0, 9, true, false}, settings()));
  EXPECT_FALSE(grower_for({50, 0, 3, 0, 0, 9, true, true}, settings()));
  EXPECT_FALSE(grower_for({50, 0, 3, 1, 0, 9, true, false}, settings()));
  EXPECT_FALSE(grower_for({50, 0, 3, 0, 2, 9, true, false}, ForestSettings{}));
  ForestSettings some = settings();
  some.max_features = {options::MaxFeatures::Rule::kCountOrFraction, std::int64_t{2}};
  EXPECT_FALSE(grower_for({50, 0, 3, 0, 0, 9, true, false}, some));
}

}  // namespace
}  // namespace orchard::learn
