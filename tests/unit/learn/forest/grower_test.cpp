// Trees against the plain reference, and against themselves with other thresholds between methods.

#include "forest/grower.hpp"

#include <gtest/gtest.h>

#include "forest/reference.hpp"
#include "forest/table.hpp"
#include "global_seed.hpp"
#include "orchard/base/text.hpp"

namespace orchard::learn {
namespace {

using options::ClassWeight;
using options::Criterion;
using options::ForestSettings;
using options::MaxFeatures;

struct Case {
  const char* name;
  TableSpec table;
  ForestSettings settings;
};

void PrintTo(const Case& entry, std::ostream* out) { *out << entry.name; }

ForestSettings settings(Criterion criterion, std::int64_t n_leaf_rows = 1,
                        ClassWeight class_weight = ClassWeight::kNone) {
  ForestSettings out;
  out.criterion = criterion;
  out.min_samples_leaf = n_leaf_rows;
  out.class_weight = class_weight;
  out.max_features.rule = MaxFeatures::Rule::kCountOrFraction;
  out.max_features.value = std::int64_t{3};
  return out;
}

ForestSettings stopped(ForestSettings out, std::int64_t max_depth, std::int64_t n_split_rows,
                       double decrease) {
  out.max_depth = max_depth;
  out.min_samples_split = n_split_rows;
  out.min_impurity_decrease = decrease;
  return out;
}

constexpr auto kGini = Criterion::kGini;
constexpr auto kEntropy = Criterion::kEntropy;
constexpr auto kSquared = Criterion::kSquaredError;

/// {n_train, n_test, n_numeric, n_categorical, n_classes, max_bins, has_missing, has_weights}
const Case kCases[] = {
    {"binary", {120, 0, 4, 0, 2, 12, false, false}, settings(kGini)},
    {"binary_missing_leaf", {120, 0, 5, 0, 2, 8, true, false}, settings(kGini, 3)},
    {"binary_weights", {100, 0, 4, 0, 2, 12, true, true}, settings(kGini)},
    {"binary_categories", {250, 0, 1, 4, 2, 6, true, false}, settings(kGini)},
    {"binary_many_levels", {500, 0, 0, 3, 2, 25, false, false}, settings(kGini)},
    {"classes_many_levels", {500, 0, 0, 3, 3, 25, false, false}, settings(kGini)},
    {"regression_many_levels", {500, 0, 0, 3, 0, 25, true, false}, settings(kSquared)},
    {"binary_weighted_categories", {250, 0, 1, 4, 2, 6, false, true}, settings(kGini, 2)},
    {"binary_entropy", {100, 0, 4, 1, 2, 9, true, false}, settings(kEntropy)},
    {"binary_balanced",
     {120, 0, 4, 1, 2, 9, true, false},
     settings(kGini, 1, ClassWeight::kBalanced)},
    {"classes", {120, 0, 5, 0, 4, 12, false, false}, settings(kGini)},
    {"classes_missing_leaf", {120, 0, 5, 0, 3, 12, true, false}, settings(kGini, 4)},
    {"classes_categories", {300, 0, 1, 4, 5, 7, true, false}, settings(kGini)},
    {"many_classes_categories", {400, 0, 0, 4, 11, 5, false, false}, settings(kGini)},
    {"classes_weights", {120, 0, 4, 2, 4, 6, true, true}, settings(kGini)},
    {"classes_entropy_balanced",
     {120, 0, 4, 1, 4, 9, true, true},
     settings(kEntropy, 1, ClassWeight::kBalanced)},
    {"classes_subsample",
     {120, 0, 4, 1, 3, 9, false, false},
     settings(kGini, 2, ClassWeight::kBalancedSubsample)},
    {"regression", {120, 0, 4, 0, 0, 12, false, false}, settings(kSquared)},
    {"regression_missing_leaf", {120, 0, 5, 0, 0, 9, true, false}, settings(kSquared, 3)},
    {"regression_categories", {250, 0, 1, 4, 0, 6, true, false}, settings(kSquared)},
    {"regression_weights", {120, 0, 4, 2, 0, 6, true, true}, settings(kSquared)},
    {"binary_stopped", {150, 0, 4, 0, 2, 12, true, false}, stopped(settings(kGini), 6, 8, 0.004)},
    {"entropy_stopped",
     {150, 0, 4, 0, 3, 12, true, false},
     stopped(settings(kEntropy), 6, 8, 0.01)},
    {"regression_stopped",
     {150, 0, 4, 0, 0, 12, true, true},
     stopped(settings(kSquared), 7, 5, 0.003)},
};

class ForestGrowerTest : public ::testing::TestWithParam<Case> {};

void expect_equal(const ForestTable& table, const model::Tree& tree, NodeIndex node,
                  const ReferenceNode& expected) {
  const auto i = static_cast<std::size_t>(node);
  ASSERT_EQ(tree.n_samples[i], expected.n_samples) << "node " << node;
  ASSERT_EQ(tree.is_leaf(node), expected.left == nullptr) << "node " << node;
  if (tree.is_leaf(node)) {
    const std::size_t width = expected.value.size();
    for (std::size_t k = 0; k < width; ++k) {
      const auto value = tree.values.at(static_cast<std::size_t>(tree.value_row[i]) * width + k);
      ASSERT_NEAR(static_cast<double>(value), static_cast<double>(expected.value[k]), 2.0)
          << "node " << node;
    }
    return;
  }
  ASSERT_EQ(tree.feature[i], static_cast<std::int32_t>(expected.feature)) << "node " << node;
  ASSERT_EQ((tree.flags[i] & model::Tree::kMissingLeft) != 0, expected.is_missing_left);
  ASSERT_EQ((tree.flags[i] & model::Tree::kCategorical) != 0, expected.is_categorical);
  ASSERT_EQ(tree.threshold[i], expected.threshold) << "node " << node;
  ASSERT_NEAR(tree.gain[i], expected.gain, 1e-9) << "node " << node;
  if (expected.is_categorical) {
    const auto n_levels = table.schema.features[expected.feature].levels.size();
    for (std::uint32_t level = 0; level < n_levels; ++level) {
      bool is_left = expected.is_missing_left;
      if (static_cast<std::int32_t>(level / 32) < tree.category_n_words[i]) {
        const auto word = static_cast<std::size_t>(tree.category_begin[i]) + level / 32;
        is_left = (tree.category_words[word] >> (level % 32) & 1) != 0;
      }
      ASSERT_EQ(is_left, expected.left_levels.count(level) > 0) << "level " << level;
    }
  }
  expect_equal(table, tree, tree.left[i], *expected.left);
  expect_equal(table, tree, tree.left[i] + 1, *expected.right);
}

TEST_P(ForestGrowerTest, GrowsTheTreeOfTheReference) {
  parallel::Pool pool(1);
  for (const auto seed : testing_support::global_seeds()) {
    for (std::uint64_t tree = 0; tree < 6; ++tree) {
      SCOPED_TRACE(format("seed {} tree {}", seed, tree));
      const ForestTable table(GetParam().table, seed * 100 + tree);
      const FitContext context{table.data, table.schema, seed, pool};
      const auto plan = make_plan(context, GetParam().settings,
                                  {cut_of(GetParam().settings, table.data.n_train())});
      const auto grown = grow(*make_forest_grower(plan), tree);
      grown.validate(table.data.n_features(), plan.n_values());
      const auto expected = ReferenceGrower(table, plan, tree).grow();
      expect_equal(table, grown, 0, *expected);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(ForestGrowerTest, GrowsTheSameTreeByEveryMethod) {
  parallel::Pool pool(1);
  const std::size_t never = std::size_t{1} << 40;
  for (const auto seed : testing_support::global_seeds()) {
    const ForestTable table(GetParam().table, seed);
    const FitContext context{table.data, table.schema, seed, pool};
    auto plan = make_plan(context, GetParam().settings,
                          {cut_of(GetParam().settings, table.data.n_train())});
    const auto expected = grow(*make_forest_grower(plan), 3);
    for (const ForestTuning tuning : {ForestTuning{0, 0}, ForestTuning{0, never},
                                      ForestTuning{never, 0}, ForestTuning{never, never}}) {
      plan.tuning = tuning;
      ASSERT_EQ(grow(*make_forest_grower(plan), 3), expected) << "seed " << seed;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, ForestGrowerTest, ::testing::ValuesIn(kCases),
                         [](const auto& entry) { return std::string(entry.param.name); });

/// Nodes of a tree that may only part levels a (10 rows, 6 positive) and c (15, 0) from b (200):
/// that takes a mean of a below that of b, which only smoothing gives.
std::size_t n_nodes_by_smoothing(int n_positive_of_b) {
  ForestTable table({225, 0, 0, 1, 2, 3, false, false}, 1);
  data::FeatureBins& bins = table.binning.features[0];
  bins.n_bins = 3;
  bins.level_of_bin = {0, 1, 2};
  bins.bin_of_level = {0, 1, 2};
  table.schema.features[0].levels = {"a", "b", "c"};
  for (std::size_t row = 0; row < 225; ++row) {
    const std::size_t level = row < 10 ? 0 : row < 210 ? 1 : 2;
    table.memory[row] = static_cast<std::byte>(level);
    const std::size_t n_positive = level == 0 ? 6 : 10 + static_cast<std::size_t>(n_positive_of_b);
    table.target[row] = level < 2 && row < n_positive ? 1 : 0;
  }
  ForestSettings parting = settings(kGini, 20);
  parting.bootstrap = false;
  parallel::Pool pool(1);
  const auto plan = make_plan({table.data, table.schema, 0, pool}, parting, {Cut{}});
  return grow(*make_forest_grower(plan), 0).n_nodes();
}

TEST(ForestCategoriesTest, MeansAreSmoothedByTenRows) {
  EXPECT_EQ(n_nodes_by_smoothing(113), 1U);  // a: 0.5644, b: 0.5633
  EXPECT_EQ(n_nodes_by_smoothing(114), 3U);  // a: 0.5667, b: 0.5683
}

}  // namespace
}  // namespace orchard::learn
