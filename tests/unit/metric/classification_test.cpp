#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "../../support/global_seed.hpp"
#include "rows.hpp"

namespace orchard::metric {
namespace {

using ::testing::HasSubstr;

const std::vector<double> kWeight{0.5, 2, 1, 0.25};

Rows three_classes(std::vector<double> weight = {}) {
  return classification(3, {0, 1, 2, 0, 1},
                        {0.7, 0.2, 0.1, 0, 1, 0, 0.2, 0.2, 0.6, 0.3, 0.4, 0.3, 1, 0, 0},
                        std::move(weight));
}

TEST(AccuracyTest, KnownValues) {
  EXPECT_EQ(three_classes().value("accuracy"), 3.0 / 5);
  EXPECT_EQ(three_classes({1, 2, 3, 4, 0.5}).value("accuracy"), 6 / 10.5);
}

TEST(AccuracyTest, EqualProbabilitiesGoToTheLowestClass) {
  EXPECT_EQ(classification(3, {0}, {0.4, 0.4, 0.2}).value("accuracy"), 1.0);
  EXPECT_EQ(classification(3, {1}, {0.4, 0.4, 0.2}).value("accuracy"), 0.0);
  EXPECT_EQ(classification(3, {1}, {0.2, 0.4, 0.4}).value("accuracy"), 1.0);
  EXPECT_EQ(binary({0, 1}, {0.5, 0.5}).value("accuracy"), 0.5);
}

// The first is the example of scikit-learn's documentation, the others are counted by hand.
TEST(BalancedAccuracyTest, KnownValues) {
  const std::vector<double> target{0, 1, 0, 0, 1, 0}, predicted{0, 1, 0, 0, 0, 1};
  EXPECT_EQ(binary(target, predicted).value("balanced_accuracy"), 0.625);
  EXPECT_EQ(binary(target, predicted, {1, 2, 3, 4, 5, 6}).value("balanced_accuracy"),
            (8.0 / 14 + 2.0 / 7) / 2);
  EXPECT_NEAR(three_classes().value("balanced_accuracy"), (0.5 + 0.5 + 1) / 3, 2e-16);
}

TEST(BalancedAccuracyTest, ClassesWithoutRowsDoNotCount) {
  const Score score =
      classification(3, {0, 0, 2}, {1, 0, 0, 0, 1, 0, 0, 0, 1}).score("balanced_accuracy");
  EXPECT_EQ(score.value, 0.75);
  EXPECT_EQ(score.reason, "");
  EXPECT_EQ(binary({0, 0, 1}, {0, 1, 0}, {1, 1, 0}).value("balanced_accuracy"), 0.5);
}

// Computed with 40 digits in Python's mpmath; the first is scikit-learn's documented example.
TEST(LogLossTest, KnownValues) {
  const std::vector<double> target{1, 0, 0, 1}, of_second{0.9, 0.1, 0.2, 0.65};
  const std::vector<double> rows{0.1, 0.9, 0.9, 0.1, 0.8, 0.2, 0.35, 0.65};
  EXPECT_NEAR(classification(2, target, rows).value("neg_log_loss"), -0.21616187468057915, 1e-16);
  EXPECT_NEAR(classification(2, target, rows, kWeight).value("neg_log_loss"), -0.15846415186183708,
              1e-16);
  EXPECT_NEAR(three_classes().value("neg_log_loss"), -7.623025352229563, 2e-15);
  EXPECT_NEAR(three_classes({1, 2, 3, 4, 0.5}).value("neg_log_loss"), -2.354939974009431, 1e-15);
}

TEST(LogLossTest, CertaintyIsClippedAndRowsAreNormalised) {
  EXPECT_NEAR(binary({1}, {0}).value("neg_log_loss"), 52 * std::log(0x1p-1), 1e-13);
  EXPECT_NEAR(binary({1}, {1}).value("neg_log_loss"), -0x1p-52, 1e-16);
  EXPECT_NEAR(classification(2, {1}, {0.5, 0.25}).value("neg_log_loss"), -std::log(3), 2e-16);
  EXPECT_EQ(classification(2, {1}, {0.25, 0.25}).value("neg_log_loss"),
            classification(2, {1}, {0.5, 0.5}).value("neg_log_loss"));
}

TEST(LogLossTest, IsTheNegativeLossOfClassifications) {
  const Rows rows = three_classes({1, 2, 3, 4, 0.5});
  EXPECT_EQ(negative_loss(rows.truth(), rows.predictions).value, rows.value("neg_log_loss"));
}

// Fractions counted by Python over all pairs; the first is scikit-learn's documented example.
TEST(RocAucTest, KnownValues) {
  const std::vector<double> target{0, 0, 1, 1}, scores{0.1, 0.4, 0.35, 0.8};
  EXPECT_EQ(binary(target, scores).value("roc_auc"), 0.75);
  EXPECT_EQ(binary(target, scores, kWeight).value("roc_auc"), 9.0 / 25);
  EXPECT_NEAR(three_classes().value("roc_auc_ovr"), (2.0 / 3 + 0.5 + 1) / 3, 2e-16);
  EXPECT_NEAR(three_classes({1, 2, 3, 4, 0.5}).value("roc_auc_ovr"), (10.0 / 11 + 0.8 + 1) / 3,
              2e-16);
}

TEST(RocAucTest, ExtremesAndTiesAreExact) {
  EXPECT_EQ(binary({0, 0, 1}, {0.1, 0.2, 0.3}).value("roc_auc"), 1.0);
  EXPECT_EQ(binary({1, 1, 0}, {0.1, 0.2, 0.3}).value("roc_auc"), 0.0);
  EXPECT_EQ(binary({1, 1, 0}, {0.5, 0.5, 0.5}, {0.3, 0.7, 0.1}).value("roc_auc"), 0.5);
  EXPECT_EQ(classification(2, {0, 1}, {1, 0.0, 1, -0.0}).value("roc_auc"), 0.5);
  EXPECT_EQ(binary({0, 1}, {0.1, 0.2}, {1e-300, 1e-300}).value("roc_auc"), 1.0);
  EXPECT_EQ(binary({0, 1}, {0.1, 0.2}, {1e300, 1e300}).value("roc_auc"), 1.0);
}

/// The definition, over all pairs of rows.
double slow_area(const Rows& rows, std::size_t c) {
  long double won = 0, pairs = 0;
  for (std::size_t i = 0; i < rows.target.size(); ++i) {
    for (std::size_t j = 0; j < rows.target.size(); ++j) {
      const auto positive = static_cast<double>(c);
      if (rows.target[i] != positive || rows.target[j] == positive) continue;
      const double a = rows.predictions[i * rows.n_classes + c];
      const double b = rows.predictions[j * rows.n_classes + c];
      const long double weight =
          rows.weight.empty() ? 1 : static_cast<long double>(rows.weight[i]) * rows.weight[j];
      pairs += weight;
      won += a > b ? weight : (a == b ? weight / 2 : 0);
    }
  }
  return static_cast<double>(won / pairs);
}

TEST(RocAucTest, EqualsTheCountOfAllPairs) {
  for (const auto seed : testing_support::global_seeds()) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    for (int i = 0; i < 24; ++i) {
      const std::size_t n_classes = 2 + random() % 3;
      const Rows rows = random_classification(random, 20 + random() % 100, n_classes,
                                              i % 2 == 0 ? 0 : 3, i % 3 == 0);
      double expected = 0;
      for (std::size_t c = 0; c < n_classes; ++c) {
        expected += slow_area(rows, c) / static_cast<double>(n_classes);
      }
      if (n_classes == 2) {
        expected = slow_area(rows, 1);
        EXPECT_EQ(rows.value("roc_auc"), rows.value("roc_auc_ovr"));
      }
      EXPECT_NEAR(rows.value("roc_auc_ovr"), expected, 1e-15);
    }
  }
}

// Enough rows to be sorted by radix: negative scores, both zeros, ties, and digits all rows share.
TEST(RocAucTest, ManyRowsEqualTheCountOfAllPairs) {
  std::mt19937_64 random(7);
  for (const double scale : {1.0, 1e-300, 1e300}) {
    std::vector<double> target, predictions;
    std::vector<double> positive, negative;
    for (int i = 0; i < 9000; ++i) {
      double score = scale * (static_cast<double>(random() % 5000) - 2500.0);
      if (score == 0 && random() % 2 == 0) score = -0.0;
      target.push_back(static_cast<double>(random() % 2));
      predictions.insert(predictions.end(), {0.0, score});
      (target.back() == 1 ? positive : negative).push_back(score);
    }
    std::uint64_t twice_won = 0;
    for (const double p : positive) {
      for (const double n : negative) twice_won += p > n ? 2 : p == n ? 1 : 0;
    }
    const double twice_pairs =
        2 * static_cast<double>(positive.size()) * static_cast<double>(negative.size());
    EXPECT_EQ(classification(2, target, predictions).value("roc_auc"),
              static_cast<double>(twice_won) / twice_pairs);
  }
}

TEST(RocAucTest, AMissingClassIsUndefinedWithAReason) {
  const Score no_positive = binary({0, 0}, {0.1, 0.2}).score("roc_auc");
  EXPECT_TRUE(std::isnan(no_positive.value));
  EXPECT_THAT(no_positive.reason, HasSubstr("class 1"));
  const Score no_negative = binary({1, 1}, {0.1, 0.2}).score("roc_auc");
  EXPECT_TRUE(std::isnan(no_negative.value));
  EXPECT_THAT(no_negative.reason, HasSubstr("every test row"));
  const Score no_third = classification(3, {0, 1}, {1, 0, 0, 0, 1, 0}).score("roc_auc_ovr");
  EXPECT_TRUE(std::isnan(no_third.value));
  EXPECT_THAT(no_third.reason, HasSubstr("class 2"));
  EXPECT_THAT(binary({0, 1}, {0.1, 0.2}, {1, 0}).score("roc_auc").reason, HasSubstr("class 1"));
  EXPECT_THAT(three_classes().score("roc_auc").reason, HasSubstr("roc_auc_ovr"));
}

TEST(ClassificationTest, WeightsEqualRepeatedRows) {
  const Rows weighted = binary({0, 1, 1, 0}, {0.3, 0.6, 0.2, 0.55}, {1, 3, 2, 1});
  const Rows repeated = binary({0, 1, 1, 1, 1, 1, 0}, {0.3, 0.6, 0.6, 0.6, 0.2, 0.2, 0.55});
  for (const auto& scorer : scorer_names(Task::kClassification)) {
    EXPECT_NEAR(weighted.value(scorer), repeated.value(scorer), 2e-16) << scorer;
  }
}

}  // namespace
}  // namespace orchard::metric
