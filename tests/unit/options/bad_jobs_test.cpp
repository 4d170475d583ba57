// A catalogue of job files that must be refused, each with what the message must say.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jobs.hpp"
#include "orchard/base/text.hpp"

namespace orchard::options::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct BadJob {
  std::string text;
  std::vector<std::string> says;
  Command command = Command::kSearch;
};

void expect_refused(const std::vector<BadJob>& catalogue) {
  for (const auto& bad : catalogue) {
    const auto message = complaint(bad.text, bad.command);
    EXPECT_NE(message, "") << "accepted:\n" << bad.text;
    for (const auto& part : bad.says) EXPECT_THAT(message, HasSubstr(part)) << bad.text;
  }
}

std::string cv(const std::string& lines) { return kData + kForest + "[cv]\n" + lines + "\n"; }

TEST(BadJobs, Syntax) {
  expect_refused({
      {"", {"a.cfg: the file holds no options."}},
      {kData + kForest + "[cv\nn_splits = 3\n", {"a.cfg:6: '[cv' is not closed"}},
      {forest_with("max_depth 8"), {"a.cfg:6: no '=' in 'max_depth 8'; expected key = value."}},
      {forest_with("max_depth = 4,\n  8"), {"a.cfg:7", "A list stands on one line."}},
      {forest_with("= 8"), {"a.cfg:6: no key before '='"}},
      {forest_with("max_depth ="), {"a.cfg:6: 'max_depth' has no value"}},
      {forest_with("max_depth = # 8"), {"a.cfg:6: 'max_depth' has no value"}},
      {forest_with("max_depth = 8 ; deep"), {"a.cfg:6: '; deep': a comment begins with '#'"}},
      {forest_with("; max_depth = 8"), {"a.cfg:6: a comment begins with '#', not with ';'"}},
      {forest_with("max_depth = 8\nmax_depth = 9"),
       {"a.cfg:7: 'max_depth' is given twice in [grid.a] (first at line 6)."}},
      {kData + kForest + "[data]\ndrop = x\n",
       {"a.cfg:6: section [data] is given twice", "line 1"}},
      {"name = x\n" + kData + kForest, {"a.cfg:1: 'name' stands before any [section]."}},
      {forest_with(std::string("max_depth = 8\0", 14)), {"a.cfg:6: a NUL byte"}},
      {forest_with("max_depth = 8\x01"), {"a.cfg:6: a control character (\\x01)"}},
      {"\xff\xfe[\0", {"a.cfg: the file is UTF-16"}},
      {"\x89HDF\r\n", {"HDF5 file"}},
      {std::string(100000, '\n'), {"no job file"}},
      {"[data]\ntrain = a#b.csv\ntarget = y\n" + kForest,
       {"a.cfg:2: '#' begins a comment; a value cannot hold it (read 'a', rest '#b.csv')."}},
      {"[data]\ntrain = \"a #b.csv\"\ntarget = y\n" + kForest,
       {"a.cfg:2: the quote in '\"a' is not closed"}},
      {"[data]\ntrain = \"a\" b\ntarget = y\n" + kForest, {"a.cfg:2", "after its closing quote"}},
      {forest_with("max_depth = 8,,9"), {"a.cfg:6: '8,,9' has an empty item."}},
      {forest_with("max_depth = 8, range(1, 3"), {"a.cfg:6", "lacks a ')'"}},
      {forest_with("max_depth = 8)"), {"a.cfg:6", "')' without '('"}},
  });
}

TEST(BadJobs, RefusedLinesAreNotMissing) {
  EXPECT_THAT(complaint("[data]\ntrain = a#b.csv\ntarget =\n" + kForest), Not(HasSubstr("lacks")));
  EXPECT_THAT(complaint(kData + "[grid.a]\nestimator = \nmax_depth = 8\n"),
              Not(HasSubstr("lacks")));
  EXPECT_THAT(complaint(cv("cv = Predefined\nfold_file = f")), Not(HasSubstr("a.cfg:8")));
}

TEST(BadJobs, UnknownNames) {
  expect_refused({
      {"[Data]\n" + kForest, {"a.cfg:1: unknown section [Data]. Did you mean [data]?"}},
      {kData + kForest + "[chekpoint]\n",
       {"unknown section [chekpoint]. Did you mean [checkpoint]?"}},
      {kData + "[gird.a]\n", {"a.cfg:4: unknown section [gird.a]. Did you mean [grid.a]?"}},
      {kData + "[grid]\n", {"a.cfg:4: section [grid] needs a name: write [grid.NAME]."}},
      {kData + "[grid.a b]\n", {"a.cfg:4: section [grid.a b]: NAME", "letters"}},
      {kData + "[zzzzzzzzzz]\n", {"a.cfg:4: unknown section [zzzzzzzzzz]. Known: [job]"}},
      {kData + kForest + "[job]\nNmae = x\n", {"a.cfg:7: unknown key 'Nmae' in [job]", "'name'"}},
      {kData + kForest + "[search]\nn_splits = 3\n",
       {"a.cfg:7: unknown key 'n_splits' in [search]. It belongs to [cv]."}},
      {kData + kForest + "[search]\nn_split = 3\n",
       {"a.cfg:7: unknown key 'n_split' in [search]. Did you mean 'n_splits', which belongs to "
        "[cv]?"}},
      {kData + kForest + "[job]\nseed = 3\n",
       {"a.cfg:7: 'seed' is XGBoost's and LightGBM's name. Here it is 'random_state'."}},
      {kData + kForest + "[job]\nnthread = 3\n",
       {"a.cfg:7: 'nthread' is XGBoost's name. Here it is 'n_jobs' in [parallel]."}},
      {boosting_with("max_leaf_node = 4"),
       {"a.cfg:6: unknown key 'max_leaf_node' in [grid.a]. Did you mean 'max_leaf_nodes'?"}},
      {boosting_with("n_estimators = 4"),
       {"a.cfg:6: 'n_estimators' is not a parameter of HistGradientBoostingClassifier. "
        "scikit-learn calls it 'max_iter'."}},
      {forest_with("max_iter = 4"), {"scikit-learn calls it 'n_estimators'."}},
      {forest_with("learning_rate = 0.1"),
       {"a.cfg:6: 'learning_rate' is not a parameter of RandomForestClassifier. It belongs to "
        "HistGradientBoostingClassifier and HistGradientBoostingRegressor."}},
      {kData + "[grid.a]\nestimator = RandomForestRegressor\nclass_weight = balanced\n",
       {"a.cfg:6: 'class_weight' is not a parameter of RandomForestRegressor."}},
      {boosting_with("eta = 0.1"),
       {"a.cfg:6: 'eta' is XGBoost's name. Here it is 'learning_rate'."}},
      {boosting_with("num_trees = 5"), {"Here it is 'max_iter'."}},
      {forest_with("eta = 5"),
       {"a.cfg:6: 'eta' is XGBoost's name. 'learning_rate' is not a parameter of "
        "RandomForestClassifier."}},
      {forest_with("num_trees = 5"), {"Here it is 'n_estimators'."}},
      {forest_with("mtry = 5"), {"Here it is 'max_features'."}},
      {forest_with("n_jobs = 5"), {"unknown key 'n_jobs' in [grid.a]. It belongs to [parallel]."}},
      {kData + kForest + "[estimator]\nestimator = RandomForestClassifier\n",
       {"a.cfg:7: unknown key 'estimator' in [estimator]. It belongs to [grid.NAME]."}},
      {forest_with("zzzzzzzz\x80 = 1"), {"unknown key 'zzzzzzzz\\x80'"}},
  });
}

TEST(BadJobs, Values) {
  expect_refused({
      {forest_with("max_depth = 5x"),
       {"a.cfg:6: max_depth = 5x: expected an integer >= 1 or none."}},
      {forest_with("max_depth = 0x10"), {"max_depth = 0x10: expected"}},
      {forest_with("max_depth = 1_000"), {"max_depth = 1_000: expected"}},
      {forest_with("n_estimators = 1e3"), {"n_estimators = 1e3: expected an integer"}},
      {forest_with("n_estimators = 99999999999999999999"), {"expected an integer from 1 to"}},
      {forest_with("n_estimators = -5"), {"n_estimators = -5: expected"}},
      {forest_with("max_depth = 0"), {"max_depth = 0: expected"}},
      {forest_with("max_depth = None"), {"max_depth = None: expected", "Did you mean 'none'?"}},
      {forest_with("min_samples_split = 1"), {"expected an integer >= 2 or a fraction in (0, 1]."}},
      {forest_with("min_samples_leaf = 1.0"),
       {"expected an integer >= 1 or a fraction in (0, 1)."}},
      {forest_with("max_features = 1.5"),
       {"a.cfg:6: max_features = 1.5: expected an integer >= 1, a fraction in (0, 1], sqrt, log2 "
        "or "
        "none."}},
      {forest_with("max_features = 0"), {"max_features = 0: expected"}},
      {forest_with("max_samples = 0.0"), {"max_samples = 0.0: expected"}},
      {forest_with("bootstrap = 2"), {"bootstrap = 2: expected true or false."}},
      {forest_with("bootstrap = maybe"), {"expected true or false."}},
      {forest_with("criterion = squared_error"), {"criterion 'squared_error' is unknown.", "gini"}},
      {boosting_with("learning_rate = nan"), {"learning_rate = nan: expected a number > 0."}},
      {boosting_with("learning_rate = inf"), {"learning_rate = inf: expected"}},
      {boosting_with("learning_rate = 1e400"), {"learning_rate = 1e400: expected"}},
      {boosting_with("learning_rate = 1e-400"), {"learning_rate = 1e-400: expected"}},
      {boosting_with("learning_rate = 0,1"), {"learning_rate = 0: expected"}},
      {boosting_with("max_bins = 70000"), {"max_bins = 70000: expected an integer from 2 to 255."}},
      {boosting_with("max_bins = 1"), {"max_bins = 1: expected"}},
      {boosting_with("tol = -1e-7"), {"tol = -1e-7: expected a number >= 0."}},
      {boosting_with("validation_fraction = 100"), {"expected a number in (0, 1) or none."}},
      {boosting_with("class_weight = balanced_subsample"), {"class_weight 'balanced_subsample'"}},
      {boosting_with("scoring = r2"), {"scoring 'r2' is unknown."}},
      {cv("n_splits = 1"), {"a.cfg:7: n_splits = 1: expected an integer from 2 to 10000."}},
      {cv("n_splits = -1"), {"n_splits = -1: expected"}},
      {cv("n_splits = 3, 4"), {"n_splits = 3, 4: takes one value, no list"}},
      {cv("cv = kfold"), {"cv 'kfold' is unknown. Did you mean 'KFold'?"}},
      {kData + kForest + "[parallel]\nn_jobs = 0\n", {"a.cfg:7: n_jobs = 0: expected"}},
      {kData + kForest + "[parallel]\nwatchdog = 0.001\n",
       {"a.cfg:7: watchdog = 0.001: expected 0 or a number in [1, 1000000000]."}},
      {kData + kForest + "[parallel]\nranks_per_fit = 2\n",
       {"a.cfg:7: ranks_per_fit = 2 needs layout = rows"}},
      {kData + kForest + "[parallel]\nlayout = replicated\nranks_per_fit = 2\n",
       {"a.cfg:8: ranks_per_fit = 2 needs layout = rows"}},
      {kData + kForest + "[parallel]\nlayout = row\nranks_per_fit = 2\n",
       {"a.cfg:7: layout 'row' is unknown. Did you mean 'rows'?"}},
      {kData + kForest + "[job]\nrandom_state = -1\n", {"random_state = -1: expected"}},
      {kData + kForest + "[job]\nname = .x\n", {"a.cfg:7: name = .x: expected a name"}},
      {kData + kForest + "[job]\nname = a/b\n", {"name = a/b: expected a name"}},
      {kData + kForest + "[job]\nname = \"\"\n", {"name is empty."}},
      {kData + kForest + "[job]\noutput_dir = ~/x\n", {"'~' and '$' are not expanded"}},
      {kData + kForest + "[job]\noutput_dir = $HOME/x\n", {"'~' and '$' are not expanded"}},
      {kData + kForest + "[checkpoint]\ninterval = 0\n",
       {"interval = 0: expected a number in (0,"}},
      {kData + kForest + "[data]\n", {"given twice"}},
  });
}

TEST(BadJobs, Series) {
  expect_refused({
      {forest_with("max_depth = range(1)"), {"a.cfg:6: range(1): expected range(start, stop)"}},
      {forest_with("max_depth = range(5, 1)"), {"range(5, 1): holds no value"}},
      {forest_with("max_depth = range(1, 5, 0)"), {"step must not be 0"}},
      {forest_with("max_depth = range(1, 2.5)"), {"range takes integers"}},
      {forest_with("max_depth = range(0, 3)"), {"range(0, 3): max_depth = 0: expected"}},
      {forest_with("max_depth = range(1, 9223372036854775807)"), {"at most 10000"}},
      {forest_with("max_depth = range(a, b)"), {"'a' is no number"}},
      {forest_with("max_depth = lin(1, 10, 3)"), {"lin(1, 10, 3): max_depth = 1.0: expected"}},
      {boosting_with("learning_rate = lin(0.1, 1)"), {"expected lin(first, last, number of"}},
      {boosting_with("learning_rate = lin(0.1, 1, 1)"), {"must be from 2 to 10000"}},
      {boosting_with("learning_rate = log(0, 1, 3)"), {"both ends must be > 0"}},
      {boosting_with("learning_rate = logg(0.1, 1, 3)"), {"'logg' is unknown. Did you mean 'log'"}},
      {boosting_with("learning_rate = loguniform(0.1, 1)"),
       {"loguniform(...) draws values at random, which strategy = grid does not."}},
      {boosting_with("max_iter = randint(1, 5)"), {"draws values at random"}},
      {boosting_with("max_iter = choice(1, 5)"), {"draws values at random"}},
      {boosting_with("learning_rate = uniform(0, 1)"), {"draws values at random"}},
  });
}

TEST(BadJobs, SubGrids) {
  const std::string thousand = "range(1, 1001)";
  expect_refused({
      {kData + "[grid.a]\nmax_depth = 3\n", {"a.cfg:4: [grid.a] lacks 'estimator'"}},
      {kData + "[grid.a]\nestimator = RandomForest\n",
       {"a.cfg:5: estimator 'RandomForest' is unknown. Did you mean 'RandomForestClassifier' or"}},
      {kData + "[grid.a]\nestimator = GradientBoostingClassifier\nmax_dept = 3\n",
       {"Did you mean 'HistGradientBoostingClassifier'", "a.cfg:6: unknown key 'max_dept'"}},
      {kData + "[grid.a]\nlike = b\n[grid.b]\nlike = a\n",
       {"a.cfg:5: like goes round in a circle: a -> b -> a."}},
      {kData + "[grid.a]\nlike = a\n", {"a.cfg:5: like goes round in a circle: a -> a."}},
      {forest_with("[grid.b]\nlike = aa"),
       {"a.cfg:7: like = aa: there is no section [grid.aa]. Did you mean 'a'?"}},
      {forest_with("[grid.b]\nestimator = RandomForestRegressor"),
       {"a.cfg:7: RandomForestRegressor in [grid.b] and RandomForestClassifier in [grid.a] cannot "
        "share a job"}},
      {forest_with("n_estimators = 3\n[grid.b]\nlike = a\n"
                   "estimator = HistGradientBoostingClassifier"),
       {"a.cfg:6: 'n_estimators' is not a parameter", "([grid.b] takes this line over.)"}},
      {forest_with("max_depth = " + thousand + "\nn_estimators = " + thousand +
                   "\nmin_samples_split = 2, 3"),
       {"a.cfg:4: [grid.a] spans 2000000 points (max_depth 1000 x n_estimators 1000 x "
        "min_samples_split 2); the limit is 1000000."}},
      {forest_with("max_depth = " + thousand + "\nn_estimators = " + thousand +
                   "\n[grid.b]\nestimator = RandomForestClassifier"),
       {"a.cfg: the sub-grids span 1000001 points together"}},
      {forest_with("bootstrap = true, false\nmax_samples = 0.5, none"),
       {"a.cfg:7: max_samples needs bootstrap = true"}},
      {forest_with("[estimator]\nlearning_rate = 0.1"),
       {"a.cfg:7: 'learning_rate' is not a parameter of any sub-grid's estimator"}},
      {forest_with("[estimator]\nlearning_rat = 0.1"), {"a.cfg:7: unknown key 'learning_rat'"}},
      {forest_with("[estimator]\nmax_depth = 0"), {"a.cfg:7: max_depth = 0: expected"}},
  });
}

TEST(BadJobs, BetweenOptions) {
  const std::string regression = kData + "[grid.a]\nestimator = RandomForestRegressor\n";
  const auto search = [](const std::string& lines) {
    return kData + kForest + "[search]\n" + lines + "\n";
  };
  expect_refused({
      {search("scoring = auc"),
       {"a.cfg:7: scoring 'auc' is unknown. Did you mean 'roc_auc'? Run 'orchard list scorers' for "
        "all 8."}},
      {search("scoring = r2"), {"a.cfg:7: scoring 'r2' does not judge classifiers", "accuracy"}},
      {regression + "[search]\nscoring = accuracy\n", {"does not judge regressors"}},
      {search("scoring = accuracy\nrefit = roc_auc"),
       {"a.cfg:8: refit = roc_auc is not among scoring (accuracy)."}},
      {search("refit = roc_auc"), {"a.cfg:7: refit = roc_auc is not among scoring"}},
      {search("strategy = random"), {"a.cfg:7: strategy 'random' is unknown. Known: grid."}},
      {regression + "[cv]\ncv = StratifiedKFold\n", {"a.cfg:7: StratifiedKFold needs classes"}},
      {cv("cv = PredefinedSplit"), {"a.cfg:7: PredefinedSplit needs exactly one", "none is given"}},
      {cv("cv = PredefinedSplit\nfold_file = a\nfold_column = b"), {"a.cfg:7", "both are given"}},
      {cv("fold_file = a"), {"a.cfg:7: fold_file needs cv = PredefinedSplit."}},
      {cv("fold_column = a"), {"a.cfg:7: fold_column needs cv = PredefinedSplit."}},
      {cv("fold = 5"), {"a.cfg:7: fold = 5: n_splits = 5 has folds 0 to 4."}},
      {kData + "drop = x, y\n" + kForest, {"a.cfg:4: drop = y: the same column is target."}},
      {kData + "weight = y\n" + kForest, {"a.cfg:4: weight = y: the same column is target."}},
      {kData + "drop = x\ncategorical_features = x\n" + kForest, {"a.cfg:5", "is in drop"}},
      {kData + "drop = none, x\n" + kForest, {"a.cfg:4: drop: 'none' stands alone"}},
      {kData + kForest + "[output]\nmodel = results.h5\n",
       {"a.cfg:7: model and results are the same file, 'results.h5'."}},
  });
}

TEST(BadJobs, WhatACommandNeeds) {
  const std::string model = "[data]\ninput = a.csv\n[model.m]\n";
  expect_refused({
      {kForest, {"a.cfg: [data] lacks 'train', which search needs.", "[data] lacks 'target'"}},
      {kForest, {"[data] lacks 'train', which plan needs."}, Command::kPlan},
      {kData, {"a.cfg: search needs at least one section [grid.NAME]."}},
      {kData, {"a.cfg: train needs at least one section [grid.NAME]."}, Command::kTrain},
      {"[data]\ninput = a.csv\n",
       {"predict needs at least one section [model.NAME]."},
       Command::kPredict},
      {"[model.m]\nfile = a.h5\n",
       {"[data] lacks 'input', which predict needs."},
       Command::kPredict},
      {model + "method = predict\n", {"a.cfg:3: [model.m] lacks 'file'"}, Command::kPredict},
      {model + "file = a\nmethod = proba\n",
       {"a.cfg:5: method 'proba' is unknown."},
       Command::kPredict},
      {model + "files = a\n",
       {"a.cfg:4: unknown key 'files' in [model.m]. Did you mean 'file'?"},
       Command::kPredict},
      {forest_with("max_depth = 3, 4"),
       {"a.cfg:6: max_depth has 2 values; train fits one point."},
       Command::kTrain},
      {forest_with("[grid.b]\nlike = a"),
       {"a.cfg:6: train fits one point; this job has 2 sub-grids"},
       Command::kTrain},
  });
}

TEST(BadJobs, AllProblemsInOneMessageInTheOrderOfTheFile) {
  const auto message = complaint(
      "[data]\ntrain = a#b\nx = 1\n[grid.a]\nestimator = RandomForestClassifier\n"
      "max_depth = 0, -1\n[cv]\nn_splits = 1\n");
  const auto lines = split(message, '\n');
  ASSERT_EQ(lines.size(), 6U) << message;
  const std::vector<std::string> starts = {
      "a.cfg:1: [data] lacks 'target'", "a.cfg:2: '#'",
      "a.cfg:3: unknown key 'x'",       "a.cfg:6: max_depth = 0",
      "a.cfg:6: max_depth = -1",        "a.cfg:8: n_splits"};
  for (std::size_t i = 0; i < starts.size(); ++i) EXPECT_THAT(lines[i], HasSubstr(starts[i]));
}

TEST(BadJobs, ACopiedLineIsComplainedAboutOnce) {
  const auto message = complaint(forest_with("max_depth = 0\n[grid.b]\nlike = a"));
  EXPECT_EQ(split(message, '\n').size(), 1U) << message;
}

TEST(BadJobs, AThousandBadLinesGiveAShortMessage) {
  std::string text = kData + kForest + "[cv]\n";
  for (int i = 0; i < 1000; ++i) text += format("key_{} = 1\n", i);
  const auto lines = split(complaint(text), '\n');
  EXPECT_EQ(lines.size(), 101U);
  EXPECT_THAT(lines.back(), HasSubstr("more problems"));
}

TEST(BadJobs, OverridesAndVariables) {
  const auto text = forest_with("max_depth = 3");
  const auto overridden = [&](const std::string& key, const std::string& value) {
    return complaint(text, Command::kSearch, {{key, value}});
  };
  EXPECT_THAT(overridden("cv.n_splits", "1"), HasSubstr("--cv.n_splits: n_splits = 1: expected"));
  EXPECT_THAT(overridden("cv.n_splits", ""), HasSubstr("--cv.n_splits: needs a value."));
  EXPECT_THAT(overridden("cv.n_split", "3"), HasSubstr("Did you mean 'n_splits'?"));
  EXPECT_THAT(overridden("vc.n_splits", "3"), HasSubstr("--vc.n_splits: unknown section [vc]."));
  EXPECT_THAT(overridden("grid.b.max_depth", "3"),
              HasSubstr("--grid.b.max_depth: the job file has no section [grid.b]"));
  EXPECT_THAT(overridden("grid.a.eta", "3"), HasSubstr("'eta' is XGBoost's name."));
  EXPECT_THAT(overridden("job.name", "a\nb"), HasSubstr("control character"));
  EXPECT_THAT(overridden("n_splits", "3"), HasSubstr("expected --section.key=value"));
  const auto set = [&](const std::string& name, const std::string& value) {
    return complaint(text, Command::kSearch, {}, {{name, value}});
  };
  EXPECT_THAT(set("ORCHARD_CV__N_SPLITS", "x"), HasSubstr("ORCHARD_CV__N_SPLITS: n_splits = x"));
  EXPECT_THAT(set("ORCHARD_CV__N_SPLIT", "3"), HasSubstr("ORCHARD_CV__N_SPLIT: unknown key"));
  EXPECT_THAT(set("ORCHARD_CW__N_SPLITS", "3"), HasSubstr("unknown section [cw]"));
  EXPECT_THAT(set("ORCHARD_GRID__B__MAX_DEPTH", "3"), HasSubstr("no section [grid.b]"));
}

}  // namespace
}  // namespace orchard::options::testing
