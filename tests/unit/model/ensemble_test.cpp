#include "orchard/model/ensemble.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "orchard/base/elementary.hpp"
#include "orchard/base/error.hpp"
#include "small_models.hpp"

namespace orchard::model {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

/// Value rows that rows (x0, x1) reach.
std::vector<std::int64_t> walk(const Ensemble& ensemble, const std::vector<float>& x0,
                               const std::vector<float>& x1) {
  const FeatureColumns data{{x0.data(), x1.data()}, static_cast<RowIndex>(x0.size())};
  std::vector<std::int64_t> sums(x0.size() * static_cast<std::size_t>(ensemble.n_outputs));
  accumulate(ensemble, data, 0, data.n_rows, sums);
  return sums;
}

TEST(AccumulateTest, SendsRowsToTheirLeaves) {
  const auto forest = small_forest(0);
  // At the threshold, left; missing right at the root.
  EXPECT_EQ(walk(forest, {1.5F, 1.6F, kMissing}, {0, 0, 0}),
            (std::vector<std::int64_t>{10, 30, 30}));
  // Level b left; a and c right; missing, and levels past the words, left.
  EXPECT_EQ(walk(forest, {2, 2, 2, 2, 2}, {0, 1, 2, kMissing, 32}),
            (std::vector<std::int64_t>{30, 20, 30, 20, 20}));
}

TEST(AccumulateTest, MissingMayGoLeftAtANumber) {
  auto forest = small_forest(0);
  forest.trees[0].flags[0] = Tree::kMissingLeft;
  EXPECT_EQ(walk(forest, {kMissing, 1, 2}, {0, 0, 0}), (std::vector<std::int64_t>{10, 10, 30}));
}

TEST(AccumulateTest, AddsWholeRowsForForests) {
  auto forest = small_forest(2);
  forest.trees.push_back(forest.trees[0]);
  EXPECT_EQ(walk(forest, {0}, {0}), (std::vector<std::int64_t>{20, 40}));
}

TEST(AccumulateTest, AddsOneOutputATreeForBoosting) {
  auto boosted = small_forest(3);
  boosted.combine = Combine::kSum;
  boosted.trees = {small_tree(1), small_tree(1), small_tree(1)};
  boosted.trees[1].values[0] = -7;
  boosted.validate();
  EXPECT_EQ(walk(boosted, {0}, {0}), (std::vector<std::int64_t>{10, -7, 10}));
}

TEST(AccumulateTest, RangesOfRowsGiveTheWhole) {
  const auto forest = small_forest(0);
  std::vector<float> x0, x1;
  for (int i = 0; i < 40000; ++i) {
    x0.push_back(static_cast<float>(i % 4));
    x1.push_back(static_cast<float>(i % 3));
  }
  const auto whole = walk(forest, x0, x1);
  const FeatureColumns data{{x0.data(), x1.data()}, 40000};
  std::vector<std::int64_t> part(7);
  accumulate(forest, data, 20001, 20008, part);
  EXPECT_EQ(part, std::vector<std::int64_t>(whole.begin() + 20001, whole.begin() + 20008));
  EXPECT_THROW(accumulate(forest, data, 39999, 40001, part), Error);
}

TEST(PredictionsTest, ForestsDivideTheSum) {
  const Link classes{Task::kClassification, Combine::kAverage, 2, -30, 2};
  std::vector<double> out(2);
  const std::int64_t one = std::int64_t{1} << 30;
  predictions_from_sums(classes, 3, std::vector<std::int64_t>{one, 2 * one}, out);
  EXPECT_EQ(out, (std::vector<double>{1.0 / 3, 2.0 / 3}));
  const Link values{Task::kRegression, Combine::kAverage, 1, -2, 0};
  predictions_from_sums(values, 5, std::vector<std::int64_t>{10, -40}, out);
  EXPECT_EQ(out, (std::vector<double>{0.5, -2}));
}

TEST(PredictionsTest, BoostingAppliesItsLink) {
  std::vector<double> out(2);
  const Link two{Task::kClassification, Combine::kSum, 1, -1, 2};
  predictions_from_sums(two, 9, std::vector<std::int64_t>{3}, out);
  EXPECT_EQ(out[1], exact_sigmoid(1.5));
  EXPECT_EQ(out[0], 1 - out[1]);
  const Link values{Task::kRegression, Combine::kSum, 1, -1, 0};
  predictions_from_sums(values, 9, std::vector<std::int64_t>{3, 4}, out);
  EXPECT_EQ(out, (std::vector<double>{1.5, 2}));
}

TEST(PredictionsTest, SoftmaxDoesNotOverflow) {
  const Link link{Task::kClassification, Combine::kSum, 3, 0, 3};
  std::vector<double> out(6);
  predictions_from_sums(link, 1, std::vector<std::int64_t>{2000, 2000, -2000, 1, 2, 3}, out);
  EXPECT_EQ(out[0], 0.5);
  EXPECT_EQ(out[1], 0.5);
  EXPECT_EQ(out[2], 0.0);
  EXPECT_NEAR(out[3] + out[4] + out[5], 1, 1e-15);
  EXPECT_NEAR(out[5] / out[4], std::exp(1.0), 1e-14);
}

TEST(PredictionsTest, TiesGoToTheLowestClass) {
  EXPECT_EQ(most_probable(std::vector<double>{0.2, 0.4, 0.4}), 1U);
  EXPECT_EQ(most_probable(std::vector<double>{0.5, 0.5}), 0U);
}

template <class Change>
void expect_refused(Change change, const char* text) {
  auto ensemble = small_forest(2);
  ensemble.validate();
  change(ensemble);
  try {
    ensemble.validate();
    FAIL() << "expected: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kData);
    EXPECT_THAT(error.message(), ::testing::HasSubstr(text));
  }
}

TEST(EnsembleTest, PartsThatDoNotFitAreRefused) {
  expect_refused([](auto& e) { e.n_outputs = 3; }, "3 outputs; expected 2");
  expect_refused([](auto& e) { e.n_outputs = -1; }, "-1 outputs");
  expect_refused([](auto& e) { e.baseline.clear(); }, "0 baselines; expected 2");
  expect_refused([](auto& e) { e.schema.classes.pop_back(); }, "1 classes");
  expect_refused([](auto& e) { e.schema.task = Task::kRegression; }, "regression has 2 classes");
  expect_refused([](auto& e) { e.value_exponent = 5000; }, "exponent 5000");
  expect_refused([](auto& e) { e.trees[0].left[2] = 0; }, "children 0 and 1");
  expect_refused([](auto& e) { e.schema.features.pop_back(); }, "feature 1 of 1");
  expect_refused([](auto& e) { e.schema.features[0].kind = FeatureKind::kCategorical; },
                 "splits the categorical feature 'x0' as numeric");
  expect_refused([](auto& e) { e.trees[0].values[0] = std::numeric_limits<std::int64_t>::min(); },
                 "too large to be added");
}

TEST(EnsembleTest, RoundsOfBoostingAreWhole) {
  auto boosted = small_forest(3);
  boosted.combine = Combine::kSum;
  boosted.trees = {small_tree(1), small_tree(1)};
  EXPECT_THROW(boosted.validate(), Error);
}

}  // namespace
}  // namespace orchard::model
