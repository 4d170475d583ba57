#include "orchard/metric/scorer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "orchard/base/error.hpp"
#include "rows.hpp"

namespace orchard::metric {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void expect_undefined(const Rows& rows, const std::string& reason) {
  for (const auto& scorer : scorer_names(rows.task)) {
    const Score score = rows.score(scorer);
    EXPECT_TRUE(std::isnan(score.value)) << scorer;
    EXPECT_THAT(score.reason, HasSubstr(reason)) << scorer;
  }
  const Score loss = negative_loss(rows.truth(), rows.predictions);
  EXPECT_TRUE(std::isnan(loss.value));
  EXPECT_THAT(loss.reason, HasSubstr(reason));
}

TEST(ScorerTest, NamesKeepTheirOrder) {
  EXPECT_THAT(scorer_names(),
              ElementsAre("accuracy", "balanced_accuracy", "neg_log_loss", "roc_auc", "roc_auc_ovr",
                          "r2", "neg_root_mean_squared_error", "neg_mean_absolute_error"));
  EXPECT_THAT(scorer_names(Task::kRegression),
              ElementsAre("r2", "neg_root_mean_squared_error", "neg_mean_absolute_error"));
  EXPECT_EQ(scorer_names(Task::kClassification).size(), 5u);
}

TEST(ScorerTest, JudgesItsOwnTaskOnly) {
  EXPECT_TRUE(judges("accuracy", Task::kClassification));
  EXPECT_FALSE(judges("accuracy", Task::kRegression));
  EXPECT_TRUE(judges("r2", Task::kRegression));
  EXPECT_FALSE(judges("r2", Task::kClassification));
  EXPECT_FALSE(judges("f1", Task::kClassification));
  EXPECT_THROW(regression({1, 2}, {1, 2}).score("accuracy"), Error);
}

TEST(ScorerTest, AnUnknownNameIsOurFaultAndNamesTheNearest) {
  try {
    binary({0, 1}, {0, 1}).score("acuracy");
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInternal);
    EXPECT_THAT(error.what(), HasSubstr("'accuracy'"));
  }
}

TEST(ScorerTest, NoRowsIsUndefined) {
  expect_undefined(regression({}, {}), "no test rows");
  expect_undefined(classification(2, {}, {}), "no test rows");
}

TEST(ScorerTest, PredictionsThatAreNotFiniteAreUndefined) {
  for (const double value : {kInfinity, -kInfinity, std::nan("")}) {
    expect_undefined(regression({1, 2, 3}, {1, value, 3}), "test row 1 is");
    expect_undefined(classification(2, {0, 1, 1}, {1, 0, 0, 1, 1, value}), "test row 2 is");
  }
}

TEST(ScorerTest, WeightsThatCannotBeUsedAreUndefined) {
  expect_undefined(regression({1, 2}, {1, 2}, {0, 0}), "weight 0");
  expect_undefined(regression({1, 2}, {1, 2}, {1, -1}), "the weight -1");
  expect_undefined(binary({0, 1}, {0.1, 0.2}, {1, std::nan("")}), "the weight nan");
  expect_undefined(binary({0, 1}, {0.1, 0.2}, {1, kInfinity}), "the weight inf");
  expect_undefined(binary({0, 1}, {0.1, 0.2}, {1.5e308, 1.5e308}), "sum of the weights");
}

TEST(ScorerTest, ShapesThatDoNotFitThrow) {
  EXPECT_THROW(regression({1, 2}, {1}).score("r2"), Error);
  EXPECT_THROW(regression({1, 2}, {1, 2}, {1}).score("r2"), Error);
  EXPECT_THROW(classification(3, {1}, {0.5, 0.5}).score("accuracy"), Error);
  EXPECT_THROW(classification(0, {}, {}).score("accuracy"), Error);
  for (const double target : {2.0, -1.0, 0.5, std::nan("")}) {
    EXPECT_THROW(classification(2, {target}, {0.5, 0.5}).score("accuracy"), Error) << target;
  }
}

TEST(ScorerTest, UniformWeightsOfAnySizeDoNotMatter) {
  const Rows plain = binary({0, 1, 1, 0, 1}, {0.2, 0.4, 0.7, 0.5, 0.5});
  for (const double weight : {1.0, 0.25, 0x1p-900, 0x1p900}) {
    Rows weighted = plain;
    weighted.weight.assign(5, weight);
    for (const auto& scorer : scorer_names(Task::kClassification)) {
      EXPECT_EQ(plain.value(scorer), weighted.value(scorer)) << scorer << " " << weight;
    }
  }
}

}  // namespace
}  // namespace orchard::metric
