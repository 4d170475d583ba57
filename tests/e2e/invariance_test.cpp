// The test that proves most of the program: the same job on any layout, interrupted any number of
// times, ends with the same bytes.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <random>
#include <thread>

#include "orchard/base/instruction_set.hpp"
#include "program.hpp"

namespace orchard::e2e {
namespace {

/// A job over both kinds of learners with everything that could depend on a layout: missing cells,
/// categories, weights, several classes, shared fits, early stopping. A plain one has no
/// categories, weights or limit of leaves: the growers that are fast where they can be take it.
std::string job_text(const std::string& data, const std::string& task, bool is_plain, int n_trees) {
  const bool is_regression = task == "regression";
  const std::string kind = is_regression ? "Regressor" : "Classifier";
  const std::string scorers = is_regression      ? "neg_root_mean_squared_error, r2"
                              : task == "binary" ? "roc_auc, neg_log_loss, balanced_accuracy"
                                                 : "neg_log_loss, accuracy, roc_auc_ovr";
  const auto trees = std::to_string(n_trees), half = std::to_string(n_trees / 2);
  return "[job]\nname = invariance\nrandom_state = 7\n"
         "[data]\ntrain = " +
         data + "\ntarget = target\n" + (is_plain ? "drop = w, colour" : "weight = w") +
         "\n[cv]\nn_splits = 3\nshuffle = true\n"
         "[search]\nscoring = " +
         scorers +
         "\n"
         "[grid.forest]\nestimator = RandomForest" +
         kind + "\nn_estimators = " + half + ", " + trees +
         "\nmax_depth = 3, none\nmin_samples_split = 2, 10\nmin_samples_leaf = 1, 3, 20\n"
         "[grid.boosting]\nestimator = HistGradientBoosting" +
         kind + "\nmax_iter = " + half + ", " + trees +
         "\nlearning_rate = 0.1\nmax_leaf_nodes = " + (is_plain ? "none" : "7") +
         "\nearly_stopping = false, true\n"
         "[checkpoint]\ninterval = 0.2\n";
}

/// One task in one directory, searched again and again.
class Invariance {
 protected:
  void make_job(const std::string& task, bool is_plain, int n_rows, int n_trees) {
    data_ = directory_ / "data.csv";
    write_file(data_, make_csv(task, n_rows, test_seed()));
    write_file(directory_ / "job.cfg", job_text(data_, task, is_plain, n_trees));
  }
  Outcome search(int n_ranks, const std::string& out, std::vector<std::string> more = {},
                 const Environment& environment = {}) {
    std::vector<std::string> arguments = {"search", directory_ / "job.cfg", "--output-dir",
                                          directory_ / out};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(n_ranks, arguments, environment);
  }
  void expect_equal(const std::string& a, const std::string& b) {
    const auto outcome = run(0, {"compare", directory_ / a, directory_ / b});
    EXPECT_EQ(outcome.code, 0) << outcome.output << outcome.errors;
    EXPECT_EQ(outcome.output, "");
    ASSERT_FALSE(file_bytes(directory_ / (a + "/model.h5")).empty());
    EXPECT_EQ(file_bytes(directory_ / (a + "/model.h5")),
              file_bytes(directory_ / (b + "/model.h5")));
  }

  Directory directory_;
  std::string data_;
};

struct Task {
  const char* name;
  bool is_plain;
};

/// Enough rows for threads to share them, and for large and small nodes.
class Layouts : public Invariance, public ::testing::TestWithParam<Task> {
 protected:
  void SetUp() override { make_job(GetParam().name, GetParam().is_plain, 6500, 12); }
};

TEST_P(Layouts, RanksAndThreads) {
  ASSERT_EQ(search(0, "alone", {"--n-jobs=1"}).code, 0);
  for (const int n_ranks : {1, 2, 3, 4}) {
    for (const int n_threads : {1, 2}) {
      const auto out = "r" + std::to_string(n_ranks) + "t" + std::to_string(n_threads);
      const auto outcome = search(
          n_ranks, out, {"--n-jobs=" + std::to_string(n_threads), "--parallel.oversubscribe=true"});
      ASSERT_EQ(outcome.code, 0) << outcome.errors;
      expect_equal("alone", out);
    }
  }
}

TEST_P(Layouts, SeveralNodes) {
  ASSERT_EQ(search(1, "one").code, 0);
  const auto outcome = search(4, "two-nodes", {}, {{"ORCHARD_RANKS_PER_NODE", "2"}});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  expect_equal("one", "two-nodes");
}

TEST_P(Layouts, InstructionSets) {
  ASSERT_EQ(search(1, "widest").code, 0);
  const auto widest = processor_instruction_set();
  for (const auto set : {InstructionSet::kBaseline, InstructionSet::kAvx2}) {
    if (set >= widest) continue;
    const auto outcome = search(2, name_of(set), {}, {{"ORCHARD_INSTRUCTION_SET", name_of(set)}});
    ASSERT_EQ(outcome.code, 0) << outcome.errors;
    expect_equal("widest", name_of(set));
  }
}

TEST_P(Layouts, NodesOfDifferentProcessors) {
  ASSERT_EQ(search(1, "widest").code, 0);
  auto line = command(1, {"search", directory_ / "job.cfg", "--output-dir", directory_ / "mixed"});
  const std::vector<std::string> second(line.begin() + 4, line.end());
  line.insert(line.end() - static_cast<std::ptrdiff_t>(second.size()) + 2,
              {"-x", "ORCHARD_INSTRUCTION_SET=baseline"});
  line.push_back(":");
  line.insert(line.end(), second.begin(), second.end());
  const auto outcome = Process(line, {{"ORCHARD_RANKS_PER_NODE", "1"}}).wait(120);
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  expect_equal("widest", "mixed");
}

INSTANTIATE_TEST_SUITE_P(Tasks, Layouts,
                         ::testing::Values(Task{"binary", false}, Task{"binary", true},
                                           Task{"multiclass", false}, Task{"multiclass", true},
                                           Task{"regression", false}, Task{"regression", true}),
                         [](const auto& instance) {
                           return std::string(instance.param.name) +
                                  (instance.param.is_plain ? "_plain" : "");
                         });

class Interruptions : public Invariance, public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { make_job(GetParam(), false, 900, 16); }
};

TEST_P(Interruptions, SharedAndSeparateFits) {
  ASSERT_EQ(search(2, "shared").code, 0);
  const auto outcome = search(2, "separate", {"--search.share_fits=false"});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  expect_equal("shared", "separate");
}

/// How often a job has begun to hand out tasks, by its log.
std::size_t count_begun(const std::string& log) {
  const std::string mark = " each (";
  std::size_t n = 0;
  for (auto at = log.find(mark); at != std::string::npos; at = log.find(mark, at + 1)) ++n;
  return n;
}

TEST_P(Interruptions, StopsInOrderAndGoesOnElsewhere) {
  write_file(directory_ / "job.cfg", job_text(data_, GetParam(), false, 150));
  ASSERT_EQ(search(1, "straight").code, 0);
  const auto log = directory_ / "stopped/run.log";
  int n_stops = 0;
  for (int start = 0; start < 30 && n_stops < 5; ++start) {
    const auto n_begun = count_begun(file_bytes(log));
    Process process(command(1 + start % 4, {"search", directory_ / "job.cfg", "--output-dir",
                                            directory_ / "stopped", "--n-jobs=1"}),
                    {});
    for (int i = 0; i < 2000 && process.is_running() && count_begun(file_bytes(log)) == n_begun;
         ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(30 + 37 * start % 150));
    process.send(SIGUSR1);
    const auto outcome = process.wait(60);
    if (outcome.code == 0) break;
    ASSERT_EQ(outcome.code, 75) << outcome.errors;
    ++n_stops;
  }
  EXPECT_GE(n_stops, 1);
  ASSERT_EQ(search(2, "stopped").code, 0);
  expect_equal("straight", "stopped");
}

INSTANTIATE_TEST_SUITE_P(Tasks, Interruptions,
                         ::testing::Values("binary", "multiclass", "regression"),
                         [](const auto& instance) { return std::string(instance.param); });

TEST(Interruption, TwentyKills) {
  Directory directory;
  write_file(directory / "data.csv", make_csv("multiclass", 3000, test_seed()));
  write_file(directory / "job.cfg", job_text(directory / "data.csv", "multiclass", false, 100));
  const std::vector<std::string> job = {"search", directory / "job.cfg", "--output-dir"};
  const auto arguments = [&](const std::string& out) {
    auto all = job;
    all.push_back(directory / out);
    return all;
  };
  ASSERT_EQ(run(2, arguments("straight")).code, 0);
  const auto expect_same = [&](const std::string& a, const std::string& b) {
    const auto outcome = run(0, {"compare", directory / a, directory / b});
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    EXPECT_EQ(file_bytes(directory / (a + "/model.h5")), file_bytes(directory / (b + "/model.h5")));
  };

  std::mt19937 generator(test_seed());
  int n_kills = 0;
  for (int attempt = 0; attempt < 80 && n_kills < 20; ++attempt) {
    Process process(command(1 + attempt % 4, arguments("killed")), {});
    const int delay_ms = 250 + static_cast<int>(generator() % 1200);
    std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms));
    const auto ranks = process.children();
    const bool aims_at_rank = generator() % 2 == 0 && !ranks.empty();
    if (process.is_running()) {
      if (aims_at_rank) {
        kill(ranks[generator() % ranks.size()], SIGKILL);
      } else {
        process.send(SIGKILL);
      }
      ++n_kills;
    }
    const auto outcome = process.wait(60);
    ASSERT_NE(outcome.code, -2) << "a killed job hangs";
    // Ranks outlive a killed mpirun for a moment; none may go on for long.
    for (const auto rank : ranks) {
      for (int i = 0; i < 500 && kill(rank, 0) == 0; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      EXPECT_NE(kill(rank, 0), 0) << "a rank is left behind";
    }
    if (outcome.code == 0) {
      expect_same("straight", "killed");
      std::filesystem::remove_all(directory / "killed");
    }
  }
  EXPECT_EQ(n_kills, 20);
  ASSERT_EQ(run(3, arguments("killed")).code, 0);
  expect_same("straight", "killed");
}

}  // namespace
}  // namespace orchard::e2e
