// Scores on real data against those of scikit-learn 1.2.1 on the same folds with the same settings
// (boosting: 100 rounds, 31 leaves, learning rate 0.1, no early stopping). The bounds leave one
// standard error of the reference's own folds.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <sstream>

#include "program.hpp"

namespace orchard::e2e {
namespace {

const char* const kForest = "n_estimators = 200\n";
const char* const kBoosting =
    "max_iter = 100\nlearning_rate = 0.1\nmax_leaf_nodes = 31\nearly_stopping = false\n";

struct Reference {
  std::string name, data, target, estimator, settings, scorer;
  double at_least;
  std::string more = "";
};

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  bool is_quoted = false;
  for (const char c : line) {
    if (c == '"') is_quoted = !is_quoted;
    if (c == ',' && !is_quoted) {
      cells.emplace_back();
    } else {
      cells.back() += c;
    }
  }
  return cells;
}

double mean_score(const std::string& table) {
  std::istringstream lines(table);
  std::string header, row;
  std::getline(lines, header);
  std::getline(lines, row);
  const auto names = cells_of(header), cells = cells_of(row);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == "mean_test_score") return std::strtod(cells[i].c_str(), nullptr);
  }
  return std::nan("");
}

class ReferenceScore : public ::testing::TestWithParam<Reference> {};

TEST_P(ReferenceScore, IsReached) {
  const auto& reference = GetParam();
  Directory directory;
  const std::string folder = ORCHARD_SOURCE_DIR;
  const auto data = reference.data == "wine_quality"
                        ? folder + "/jobs/data/wine_quality.csv"
                        : folder + "/tests/data/" + reference.data + ".csv";
  write_file(directory / "job.cfg",
             "[job]\nname = reference\nrandom_state = " + std::to_string(test_seed()) +
                 "\n[data]\ntrain = " + data + "\ntarget = " + reference.target + "\n" +
                 reference.more + "[cv]\ncv = PredefinedSplit\nfold_file = " + folder +
                 "/tests/data/" + reference.data +
                 ".folds\n[search]\nscoring = " + reference.scorer +
                 "\nrefit = none\n[grid.one]\nestimator = " + reference.estimator + "\n" +
                 reference.settings);
  const auto outcome =
      run(2, {"search", directory / "job.cfg", "--output-dir", directory / "out", "--n-jobs=1"}, {},
          300);
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  const double score = mean_score(file_bytes(directory / "out/cv_results.csv"));
  RecordProperty("score", std::to_string(score));
  EXPECT_GE(score, reference.at_least);
}

std::string soybean_columns() {
  return "categorical_features = date, plant_stand, precip, temp, hail, crop_hist, area_dam, "
         "sever, "
         "seed_tmt, germ, plant_growth, leaves, leaf_halo, leaf_marg, leaf_size, leaf_shread, "
         "leaf_malf, leaf_mild, stem, lodging, stem_cankers, canker_lesion, fruiting_bodies, "
         "ext_decay, mycelium, int_discolor, sclerotia, fruit_pods, fruit_spots, seed, "
         "mold_growth, seed_discolor, seed_size, shriveling, roots\n";
}

INSTANTIATE_TEST_SUITE_P(
    Data, ReferenceScore,
    ::testing::Values(Reference{"LetterForest", "letter", "lettr", "RandomForestClassifier",
                                kForest, "accuracy", 0.962},
                      Reference{"HiggsBoosting", "higgs7500", "signal",
                                "HistGradientBoostingClassifier", kBoosting, "roc_auc", 0.775},
                      Reference{"WineForest", "wine_quality", "quality", "RandomForestRegressor",
                                kForest, "neg_root_mean_squared_error", -0.613},
                      Reference{"WineBoosting", "wine_quality", "quality",
                                "HistGradientBoostingRegressor", kBoosting,
                                "neg_root_mean_squared_error", -0.646},
                      Reference{"BikeBoosting", "bike_hour", "cnt", "HistGradientBoostingRegressor",
                                kBoosting, "neg_root_mean_squared_error", -42.0},
                      Reference{"AdultBoosting", "adult", "income",
                                "HistGradientBoostingClassifier", kBoosting, "roc_auc", 0.927},
                      Reference{"AdultForest", "adult", "income", "RandomForestClassifier",
                                "n_estimators = 200\nmin_samples_leaf = 5\n", "roc_auc", 0.910},
                      Reference{"SoybeanForest", "soybean", "Class", "RandomForestClassifier",
                                kForest, "accuracy", 0.92, soybean_columns()},
                      Reference{"SoybeanBoosting", "soybean", "Class",
                                "HistGradientBoostingClassifier", kBoosting, "accuracy", 0.92,
                                soybean_columns()}),
    [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace orchard::e2e
