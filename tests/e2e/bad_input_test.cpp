// Bad input gives its exit code, one message that names what and where, and leaves nothing
// half-written. Never a hang.

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>

#include "program.hpp"

namespace orchard::e2e {
namespace {

const char* const kGoodData =
    "a,b,t\n1,2,x\n2,3,y\n3,1,x\n4,5,y\n5,2,x\n6,7,y\n7,1,x\n8,9,y\n9,3,x\n10,2,y\n11,4,x\n12,8,"
    "y\n";

struct Case {
  std::string name;
  int code;
  std::vector<std::string> message;    ///< parts that the message must hold
  std::vector<std::string> arguments;  ///< beyond `search JOB --output-dir DIR`
  std::string data = kGoodData;
  std::string job_lines = "";  ///< added to the sub-grid
  Environment environment = {};
};

std::string job_text(const std::string& data, const std::string& lines) {
  return "[job]\nname = bad\n[data]\ntrain = " + data +
         "\ntarget = t\n[cv]\nn_splits = 2\n"
         "[grid.forest]\nestimator = RandomForestClassifier\nn_estimators = 5\n" +
         lines;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  all.push_back(
      {"UnknownKey", 2, {"job.cfg:", "max_dept", "max_depth"}, {}, kGoodData, "max_dept = 3\n"});
  all.push_back({"OutOfRange",
                 2,
                 {"job.cfg:", "min_samples_split", "1"},
                 {},
                 kGoodData,
                 "min_samples_split = 1\n"});
  all.push_back({"NegativeCount", 2, {"n_estimators", "-5"}, {"--grid.forest.n_estimators=-5"}});
  all.push_back({"NanRate",
                 2,
                 {"min_impurity_decrease", "nan"},
                 {},
                 kGoodData,
                 "min_impurity_decrease = nan\n"});
  all.push_back({"DuplicateKey",
                 2,
                 {"job.cfg:", "max_depth", "twice"},
                 {},
                 kGoodData,
                 "max_depth = 3\nmax_depth = 4\n"});
  all.push_back({"MissingFile", 3, {"nowhere.csv"}, {"--data.train=nowhere.csv"}});
  all.push_back({"RaggedRow", 3, {"data.csv", "3"}, {}, "a,b,t\n1,2,x\n1,2,3,y\n3,4,x\n4,5,y\n"});
  all.push_back({"TextInNumbers",
                 3,
                 {"data.csv", "a", "oops"},
                 {},
                 "a,b,t\n1,2,x\n2,2,y\noops,1,x\n4,5,y\n5,1,x\n6,2,y\n"});
  all.push_back({"MissingTarget", 3, {"data.csv", "tt"}, {"--data.target=tt"}});
  all.push_back({"OneClass", 3, {"data.csv", "class"}, {}, "a,b,t\n1,2,x\n2,2,x\n3,1,x\n4,4,x\n"});
  all.push_back(
      {"OutputInNoDirectory", 6, {"no such directory"}, {"--output.model=/nonexistent/m"}});
  all.push_back({"MoreFoldsThanRows", 2, {"20", "12"}, {"--cv.n_splits=20", "--cv.cv=KFold"}});
  all.push_back({"UnknownOption", 2, {"--treees"}, {"--treees=5"}});
  all.push_back({"StrayWord", 2, {"foo"}, {"foo"}});
  all.push_back({"EmptyFile", 3, {"data.csv"}, {}, ""});
  all.push_back({"HeaderOnly", 3, {"data.csv"}, {}, "a,b,t\n"});
  all.push_back({"NoSuchFoldFile",
                 3,
                 {"none.folds"},
                 {"--cv.cv=PredefinedSplit", "--cv.fold_file=none.folds"}});
  all.push_back({"ScorerForTwoClasses",
                 2,
                 {"roc_auc", "3"},
                 {"--search.scoring=accuracy, roc_auc"},
                 "a,t\n1,x\n2,y\n3,z\n4,x\n5,y\n6,z\n"});
  all.push_back({"OutputOverInput", 2, {"data.csv", "input"}, {"--output.cv_results=../data.csv"}});
  all.push_back({"TooManyThreads", 7, {"n_jobs", "900"}, {"--n-jobs=900"}});
  all.push_back({"NoInstructionSet",
                 2,
                 {"ORCHARD_INSTRUCTION_SET", "sse9", "avx2"},
                 {},
                 kGoodData,
                 "",
                 {{"ORCHARD_INSTRUCTION_SET", "sse9"}}});
  return all;
}

class BadInput : public ::testing::TestWithParam<int> {};

TEST_P(BadInput, ExitCodeAndMessage) {
  const int n_ranks = GetParam();
  for (const auto& bad : cases()) {
    SCOPED_TRACE(bad.name);
    Directory directory;
    write_file(directory / "data.csv", bad.data);
    write_file(directory / "job.cfg", job_text(directory / "data.csv", bad.job_lines));
    std::vector<std::string> arguments = {"search", directory / "job.cfg", "--output-dir",
                                          directory / "out"};
    arguments.insert(arguments.end(), bad.arguments.begin(), bad.arguments.end());
    const auto outcome = run(n_ranks, arguments, bad.environment, 30);
    EXPECT_EQ(outcome.code, bad.code) << outcome.errors;
    for (const auto& part : bad.message) {
      EXPECT_NE(outcome.errors.find(part), std::string::npos)
          << "expected '" << part << "' in: " << outcome.errors;
    }
    const auto first = outcome.errors.find("orchard: ");
    EXPECT_NE(first, std::string::npos) << outcome.errors;
    EXPECT_EQ(outcome.errors.find("orchard: ", first + 1), std::string::npos)
        << "printed more than once: " << outcome.errors;
    EXPECT_EQ(count_files(directory / "out", ".h5"), 0u);
    EXPECT_EQ(count_files(directory / "out", ".csv"), 0u);
    EXPECT_EQ(count_files(directory / "out", ".tmp"), 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, BadInput, ::testing::Values(0, 2));

/// A small finished job, for what goes wrong on its second start.
class SecondStart : public ::testing::Test {
 protected:
  void SetUp() override {
    write_file(directory_ / "data.csv", make_csv("binary", 300, test_seed()));
    write_file(directory_ / "job.cfg",
               "[job]\nname = second\n[data]\ntrain = " + (directory_ / "data.csv") +
                   "\ntarget = target\n[cv]\nn_splits = 2\n[grid.forest]\n"
                   "estimator = RandomForestClassifier\nn_estimators = 10\n");
    ASSERT_EQ(search().code, 0);
    model_ = file_bytes(directory_ / "out/model.h5");
  }
  Outcome search(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"search", directory_ / "job.cfg", "--output-dir",
                                          directory_ / "out"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(1, arguments, {}, 30);
  }
  std::vector<std::string> checkpoints() {
    std::vector<std::string> paths;
    for (const auto& name : entries(directory_ / "out/checkpoints")) {
      if (name.find(".h5") != std::string::npos)
        paths.push_back(directory_ / ("out/checkpoints/" + name));
    }
    return paths;
  }
  Directory directory_;
  std::string model_;
};

TEST_F(SecondStart, SaysThatAllIsDone) {
  const auto outcome = search();
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.errors.find("already complete"), std::string::npos) << outcome.errors;
  EXPECT_EQ(file_bytes(directory_ / "out/model.h5"), model_);
}

TEST_F(SecondStart, TruncatedCheckpointsAreNamed) {
  ASSERT_FALSE(checkpoints().empty());
  for (const auto& path : checkpoints()) {
    std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  }
  const auto outcome = search();
  EXPECT_EQ(outcome.code, 5) << outcome.errors;
  EXPECT_NE(outcome.errors.find(".h5"), std::string::npos);
  EXPECT_EQ(search({"--resume=none"}).code, 0);
  EXPECT_EQ(file_bytes(directory_ / "out/model.h5"), model_);
}

TEST_F(SecondStart, CheckpointOfAnotherJobIsRefused) {
  const auto outcome = search({"--random-state=9"});
  EXPECT_EQ(outcome.code, 4) << outcome.errors;
  EXPECT_NE(outcome.errors.find("random_state"), std::string::npos);
  EXPECT_NE(outcome.errors.find("9"), std::string::npos);
  EXPECT_EQ(file_bytes(directory_ / "out/model.h5"), model_);
}

TEST_F(SecondStart, ChangedDataIsRefused) {
  write_file(directory_ / "data.csv", make_csv("binary", 300, test_seed() + 1));
  const auto outcome = search();
  EXPECT_EQ(outcome.code, 4) << outcome.errors;
  EXPECT_NE(outcome.errors.find("data.digest"), std::string::npos);
}

TEST_F(SecondStart, MissingCheckpointThatWasDemanded) {
  const auto outcome = search({"--resume=" + (directory_ / "none.h5")});
  EXPECT_EQ(outcome.code, 5) << outcome.errors;
}

TEST(Output, DirectoryThatCannotBeMade) {
  Directory directory;
  write_file(directory / "data.csv", kGoodData);
  write_file(directory / "job.cfg", job_text(directory / "data.csv", ""));
  write_file(directory / "file", "in the way");
  const auto outcome =
      run(2, {"search", directory / "job.cfg", "--output-dir", directory / "file/out"}, {}, 30);
  EXPECT_EQ(outcome.code, 6) << outcome.errors;
  EXPECT_NE(outcome.errors.find("file/out"), std::string::npos) << outcome.errors;
}

TEST(Output, FullDiskWhileCheckpointing) {
  if (geteuid() != 0) GTEST_SKIP() << "mounting a small file system needs root";
  Directory directory;
  const auto small = directory / "small";
  std::filesystem::create_directories(small);
  ASSERT_EQ(mount("tmpfs", small.c_str(), "tmpfs", 0, "size=8k"), 0);
  write_file(directory / "data.csv", make_csv("binary", 6000, test_seed()));
  write_file(directory / "job.cfg",
             "[job]\nname = full\n[data]\ntrain = " + (directory / "data.csv") +
                 "\ntarget = target\n[cv]\nn_splits = 3\n[grid.forest]\n"
                 "estimator = RandomForestClassifier\nn_estimators = 300\nmin_samples_leaf = 1, 2\n"
                 "[checkpoint]\ninterval = 0.1\ncheckpoint_dir = " +
                 small + "\n");
  const auto outcome =
      run(2, {"search", directory / "job.cfg", "--output-dir", directory / "out"}, {}, 60);
  const auto left = count_files(small, ".tmp");
  umount(small.c_str());
  // Periodic checkpoints fail with a warning and the job goes on; the last one must not be lost.
  EXPECT_EQ(outcome.code, 6) << outcome.errors;
  EXPECT_NE(outcome.errors.find("warning"), std::string::npos) << outcome.errors;
  EXPECT_NE(outcome.errors.find(small), std::string::npos);
  EXPECT_EQ(left, 0u);
}

TEST(Failure, UndefinedScoresOfOneScorerLoseNothing) {
  Directory directory;
  std::string data = "a,b,t\n";
  for (int row = 0; row < 60; ++row) {
    const char* label = row == 0 ? "rare" : row % 2 == 0 ? "x" : "y";
    data += std::to_string(row) + "," + std::to_string(row * 7 % 11) + "," + label + "\n";
  }
  write_file(directory / "data.csv", data);
  write_file(directory / "job.cfg",
             job_text(directory / "data.csv", "") +
                 "[search]\nscoring = accuracy, roc_auc_ovr\nrefit = accuracy\n");
  const auto outcome =
      run(2, {"search", directory / "job.cfg", "--output-dir", directory / "out"}, {}, 30);
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_NE(outcome.errors.find("undefined"), std::string::npos) << outcome.errors;
  EXPECT_EQ(count_files(directory / "out", ".h5"), 2u);
}

TEST(Failure, OneRankThrows) {
  Directory directory;
  write_file(directory / "data.csv", make_csv("binary", 500, test_seed()));
  write_file(directory / "job.cfg",
             "[job]\nname = throws\n[data]\ntrain = " + (directory / "data.csv") +
                 "\ntarget = target\n[cv]\nn_splits = 3\n[grid.forest]\n"
                 "estimator = RandomForestClassifier\nn_estimators = 300\n");
  const auto outcome = run(3, {"search", directory / "job.cfg", "--output-dir", directory / "out"},
                           {{"ORCHARD_FAULT", "fit@1"}}, 30);
  EXPECT_EQ(outcome.code, 1) << outcome.errors;
  EXPECT_NE(outcome.errors.find("rank 1"), std::string::npos) << outcome.errors;
  EXPECT_NE(outcome.errors.find("fault injected"), std::string::npos) << outcome.errors;
  EXPECT_EQ(count_files(directory / "out", "model.h5"), 0u);
}

}  // namespace
}  // namespace orchard::e2e
