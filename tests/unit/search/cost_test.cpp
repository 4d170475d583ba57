#include "orchard/search/cost.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "orchard/search/cost_scale.hpp"
#include "orchard/search/plan.hpp"

namespace orchard::search {
namespace {

using options::Estimator;
using options::ParamValue;

Family family_with(Estimator estimator,
                   std::vector<std::pair<std::string, ParamValue>> settings = {}) {
  options::SubGrid grid{"one", estimator, {}};
  for (auto& [name, value] : settings) grid.axes.push_back({name, {value}});
  return make_families(expand({grid}), true).front();
}
Family boosting(std::int64_t n_leaves, std::vector<std::pair<std::string, ParamValue>> more = {}) {
  more.emplace_back("max_leaf_nodes", n_leaves);
  more.emplace_back("early_stopping", false);
  return family_with(Estimator::kHistGradientBoostingClassifier, more);
}
Family forest(std::vector<std::pair<std::string, ParamValue>> more = {}) {
  return family_with(Estimator::kRandomForestClassifier, std::move(more));
}

double nanoseconds(const Family& family, std::int64_t n_units, const DataShape& shape) {
  return 1e9 * estimate_cost(family, n_units, shape);
}

TEST(Cost, OfBoostingByHand) {
  // A level: 1000 x (7.1 + 0.29 x 10); two leaves: 2 x (1500 + 300 x 10); gradients: 17.5 a row.
  EXPECT_NEAR(nanoseconds(boosting(2), 1, {1000, 10, 2, Task::kClassification}),
              10'000 + 9000 + 17'500, 1e-6);
  EXPECT_NEAR(nanoseconds(boosting(2), 1, {1000, 10, 3, Task::kClassification}),
              3 * 19'000 + 17'500, 1e-6);
  // Two levels and four leaves.
  EXPECT_NEAR(nanoseconds(boosting(4), 3, {1000, 10, 2, Task::kClassification}),
              3 * (1000 * (14.2 + 2.9) + 4 * 4500 + 17'500), 1e-6);
  // Two features beyond the cache.
  EXPECT_NEAR(nanoseconds(boosting(2), 1, {1000, 66, 2, Task::kClassification}),
              1000 * (7.1 + 19.14 + 1.12) + 2 * (1500 + 19'800 + 1100) + 17'500, 1e-6);
}

TEST(Cost, OfForestsByHand) {
  const DataShape classes{1024, 16, 2, Task::kClassification};
  // Ten levels of rows with 16 features, 4 of them tried; leaves: 0.15 a row.
  EXPECT_NEAR(nanoseconds(forest(), 1, classes),
              10'240 * (0.18 * 4 + 0.09 * 16) + 153.6 * (190 + 23 * 4), 1e-6);
  EXPECT_NEAR(nanoseconds(forest({{"max_depth", std::int64_t{3}}}), 1, classes),
              3 * 1024 * 2.16 + 8 * 282, 1e-6);
  const auto regression = family_with(Estimator::kRandomForestRegressor);
  EXPECT_NEAR(nanoseconds(regression, 2, {1024, 16, 0, Task::kRegression}),
              2 * (10'240 * (10.5 + 0.067 * 16) + 0.632 * 1024 / 1.5 * 1370), 1e-6);
}

TEST(Cost, GrowsWithEverythingThatIsWork) {
  for (const auto& family : {boosting(31), forest()}) {
    const auto cost = [&](std::uint64_t rows, std::uint64_t features, std::uint64_t classes) {
      return estimate_cost(family, 1, {rows, features, classes, Task::kClassification});
    };
    EXPECT_LT(cost(1000, 10, 2), cost(2000, 10, 2));
    EXPECT_LT(cost(1000, 10, 2), cost(1000, 40, 2));
    EXPECT_DOUBLE_EQ(estimate_cost(family, 7, {1000, 10, 2, Task::kClassification}),
                     7 * cost(1000, 10, 2));
  }
  const DataShape shape{10'000, 20, 2, Task::kClassification};
  EXPECT_LT(estimate_cost(boosting(8), 1, shape), estimate_cost(boosting(64), 1, shape));
  const auto deep = [&](std::int64_t depth) {
    return estimate_cost(forest({{"max_depth", depth}}), 1, shape);
  };
  EXPECT_LT(deep(4), deep(8));
  EXPECT_LT(deep(8), estimate_cost(forest(), 1, shape));
  EXPECT_LT(estimate_cost(forest({{"min_samples_leaf", std::int64_t{50}}}), 1, shape),
            estimate_cost(forest(), 1, shape));
  EXPECT_LT(estimate_cost(forest(), 1, shape),
            estimate_cost(forest({{"max_features", ParamValue(1.0)}}), 1, shape));
}

/// A shared forest goes as deep as its deepest member, wherever that stands in the grid.
TEST(Cost, OfASharedForestIsThatOfItsDeepestMember) {
  const DataShape shape{100'000, 28, 2, Task::kClassification};
  const auto shared = [](std::vector<ParamValue> depths) {
    return make_families(
               expand({{"f", Estimator::kRandomForestClassifier, {{"max_depth", depths}}}}), true)
        .front();
  };
  const auto deepest = expected_leaves(forest(), shape);
  EXPECT_DOUBLE_EQ(deepest, 15'000);
  EXPECT_DOUBLE_EQ(expected_leaves(shared({std::int64_t{5}, ParamValue()}), shape), deepest);
  EXPECT_DOUBLE_EQ(expected_leaves(shared({ParamValue(), std::int64_t{5}}), shape), deepest);
  EXPECT_DOUBLE_EQ(expected_leaves(shared({std::int64_t{3}, std::int64_t{5}}), shape), 32);
  EXPECT_DOUBLE_EQ(estimate_cost(shared({std::int64_t{5}, ParamValue()}), 1, shape),
                   estimate_cost(forest(), 1, shape));
}

TEST(Cost, LeafSizesShareMostOfTheirTrees) {
  const auto family =
      make_families(expand({{"f",
                             Estimator::kRandomForestClassifier,
                             {{"min_samples_leaf", {std::int64_t{1}, std::int64_t{5}}}}}}),
                    true)
          .front();
  const auto ratio = [&](std::uint64_t n_classes) {
    const DataShape shape{1000, 10, n_classes, Task::kClassification};
    return estimate_cost(family, 1, shape) / estimate_cost(forest(), 1, shape);
  };
  EXPECT_NEAR(ratio(2), 1.15, 1e-12);
  EXPECT_NEAR(ratio(3), 1.28, 1e-12);
  EXPECT_EQ(trees_a_unit(family, {1000, 10, 3, Task::kClassification}), 2);
  EXPECT_EQ(trees_a_unit(boosting(31), {1000, 10, 3, Task::kClassification}), 3);
}

TEST(Cost, ThreadsGainLessThanTheyAre) {
  EXPECT_DOUBLE_EQ(thread_speedup(forest(), 1), 1);
  EXPECT_DOUBLE_EQ(thread_speedup(forest(), 3), 2.8);
  EXPECT_DOUBLE_EQ(thread_speedup(boosting(31), 3), 2.5);
}

TEST(Cost, ExchangeIsBySplitsAndHistograms) {
  // One split; 10 x 256 sums of 16 bytes, 0.6 ns each.
  EXPECT_NEAR(exchange_seconds(boosting(2), 1, {1000, 10, 2, Task::kClassification}),
              0.1e-3 + 40'960 * 0.6e-9, 1e-12);
  EXPECT_NEAR(exchange_seconds(boosting(4), 5, {1000, 10, 3, Task::kClassification}),
              5 * 3 * 3 * (0.1e-3 + 40'960 * 0.6e-9), 1e-12);
}

TEST(Cost, ForestsSendTheirRows) {
  // 632 rows of 4 features and 8 bytes, 3.3 ns each.
  EXPECT_NEAR(exchange_seconds(forest(), 3, {1000, 4, 2, Task::kClassification}),
              3 * 632 * 12 * 3.3e-9, 1e-12);
}

TEST(Cost, MemoryOfBoostingByHand) {
  const DataShape shape{1000, 10, 2, Task::kClassification};
  constexpr std::uint64_t kSlots = 10 * 256;
  // An inner node of 15 bytes, two leaves of 1; 2 for samples, an eighth for the kind, half a
  // value.
  const auto trees = [](int n) { return static_cast<std::uint64_t>(n * 3 * 14.125); };
  EXPECT_EQ(working_bytes(boosting(2), 1, shape, 0, 1),
            1000 * 28 + 3 * 16 * kSlots + 24 * kSlots + trees(1));
  EXPECT_EQ(working_bytes(boosting(2), 5, shape, 0, 3),
            1000 * 28 + 3 * 16 * kSlots + 3 * 24 * kSlots + trees(5));
  // Half of the rows, the list of all of them, and the sums on their way.
  EXPECT_EQ(working_bytes(boosting(2), 1, shape, 0, 1, 2),
            500 * 28 + 1000 * 4 + 4 * 16 * kSlots + 24 * kSlots + trees(1));
  // Raw predictions and probabilities of three classes.
  EXPECT_EQ(working_bytes(boosting(2), 1, {1000, 10, 3, Task::kClassification}, 0, 1),
            1000 * (48 + 20) + 3 * 16 * kSlots + 24 * kSlots + trees(3));
  auto weighted = shape;
  weighted.is_weighted = true;
  EXPECT_EQ(working_bytes(boosting(2), 1, weighted, 0, 1),
            1000 * 8 + working_bytes(boosting(2), 1, shape, 0, 1));
  // Test rows: raw predictions, codes in rows of 32 and columns of 10, two probabilities, ranks.
  EXPECT_EQ(working_bytes(boosting(2), 1, shape, 100, 1),
            100 * (8 + 42 + 32) + working_bytes(boosting(2), 1, shape, 0, 1));
}

TEST(Cost, MemoryOfForestsByHand) {
  const DataShape shape{1000, 4, 2, Task::kClassification};
  // Labels; marks and two blocks of the rows that a tree draws; a tree being built; the tree.
  const std::uint64_t rows = 2250 + 2 * 632 * 5, built = 56 * 3 / 2 * 299, tree = 3416;
  EXPECT_EQ(working_bytes(forest(), 1, shape, 0, 1), 4000 + rows + built + tree);
  EXPECT_EQ(working_bytes(forest(), 1, shape, 0, 2), 4000 + 2 * (rows + built) + tree);
  // Of a million rows two ranks grow two trees at a time, each of which gets the rows of one twice.
  const DataShape many{1'000'000, 28, 2, Task::kClassification};
  const std::uint64_t of_many = held_bytes(forest(), 1, many, 1);
  EXPECT_NEAR(working_bytes(forest(), 1, many, 0, 1, 2), 4e6 + 2 * 632'000 * 36 + of_many, 1);
  // Eight ranks grow eight, whose trees outweigh their rows.
  EXPECT_NEAR(working_bytes(forest(), 1, many, 0, 1, 8), 4e6 + 16 * of_many + of_many, 16);
  EXPECT_EQ(tree_bytes(forest(), 10, shape, 1), 89'102u) << "299 nodes of 29.8 bytes";
  EXPECT_NEAR(tree_bytes(forest(), 10, shape, 2), 113'022, 1) << "8 more where cuts stop";
  // An inner node takes 1 + 1 + 4 + 8 + 2 bytes, a leaf one for its value; all 2 for their samples.
  EXPECT_NEAR(held_bytes(forest(), 10, shape, 1), 2990 * (8.5 + 2 + 0.125 + 0.8), 1);
  EXPECT_NEAR(held_bytes(forest(), 10, shape, 2), 2990 * (8.5 + 2 + 0.125 + 0.8 + 1.5), 1);
  EXPECT_NEAR(held_bytes(forest(), 10, shape, 9), 2990 * (8.5 + 2 + 0.125 + 0.8 + 2.5), 1);
  EXPECT_GT(working_bytes(forest(), 1, shape, 1000, 1), working_bytes(forest(), 1, shape, 0, 1));
}

TEST(Cost, MemoryOfForestsOfSeveralLeafSizesByHand) {
  const auto of = [](std::vector<ParamValue> sizes) {
    return make_families(
               expand({{"f", Estimator::kRandomForestClassifier, {{"min_samples_leaf", sizes}}}}),
               true)
        .front();
  };
  const auto both = of({std::int64_t{10}, std::int64_t{1}});
  const auto one = of({std::int64_t{1}}), ten = of({std::int64_t{10}});
  for (const std::uint64_t n_classes : {2, 5}) {
    const DataShape shape{1000, 4, n_classes, Task::kClassification};
    EXPECT_NEAR(tree_bytes(both, 10, shape, 1),
                tree_bytes(one, 10, shape, 1) + tree_bytes(ten, 10, shape, 1), 1);
    // Besides the first: the trees, those being built, and at most the rows of a tree set aside.
    const double more = working_bytes(both, 3, shape, 0, 2) - working_bytes(one, 3, shape, 0, 2);
    const double leaves = 632 / 15.0, columns = n_classes == 2 ? 5 : 6;
    EXPECT_NEAR(more,
                3 * 11.425 * (2 * leaves - 1) + 2 * (56 * 3 / 2 * (2 * leaves - 1) + 632 * columns),
                3);
  }
}

TEST(CostScale, GoesByTheFamilyThenByItsKindThenByAll) {
  std::vector<Family> families = {forest(), boosting(8), boosting(31), boosting(64)};
  CostScale scale(families);
  EXPECT_EQ(scale.factor(0), 1);
  scale.add(1, 10, 20);
  EXPECT_EQ(scale.factor(0), 2) << "nothing else is known";
  EXPECT_EQ(scale.factor(1), 2);
  EXPECT_EQ(scale.factor(2), 2) << "of its kind";
  scale.add(2, 10, 60);
  EXPECT_EQ(scale.factor(1), 2);
  EXPECT_EQ(scale.factor(2), 6);
  EXPECT_EQ(scale.factor(3), 4);
  scale.add(0, 5, 5);
  EXPECT_EQ(scale.factor(0), 1);
  EXPECT_EQ(scale.factor(3), 4);
  // What was known of a task under way is replaced by what is known of it at its end.
  scale.add(2, 10, -20);
  EXPECT_EQ(scale.factor(2), 2);
}

TEST(CostScale, WhatTookNoTimeSaysNothing) {
  CostScale scale({forest()});
  scale.add(0, 10, 0);
  EXPECT_EQ(scale.factor(0), 1);
}

}  // namespace
}  // namespace orchard::search
