#include "orchard/report/cv_table.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace orchard::report {
namespace {

using options::ParamValue;

search::Results two_points(std::vector<std::string> scorers) {
  search::Results results;
  results.scorers = std::move(scorers);
  results.n_splits = 2;
  results.refit = results.scorers.front();
  results.points = {{0,
                     "f",
                     options::Estimator::kRandomForestClassifier,
                     {{"max_depth", {}}, {"max_features", ParamValue(std::string("sqrt"))}},
                     ""},
                    {1,
                     "b",
                     options::Estimator::kHistGradientBoostingClassifier,
                     {{"learning_rate", ParamValue(0.1)}},
                     "failed"}};
  const auto n = results.scorers.size();
  results.split_scores.assign(4 * n, 0.5);
  results.mean_scores.assign(2 * n, 0.5);
  results.std_scores.assign(2 * n, 0.0);
  results.ranks.assign(2 * n, 1);
  results.mean_scores[n] = std::numeric_limits<double>::quiet_NaN();
  results.ranks[n] = 2;
  results.fit_s = {1, 3, 0, 0};
  results.score_s = {0, 0, 0, 0};
  return results;
}

TEST(CvTable, HasScikitLearnsColumns) {
  const auto text = cv_results_csv(two_points({"accuracy"}));
  EXPECT_EQ(text.substr(0, text.find('\n')),
            "mean_fit_time,std_fit_time,mean_score_time,std_score_time,param_estimator,"
            "param_learning_rate,param_max_depth,param_max_features,params,split0_test_score,"
            "split1_test_score,mean_test_score,std_test_score,rank_test_score");
  EXPECT_NE(text.find("\n2,1,0,0,RandomForestClassifier,,None,sqrt,\"{'estimator': "
                      "'RandomForestClassifier', 'max_depth': None, 'max_features': 'sqrt'}\",0.5,"
                      "0.5,0.5,0,1\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(",0.5,0.5,,0,2\n"), std::string::npos) << "an undefined mean is empty";
}

TEST(CvTable, NamesScorersWhenThereAreSeveral) {
  const auto text = cv_results_csv(two_points({"accuracy", "neg_log_loss"}));
  EXPECT_NE(text.find("mean_test_accuracy"), std::string::npos);
  EXPECT_NE(text.find("rank_test_neg_log_loss"), std::string::npos);
}

TEST(CvTable, RankingPutsTheBestFirstAndCountsTheRest) {
  const auto text = ranking_table(two_points({"accuracy"}), 1);
  EXPECT_NE(text.find("RandomForestClassifier max_depth=None max_features=sqrt"),
            std::string::npos);
  EXPECT_EQ(text.find("HistGradientBoosting"), std::string::npos);
  EXPECT_NE(text.find("1 more point"), std::string::npos);
  EXPECT_NE(ranking_table(two_points({"accuracy"}), 5).find("undefined"), std::string::npos);
}

TEST(CvTable, KnowsItsTimes) {
  EXPECT_TRUE(is_timing_column("std_score_time"));
  EXPECT_FALSE(is_timing_column("mean_test_score"));
}

}  // namespace
}  // namespace orchard::report
