#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <sstream>

#include "program.hpp"

namespace orchard::e2e {
namespace {

/// Two models of different kinds on the same table.
class Predict : public ::testing::Test {
 protected:
  void SetUp() override {
    write_file(directory_ / "data.csv", make_csv("multiclass", 1200, test_seed()));
    for (const std::string kind : {"RandomForest", "HistGradientBoosting"}) {
      const std::string units = kind == "RandomForest" ? "n_estimators" : "max_iter";
      write_file(directory_ / (kind + ".cfg"),
                 "[job]\nname = " + kind + "\noutput_dir = " + (directory_ / kind) +
                     "\n[data]\ntrain = " + (directory_ / "data.csv") +
                     "\ntarget = target\ndrop = w\n[grid.one]\nestimator = " + kind +
                     "Classifier\n" + units + " = 8\n");
      const auto outcome = run(2, {"train", directory_ / (kind + ".cfg")});
      ASSERT_EQ(outcome.code, 0) << outcome.errors;
    }
  }
  std::string job(const std::string& models, const std::string& file) {
    const auto path = directory_ / "predict.cfg";
    write_file(path, "[data]\ninput = " + (directory_ / "data.csv") + "\n" + models +
                         "[output]\npredictions = " + file + "\n");
    return path;
  }
  std::string model(const std::string& name, const std::string& kind, const std::string& method) {
    return "[model." + name + "]\nfile = " + (directory_ / kind) + "/model.h5\nmethod = " + method +
           "\n";
  }
  void predict(int n_ranks, const std::string& models, const std::string& file,
               const std::string& out) {
    const auto outcome =
        run(n_ranks, {"predict", job(models, file), "--output-dir", directory_ / out});
    ASSERT_EQ(outcome.code, 0) << outcome.errors;
  }
  Directory directory_;
};

std::vector<std::string> column(const std::string& csv, std::size_t index) {
  std::vector<std::string> cells;
  std::istringstream lines(csv);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream in(line);
    std::string cell;
    for (std::size_t i = 0; i <= index; ++i) std::getline(in, cell, ',');
    cells.push_back(cell);
  }
  return cells;
}

/// Cells after the last comma: the table's text column has commas inside quotes.
std::vector<std::string> last_column(const std::string& csv) {
  std::vector<std::string> cells;
  std::istringstream lines(csv);
  for (std::string line; std::getline(lines, line);)
    cells.push_back(line.substr(line.rfind(',') + 1));
  return cells;
}

TEST_F(Predict, OrderAndBytesDoNotDependOnRanks) {
  const auto models =
      model("f", "RandomForest", "predict_proba") + model("b", "HistGradientBoosting", "predict");
  for (const std::string file : {"predictions.csv", "predictions.h5"}) {
    predict(1, models, file, "one");
    predict(3, models, file, "three");
    const auto bytes = file_bytes(directory_ / ("one/" + file));
    ASSERT_FALSE(bytes.empty());
    EXPECT_EQ(bytes, file_bytes(directory_ / ("three/" + file)));
  }
  EXPECT_EQ(run(0, {"compare", directory_ / "one", directory_ / "three"}).code, 0);
}

TEST_F(Predict, SeveralModelsInOnePassEqualSingleRuns) {
  predict(2, model("f", "RandomForest", "predict") + model("b", "HistGradientBoosting", "predict"),
          "predictions.csv", "both");
  predict(2, model("f", "RandomForest", "predict"), "predictions.csv", "forest");
  predict(2, model("b", "HistGradientBoosting", "predict"), "predictions.csv", "boosting");
  const auto both = file_bytes(directory_ / "both/predictions.csv");
  EXPECT_EQ(column(both, 0), column(file_bytes(directory_ / "forest/predictions.csv"), 0));
  EXPECT_EQ(column(both, 1), column(file_bytes(directory_ / "boosting/predictions.csv"), 0));
  // Trained and judged on the same rows, both should know nearly all of them.
  const auto truth = last_column(file_bytes(directory_ / "data.csv"));
  const auto predicted = column(both, 0);
  ASSERT_EQ(truth.size(), predicted.size());
  EXPECT_GT(std::inner_product(truth.begin(), truth.end(), predicted.begin(), 0, std::plus<>(),
                               [](const auto& a, const auto& b) { return a == b ? 1 : 0; }),
            1100);
}

TEST_F(Predict, MissingFeatureIsNamed) {
  write_file(directory_ / "data.csv", "a,b,c,d\n1,2,3,4\n");
  const auto outcome = run(2, {"predict", job(model("f", "RandomForest", "predict"), "p.csv"),
                               "--output-dir", directory_ / "out"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_NE(outcome.errors.find("colour"), std::string::npos) << outcome.errors;
  EXPECT_EQ(count_files(directory_ / "out", "p.csv"), 0u);
}

TEST_F(Predict, DamagedModelIsRefused) {
  auto bytes = file_bytes(directory_ / "RandomForest/model.h5");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_file(directory_ / "RandomForest/model.h5", bytes);
  const auto outcome = run(1, {"predict", job(model("f", "RandomForest", "predict"), "p.csv"),
                               "--output-dir", directory_ / "out"});
  EXPECT_EQ(outcome.code, 3) << outcome.errors;
  EXPECT_NE(outcome.errors.find("model.h5"), std::string::npos);
}

/// A fold's model is what `train` gives on those rows: from the same file with the fold held out,
/// and from an extract of its training rows.
TEST(Train, FoldEqualsExtract) {
  Directory directory;
  std::string all = "a,b,t\n", extract = "a,b,t\n", folds;
  for (int row = 0; row < 400; ++row) {
    const auto line = std::to_string(row * 37 % 101) + "," + std::to_string(row * 11 % 53) + "," +
                      std::to_string(row * 37 % 101 * 2 + row * 11 % 53) + "\n";
    const int fold = row * 7 % 3;
    all += line;
    if (fold != 1) extract += line;
    folds += std::to_string(fold) + "\n";
  }
  write_file(directory / "all.csv", all);
  write_file(directory / "extract.csv", extract);
  write_file(directory / "folds", folds);
  for (const std::string estimator : {"RandomForestRegressor", "HistGradientBoostingRegressor"}) {
    const std::string units = estimator == "RandomForestRegressor" ? "n_estimators" : "max_iter";
    write_file(
        directory / "job.cfg",
        "[job]\nname = fold\nrandom_state = 5\n[data]\ntrain = " + (directory / "all.csv") +
            "\ntarget = t\n[cv]\ncv = PredefinedSplit\nfold_file = " + (directory / "folds") +
            "\n[grid.one]\nestimator = " + estimator + "\n" + units + " = 10\n");
    const auto job = directory / "job.cfg";
    const auto out = [&](const std::string& name) { return directory / (estimator + name); };
    const auto held_out = run(2, {"train", job, "--cv.fold=1", "--output-dir", out("fold")});
    ASSERT_EQ(held_out.code, 0) << held_out.errors;
    const auto whole = run(1, {"train", job, "--data.train=" + (directory / "extract.csv"),
                               "--output-dir", out("extract")});
    ASSERT_EQ(whole.code, 0) << whole.errors;
    EXPECT_EQ(file_bytes(out("fold") + "/model.h5"), file_bytes(out("extract") + "/model.h5"));

    // And its held-out score is the search's score of that split.
    ASSERT_EQ(run(2, {"search", job, "--output-dir", out("search")}).code, 0);
    const auto table = file_bytes(out("search") + "/cv_results.csv");
    const auto score = held_out.output.substr(held_out.output.find("held-out r2: ") + 13);
    EXPECT_NE(table.find("," + score.substr(0, score.find('\n')) + ","), std::string::npos)
        << score << table;
  }
}

}  // namespace
}  // namespace orchard::e2e
