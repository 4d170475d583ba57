// Jobs that are read, and what comes out.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jobs.hpp"

namespace orchard::options::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<ParamValue> axis(const SubGrid& grid, const std::string& param) {
  for (const auto& each : grid.axes) {
    if (each.param == param) return each.values;
  }
  return {};
}

ParamValue count(std::int64_t value) { return value; }

TEST(Job, ForestSearchOnSavedFolds) {
  const auto job = parse(
      "# 18 points\n[job]\nname         = letter-forest\noutput_dir   = out/letter\n"
      "random_state = 42\n\n[data]\ntrain  = data/letter.csv\ntarget = lettr\n\n[cv]\n"
      "cv        = PredefinedSplit\nfold_file = data/letter.folds\n\n[search]\nstrategy = grid\n"
      "scoring  = accuracy, neg_log_loss\nrefit    = accuracy\n\n[grid.forest]\n"
      "estimator         = RandomForestClassifier\nn_estimators      = 50, 100, 200\n"
      "max_depth         = 8, 16, none\nmin_samples_split = 2, 10\n\n[checkpoint]\n"
      "interval             = 30\ncheckpoint_max_files = 3\n");
  EXPECT_EQ(job.path, "a.cfg");
  EXPECT_EQ(job.job.name, "letter-forest");
  EXPECT_EQ(job.job.random_state, 42U);
  EXPECT_EQ(job.cv.cv, Splitter::kPredefinedSplit);
  EXPECT_EQ(job.cv.fold_file, "data/letter.folds");
  EXPECT_THAT(job.search.scoring, ElementsAre("accuracy", "neg_log_loss"));
  EXPECT_EQ(job.search.refit, "accuracy");
  EXPECT_EQ(job.checkpoint.interval, 30);
  EXPECT_EQ(job.checkpoint.checkpoint_dir, "out/letter/checkpoints");
  EXPECT_EQ(job.checkpoint.checkpoint_file, "letter-forest");
  ASSERT_EQ(job.grids.size(), 1U);
  const auto& grid = job.grids[0];
  EXPECT_EQ(grid.name, "forest");
  EXPECT_EQ(grid.axes.size(), 3U);
  EXPECT_EQ(grid.axes[0].param, "n_estimators");
  EXPECT_THAT(axis(grid, "max_depth"), ElementsAre(count(8), count(16), ParamValue()));
  EXPECT_TRUE(job.notes.empty());
}

TEST(Job, TwoLearnersWithSeriesForRegression) {
  const auto job =
      parse(kData +
            "[cv]\ncv = KFold\nshuffle = true\n[search]\n"
            "scoring = neg_root_mean_squared_error, r2\nrefit = neg_root_mean_squared_error\n"
            "[grid.forest]\nestimator = RandomForestRegressor\nmax_features = 0.3, 1.0\n"
            "[grid.boosting]\nestimator = HistGradientBoostingRegressor\n"
            "learning_rate = log(0.05, 0.2, 3)\nl2_regularization = 0, 1\nearly_stopping = false\n"
            "[parallel]\nn_jobs = 1\n");
  ASSERT_EQ(job.grids.size(), 2U);
  EXPECT_THAT(axis(job.grids[0], "max_features"), ElementsAre(ParamValue(0.3), ParamValue(1.0)));
  EXPECT_THAT(axis(job.grids[1], "learning_rate"),
              ElementsAre(ParamValue(0.05), ParamValue(0.1), ParamValue(0.2)));
  EXPECT_THAT(axis(job.grids[1], "l2_regularization"),
              ElementsAre(ParamValue(0.0), ParamValue(1.0)));
  EXPECT_THAT(axis(job.grids[1], "early_stopping"), ElementsAre(ParamValue(false)));
  EXPECT_TRUE(job.cv.shuffle);
  EXPECT_EQ(job.parallel.n_jobs, 1);
}

TEST(Job, PredictionWithTwoModels) {
  const auto job = parse(
      "[job]\nname = p\n[data]\ninput = a.csv\n[model.forest]\nfile = m.h5\n"
      "method = predict_proba\n[model.label]\nfile = m.h5\nmethod = predict\n"
      "[output]\npredictions = p.csv\n",
      Command::kPredict);
  ASSERT_EQ(job.models.size(), 2U);
  EXPECT_EQ(job.models[0].name, "forest");
  EXPECT_EQ(job.models[0].method, Method::kPredictProba);
  EXPECT_EQ(job.models[1].file, "m.h5");
  EXPECT_EQ(job.models[1].method, Method::kPredict);
  EXPECT_EQ(job.output.predictions, "p.csv");
  EXPECT_EQ(value_of(job, "model.forest.method"), "predict_proba");
}

TEST(Job, DefaultsFollowTheLearners) {
  const auto classifier = parse(kData + kForest);
  EXPECT_EQ(classifier.cv.cv, Splitter::kStratifiedKFold);
  EXPECT_EQ(classifier.cv.n_splits, 5);
  EXPECT_THAT(classifier.search.scoring, ElementsAre("accuracy"));
  EXPECT_EQ(classifier.search.refit, "accuracy");
  EXPECT_EQ(classifier.job.output_dir, "out");
  EXPECT_EQ(classifier.checkpoint.checkpoint_dir, "out/checkpoints");
  EXPECT_EQ(classifier.checkpoint.checkpoint_file, "orchard");
  EXPECT_FALSE(classifier.parallel.n_jobs.has_value());
  EXPECT_FALSE(classifier.cv.fold.has_value());
  EXPECT_EQ(classifier.data.weight, "");
  const auto regressor = parse(kData + "[grid.a]\nestimator = HistGradientBoostingRegressor\n");
  EXPECT_EQ(regressor.cv.cv, Splitter::kKFold);
  EXPECT_EQ(regressor.search.refit, "r2");
}

TEST(Job, LikeCopiesAndOverridesInWrittenOrder) {
  const auto job = parse(kData +
                         "[grid.deep]\nlike = middle\nmax_depth = 30\nmin_samples_leaf = 5\n"
                         "[grid.middle]\nlike = base\nmax_depth = 20\n"
                         "[grid.base]\nestimator = RandomForestClassifier\nn_estimators = 10, 20\n"
                         "max_depth = 10\n");
  ASSERT_EQ(job.grids.size(), 3U);
  const auto& deep = job.grids[0];
  ASSERT_EQ(deep.axes.size(), 3U);
  EXPECT_EQ(deep.axes[0].param, "n_estimators");
  EXPECT_EQ(deep.axes[1].param, "max_depth");
  EXPECT_EQ(deep.axes[2].param, "min_samples_leaf");
  EXPECT_THAT(deep.axes[0].values, ElementsAre(count(10), count(20)));
  EXPECT_THAT(deep.axes[1].values, ElementsAre(count(30)));
  EXPECT_THAT(axis(job.grids[1], "max_depth"), ElementsAre(count(20)));
  EXPECT_EQ(origin_of(job, "grid.deep.n_estimators"), "a.cfg:13");
  EXPECT_EQ(origin_of(job, "grid.deep.max_depth"), "a.cfg:6");
}

TEST(Job, SharedParametersReachTheLearnersThatHaveThem) {
  const auto job = parse(kData +
                         "[estimator]\nmax_depth = 4\nlearning_rate = 0.3\n"
                         "[grid.a]\nestimator = RandomForestClassifier\nmax_depth = 9\n"
                         "[grid.b]\nestimator = HistGradientBoostingClassifier\n");
  EXPECT_THAT(axis(job.grids[0], "max_depth"), ElementsAre(count(9)));
  EXPECT_TRUE(axis(job.grids[0], "learning_rate").empty());
  EXPECT_THAT(axis(job.grids[1], "max_depth"), ElementsAre(count(4)));
  EXPECT_THAT(axis(job.grids[1], "learning_rate"), ElementsAre(ParamValue(0.3)));
  EXPECT_EQ(origin_of(job, "grid.b.max_depth"), "a.cfg:5");
}

TEST(Job, TextsKeepWhatTheyHold) {
  const auto job = parse(
      "\xef\xbb\xbf[data]\r\ntrain = \"a b, c.csv\"   # quoted\r\ntarget = my target\r\n"
      "drop = \"x, y\", z (cm), driver's\r\ncategorical_features = 'none'\r\nweight = none\r\n" +
      kForest + "[job]\noutput_dir = '$x'\n");
  EXPECT_EQ(job.data.train, "a b, c.csv");
  EXPECT_EQ(job.data.target, "my target");
  EXPECT_THAT(job.data.drop, ElementsAre("x, y", "z (cm)", "driver's"));
  EXPECT_THAT(job.data.categorical_features, ElementsAre("none"));
  EXPECT_EQ(job.data.weight, "");
  EXPECT_EQ(job.job.output_dir, "$x");
  EXPECT_EQ(value_of(job, "data.drop"), "\"x, y\", \"z (cm)\", \"driver's\"");
  EXPECT_EQ(value_of(job, "data.categorical_features"), "\"none\"");
}

TEST(Job, SpecialWords) {
  const auto job = parse(kData + kForest +
                         "[search]\nrefit = none\n[parallel]\nn_jobs = -2\n"
                         "[checkpoint]\nresume_from_checkpoint = none\n");
  EXPECT_EQ(job.search.refit, "none");
  EXPECT_EQ(job.parallel.n_jobs, -2);
  EXPECT_EQ(job.checkpoint.resume_from_checkpoint, "none");
  EXPECT_EQ(parse(kData + kForest).checkpoint.resume_from_checkpoint, "auto");
}

TEST(Job, DuplicatesAreRemovedWithANote) {
  const auto job = parse(kData + kBoosting +
                         "learning_rate = 1, 0.5, 1.0\n[search]\n"
                         "scoring = accuracy, accuracy\n[cv]\ncv = PredefinedSplit\n"
                         "fold_file = f\nn_splits = 3\n");
  EXPECT_THAT(axis(job.grids[0], "learning_rate"), ElementsAre(ParamValue(1.0), ParamValue(0.5)));
  EXPECT_THAT(job.search.scoring, ElementsAre("accuracy"));
  EXPECT_THAT(job.notes,
              ElementsAre(HasSubstr("a.cfg:8: scoring: the value accuracy stands twice"),
                          HasSubstr("a.cfg:6: learning_rate: the value 1.0 stands twice"),
                          HasSubstr("a.cfg:12: n_splits has no effect with PredefinedSplit")));
}

TEST(Job, PrecedenceAndOrigins) {
  const std::string text =
      kData + kForest + "[cv]\nn_splits = 3\nshuffle = true\n[job]\nname = x\n";
  const Environment environment = {{"ORCHARD_CV__N_SPLITS", "4"},
                                   {"ORCHARD_JOB__NAME", "y"},
                                   {"ORCHARD_GRID__A__MAX_DEPTH", "7"},
                                   {"ORCHARD_TESTS_GLOBAL_RANDOM_SEED", "any"}};
  const Overrides overrides = {{"cv.n_splits", "6"}, {"grid.a.n_estimators", "5, 6"}};
  const auto job = parse(text, Command::kSearch, overrides, environment);
  EXPECT_EQ(job.cv.n_splits, 6);
  EXPECT_EQ(origin_of(job, "cv.n_splits"), "command line");
  EXPECT_EQ(job.job.name, "y");
  EXPECT_EQ(origin_of(job, "job.name"), "environment");
  EXPECT_EQ(origin_of(job, "cv.shuffle"), "a.cfg:8");
  EXPECT_EQ(origin_of(job, "search.strategy"), "default");
  EXPECT_EQ(origin_of(job, "checkpoint.checkpoint_file"), "default");
  EXPECT_EQ(value_of(job, "checkpoint.checkpoint_file"), "y");
  EXPECT_THAT(axis(job.grids[0], "max_depth"), ElementsAre(count(7)));
  EXPECT_THAT(axis(job.grids[0], "n_estimators"), ElementsAre(count(5), count(6)));
  EXPECT_EQ(value_of(job, "grid.a.n_estimators"), "5, 6");
}

TEST(Job, VariablesFindSectionsWithHyphens) {
  const auto job = parse(kData + "[grid.My-Forest]\nestimator = RandomForestClassifier\n",
                         Command::kSearch, {}, {{"ORCHARD_GRID__MY_FOREST__MAX_DEPTH", "3"}});
  EXPECT_THAT(axis(job.grids[0], "max_depth"), ElementsAre(count(3)));
}

TEST(Job, OverridingALikedSectionReachesItsCopies) {
  const auto job = parse(forest_with("max_depth = 3\n[grid.b]\nlike = a"), Command::kSearch,
                         {{"grid.a.max_depth", "4"}});
  EXPECT_THAT(axis(job.grids[1], "max_depth"), ElementsAre(count(4)));
}

TEST(Job, RanksAreBoundUnlessTheJobSaysNone) {
  EXPECT_EQ(parse(kData + kBoosting).parallel.bind_to, BindTo::kNuma);
  EXPECT_EQ(parse(kData + kBoosting + "[parallel]\nbind_to = none\n").parallel.bind_to,
            BindTo::kNone);
  EXPECT_EQ(parse(kData + kBoosting + "[parallel]\nbind_to = numa\n").parallel.bind_to,
            BindTo::kNuma);
}

TEST(Job, ResolvedListsEveryOptionAndWhatCanChangeAResult) {
  const auto job = parse(kData + kBoosting);
  std::vector<std::string> without_effect;
  for (const auto& each : job.resolved) {
    EXPECT_FALSE(each.value.empty()) << each.key;
    if (!each.affects_result) without_effect.push_back(each.key);
  }
  EXPECT_THAT(
      without_effect,
      ElementsAre("job.name", "job.output_dir", "job.verbose", "data.train", "data.input",
                  "search.share_fits", "parallel.n_jobs", "parallel.oversubscribe",
                  "parallel.bind_to", "parallel.layout", "parallel.ranks_per_fit",
                  "parallel.watchdog", "checkpoint.checkpoint_dir", "checkpoint.checkpoint_file",
                  "checkpoint.checkpoint_max_files", "checkpoint.interval",
                  "checkpoint.resume_from_checkpoint", "output.model", "output.cv_results",
                  "output.results", "output.log", "output.predictions"));
  EXPECT_EQ(value_of(job, "grid.a.max_iter"), "100");
  EXPECT_EQ(value_of(job, "grid.a.estimator"), "HistGradientBoostingClassifier");
  EXPECT_EQ(value_of(job, "search.scoring"), "accuracy");
}

TEST(Job, OptionsOfOtherCommandsMayStandInTheFile) {
  const std::string text = forest_with("[model.m]\nfile = m.h5") + "[cv]\nfold = 2\n";
  EXPECT_EQ(parse(text, Command::kTrain).cv.fold, 2);
  EXPECT_EQ(parse(text, Command::kPlan).models.size(), 1U);
  EXPECT_EQ(complaint("[data]\ninput = a\n[model.m]\nfile = b\n" + kForest, Command::kPredict), "");
}

TEST(Job, EverySingleValueTrainsOnePoint) {
  const auto job = parse(forest_with("max_depth = 3\ncriterion = entropy"), Command::kTrain);
  EXPECT_EQ(job.grids[0].axes.size(), 2U);
}

TEST(Job, AMillionPointsAreAllowed) {
  const auto text = forest_with("max_depth = range(1, 1001)\nn_estimators = range(1000, 0, -1)");
  EXPECT_EQ(complaint(text), "");
}

}  // namespace
}  // namespace orchard::options::testing
