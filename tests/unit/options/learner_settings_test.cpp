#include "orchard/options/learner_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "orchard/base/error.hpp"

namespace orchard::options {
namespace {

using ::testing::HasSubstr;

constexpr auto kForest = Estimator::kRandomForestClassifier;
constexpr auto kBoosting = Estimator::kHistGradientBoostingClassifier;

ParamValue count(std::int64_t value) { return value; }

ForestSettings forest(const std::vector<Param>& params, Estimator estimator = kForest) {
  return std::get<ForestSettings>(make_settings(estimator, params));
}
BoostingSettings boosting(const std::vector<Param>& params, Estimator estimator = kBoosting) {
  return std::get<BoostingSettings>(make_settings(estimator, params));
}

TEST(LearnerSettings, NamesAndTasks) {
  EXPECT_EQ(name_of(Estimator::kHistGradientBoostingRegressor), "HistGradientBoostingRegressor");
  EXPECT_EQ(task_of(kForest), Task::kClassification);
  EXPECT_EQ(task_of(Estimator::kRandomForestRegressor), Task::kRegression);
  EXPECT_EQ(task_of(Estimator::kHistGradientBoostingRegressor), Task::kRegression);
  EXPECT_TRUE(is_forest(kForest));
  EXPECT_FALSE(is_forest(kBoosting));
}

TEST(LearnerSettings, ForestDefaultsAreScikitLearns) {
  const auto settings = forest({});
  EXPECT_EQ(settings.n_estimators, 100);
  EXPECT_EQ(settings.criterion, Criterion::kGini);
  EXPECT_FALSE(settings.max_depth.has_value());
  EXPECT_EQ(settings.min_samples_split, CountOrFraction(std::int64_t{2}));
  EXPECT_EQ(settings.min_samples_leaf, CountOrFraction(std::int64_t{1}));
  EXPECT_EQ(settings.max_features.rule, MaxFeatures::Rule::kSqrt);
  EXPECT_TRUE(settings.bootstrap);
  EXPECT_FALSE(settings.max_samples.has_value());
  EXPECT_EQ(settings.min_impurity_decrease, 0);
  EXPECT_EQ(settings.class_weight, ClassWeight::kNone);
  const auto regressor = forest({}, Estimator::kRandomForestRegressor);
  EXPECT_EQ(regressor.criterion, Criterion::kSquaredError);
  EXPECT_EQ(regressor.max_features.rule, MaxFeatures::Rule::kAll);
}

TEST(LearnerSettings, BoostingDefaultsAreScikitLearns) {
  for (const auto estimator : {kBoosting, Estimator::kHistGradientBoostingRegressor}) {
    const auto settings = boosting({}, estimator);
    EXPECT_EQ(settings.max_iter, 100);
    EXPECT_EQ(settings.learning_rate, 0.1);
    EXPECT_EQ(settings.max_leaf_nodes, 31);
    EXPECT_FALSE(settings.max_depth.has_value());
    EXPECT_EQ(settings.min_samples_leaf, 20);
    EXPECT_EQ(settings.l2_regularization, 0);
    EXPECT_EQ(settings.max_bins, 255);
    EXPECT_EQ(settings.early_stopping, EarlyStopping::kAuto);
    EXPECT_EQ(settings.scoring, "loss");
    EXPECT_EQ(settings.validation_fraction, 0.1);
    EXPECT_EQ(settings.n_iter_no_change, 10);
    EXPECT_EQ(settings.tol, 1e-7);
  }
}

TEST(LearnerSettings, EveryForestParameterReachesItsMember) {
  const auto settings = forest({{"n_estimators", count(7)},
                                {"criterion", "log_loss"},
                                {"max_depth", count(3)},
                                {"min_samples_split", 0.5},
                                {"min_samples_leaf", count(4)},
                                {"max_features", "log2"},
                                {"max_samples", 0.25},
                                {"min_impurity_decrease", count(1)},
                                {"class_weight", "balanced_subsample"}});
  EXPECT_EQ(settings.n_estimators, 7);
  EXPECT_EQ(settings.criterion, Criterion::kEntropy);
  EXPECT_EQ(settings.max_depth, 3);
  EXPECT_EQ(settings.min_samples_split, CountOrFraction(0.5));
  EXPECT_EQ(settings.min_samples_leaf, CountOrFraction(std::int64_t{4}));
  EXPECT_EQ(settings.max_features.rule, MaxFeatures::Rule::kLog2);
  EXPECT_EQ(settings.max_samples, CountOrFraction(0.25));
  EXPECT_EQ(settings.min_impurity_decrease, 1.0);
  EXPECT_EQ(settings.class_weight, ClassWeight::kBalancedSubsample);
  EXPECT_FALSE(forest({{"bootstrap", false}}).bootstrap);
}

TEST(LearnerSettings, EveryBoostingParameterReachesItsMember) {
  const auto settings = boosting({{"max_iter", count(5)},
                                  {"learning_rate", count(1)},
                                  {"max_leaf_nodes", ParamValue()},
                                  {"max_depth", count(2)},
                                  {"min_samples_leaf", count(3)},
                                  {"l2_regularization", 0.5},
                                  {"max_bins", count(16)},
                                  {"class_weight", "balanced"},
                                  {"early_stopping", true},
                                  {"scoring", "roc_auc"},
                                  {"validation_fraction", ParamValue()},
                                  {"n_iter_no_change", count(4)},
                                  {"tol", 0.0}});
  EXPECT_EQ(settings.max_iter, 5);
  EXPECT_EQ(settings.learning_rate, 1.0);
  EXPECT_FALSE(settings.max_leaf_nodes.has_value());
  EXPECT_EQ(settings.max_depth, 2);
  EXPECT_EQ(settings.min_samples_leaf, 3);
  EXPECT_EQ(settings.l2_regularization, 0.5);
  EXPECT_EQ(settings.max_bins, 16);
  EXPECT_EQ(settings.class_weight, ClassWeight::kBalanced);
  EXPECT_EQ(settings.early_stopping, EarlyStopping::kOn);
  EXPECT_EQ(settings.scoring, "roc_auc");
  EXPECT_FALSE(settings.validation_fraction.has_value());
  EXPECT_EQ(settings.n_iter_no_change, 4);
  EXPECT_EQ(settings.tol, 0);
  EXPECT_EQ(boosting({{"early_stopping", false}}).early_stopping, EarlyStopping::kOff);
}

TEST(LearnerSettings, OneFeatureIsNotAllFeatures) {
  EXPECT_EQ(forest({{"max_features", count(1)}}).max_features.resolve(10), 1);
  EXPECT_EQ(forest({{"max_features", 1.0}}).max_features.resolve(10), 10);
  EXPECT_EQ(forest({{"max_features", ParamValue()}}).max_features.resolve(10), 10);
  EXPECT_EQ(forest({{"max_features", 0.3}}).max_features.resolve(10), 3);
  EXPECT_EQ(forest({{"max_features", 0.01}}).max_features.resolve(10), 1);
  EXPECT_EQ(forest({{"max_features", count(50)}}).max_features.resolve(10), 10);
}

TEST(LearnerSettings, MaxFeaturesFollowsScikitLearn) {
  const MaxFeatures sqrt{MaxFeatures::Rule::kSqrt}, log2{MaxFeatures::Rule::kLog2};
  for (std::int64_t n = 1; n <= 5000; ++n) {
    const auto real = static_cast<double>(n);
    EXPECT_EQ(sqrt.resolve(n),
              std::max<std::int64_t>(1, static_cast<std::int64_t>(std::sqrt(real))));
    EXPECT_EQ(log2.resolve(n),
              std::max<std::int64_t>(1, static_cast<std::int64_t>(std::log2(real))));
  }
}

TEST(LearnerSettings, FractionsOfRowsAreRoundedUp) {
  EXPECT_EQ(resolve_count(std::int64_t{5}, 100), 5);
  EXPECT_EQ(resolve_count(0.1, 101), 11);
  EXPECT_EQ(resolve_count(0.5, 10), 5);
  EXPECT_EQ(resolve_count(1.0, 10), 10);
}

TEST(LearnerSettings, CombinationsAndStrangersAreRefused) {
  EXPECT_THROW(forest({{"bootstrap", false}, {"max_samples", 0.5}}), Error);
  EXPECT_NO_THROW(forest({{"bootstrap", false}, {"max_samples", ParamValue()}}));
  EXPECT_THROW(forest({{"learning_rate", 0.1}}), Error);
  EXPECT_THROW(forest({{"max_depth", count(0)}}), Error);
  EXPECT_THROW(boosting({{"max_bins", count(256)}}), Error);
}

TEST(LearnerSettings, ResolvedParamsListAllInTableOrder) {
  const auto params = resolved_params(kForest, {{"max_depth", count(4)}});
  ASSERT_EQ(params.size(), 10U);
  EXPECT_EQ(params[0], (Param{"n_estimators", count(100)}));
  EXPECT_EQ(params[2], (Param{"max_depth", count(4)}));
  EXPECT_EQ(resolved_params(Estimator::kRandomForestRegressor, {}).size(), 9U);
  EXPECT_EQ(resolved_params(kBoosting, {}).size(), 13U);
  EXPECT_EQ(resolved_params(Estimator::kHistGradientBoostingRegressor, {}).size(), 12U);
}

TEST(LearnerSettings, PrintedForJobFilesAndPython) {
  struct Case {
    ParamValue value;
    std::string job, python;
  };
  const std::vector<Case> cases = {
      {ParamValue(), "none", "None"},
      {true, "true", "True"},
      {count(8), "8", "8"},
      {0.1, "0.1", "0.1"},
      {1.0, "1.0", "1.0"},
      {1e-7, "1e-07", "1e-07"},
      {1e5, "100000.0", "100000.0"},
      {0.0001, "0.0001", "0.0001"},
      {0.00001, "1e-05", "1e-05"},
      {1e16, "1e+16", "1e+16"},
      {123456789012345.0, "123456789012345.0", "123456789012345.0"},
      {"sqrt", "sqrt", "'sqrt'"},
      {"it's", "\"it's\"", "'it\\'s'"},
      {"none", "\"none\"", "'none'"},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(print_value(each.value), each.job);
    EXPECT_EQ(print_python(each.value), each.python);
  }
}

}  // namespace
}  // namespace orchard::options
