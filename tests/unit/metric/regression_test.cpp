#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "rows.hpp"

namespace orchard::metric {
namespace {

using ::testing::HasSubstr;

const Rows kRows = regression({3, -0.5, 2, 7}, {2.5, 0, 2, 8});
const Rows kWeighted = regression({3, -0.5, 2, 7}, {2.5, 0, 2, 8}, {0.5, 2, 1, 0.25});

// The values are rational numbers computed with Python's fractions, rounded at the end; the
// unweighted ones are also the examples of scikit-learn's documentation.
TEST(RegressionTest, KnownValues) {
  EXPECT_NEAR(kRows.value("r2"), 0.9486081370449678, 2e-16);
  EXPECT_NEAR(kRows.value("neg_root_mean_squared_error"), -0.6123724356957945, 2e-16);
  EXPECT_EQ(kRows.value("neg_mean_absolute_error"), -0.5);
  EXPECT_NEAR(kWeighted.value("r2"), 0.9467545638945233, 2e-16);
  EXPECT_NEAR(kWeighted.value("neg_root_mean_squared_error"), -0.4830458915396479, 2e-16);
  EXPECT_EQ(kWeighted.value("neg_mean_absolute_error"), -0.4);
}

TEST(RegressionTest, NegativeLossIsHalfTheSquaredError) {
  EXPECT_EQ(negative_loss(kRows.truth(), kRows.predictions).value, -0.375 / 2);
  EXPECT_NEAR(negative_loss(kWeighted.truth(), kWeighted.predictions).value, -7.0 / 60, 2e-17);
}

TEST(RegressionTest, PerfectPredictionsScorePositiveZero) {
  const Rows rows = regression({1, 2}, {1, 2});
  EXPECT_EQ(rows.value("r2"), 1.0);
  for (const char* scorer : {"neg_root_mean_squared_error", "neg_mean_absolute_error"}) {
    EXPECT_EQ(rows.value(scorer), 0.0);
    EXPECT_FALSE(std::signbit(rows.value(scorer))) << scorer;
  }
  EXPECT_FALSE(std::signbit(negative_loss(rows.truth(), rows.predictions).value));
}

TEST(RegressionTest, R2OfAConstantTargetIsOneOrZero) {
  EXPECT_EQ(regression({4, 4, 4}, {4, 4, 4}).value("r2"), 1.0);
  EXPECT_EQ(regression({4, 4, 4}, {4, 4, 5}).value("r2"), 0.0);
  // The rounded mean of ten times 0.1 with such weights is not 0.1.
  Rows rows = regression(std::vector<double>(10, 0.1), std::vector<double>(10, 0.3));
  for (int i = 0; i < 10; ++i) rows.weight.push_back(0.1 + 0.01 * i);
  EXPECT_EQ(rows.value("r2"), 0.0);
  // A row of weight 0 is not there.
  EXPECT_EQ(regression({4, 4, 9}, {4, 4, 4}, {1, 1, 0}).value("r2"), 1.0);
}

TEST(RegressionTest, R2MayBeNegative) {
  EXPECT_EQ(regression({1, 2, 3}, {3, 2, 1}).value("r2"), -3.0);
}

TEST(RegressionTest, R2NeedsTwoRows) {
  const Score score = regression({1}, {1}).score("r2");
  EXPECT_TRUE(std::isnan(score.value));
  EXPECT_THAT(score.reason, HasSubstr("two"));
  EXPECT_EQ(regression({1}, {3}).value("neg_mean_absolute_error"), -2.0);
}

TEST(RegressionTest, WeightsEqualRepeatedRows) {
  const Rows weighted = regression({1, 2.5, -4}, {1.5, 2, 0}, {1, 3, 2});
  const Rows repeated = regression({1, 2.5, 2.5, 2.5, -4, -4}, {1.5, 2, 2, 2, 0, 0});
  for (const auto& scorer : scorer_names(Task::kRegression)) {
    EXPECT_EQ(weighted.value(scorer), repeated.value(scorer)) << scorer;
  }
}

TEST(RegressionTest, SumsBeyondDoubleAreUndefined) {
  const Rows rows = regression({1e200, 0}, {-1e200, 0});
  for (const char* scorer : {"r2", "neg_root_mean_squared_error"}) {
    EXPECT_TRUE(std::isnan(rows.value(scorer)));
    EXPECT_THAT(rows.score(scorer).reason, HasSubstr("range of double"));
  }
  EXPECT_EQ(rows.value("neg_mean_absolute_error"), -1e200);
}

}  // namespace
}  // namespace orchard::metric
