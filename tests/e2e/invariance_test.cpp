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

/// A job text without the section that begins so.
std::string without(std::string text, const std::string& header) {
  const auto begin = text.find(header);
  return text.erase(begin, text.find("\n[", begin) + 1 - begin);
}

/// How often a job has begun to hand out tasks, by its log.
std::size_t count_begun(const std::string& log) {
  const std::string mark = " each (";
  std::size_t n = 0;
  for (auto at = log.find(mark); at != std::string::npos; at = log.find(mark, at + 1)) ++n;
  return n;
}

/// One task in one directory, searched again and again.
class Invariance {
 protected:
  void make_job(const std::string& task, bool is_plain, int n_rows, int n_trees,
                const std::string& left_out = "") {
    data_ = directory_ / "data.csv";
    write_file(data_, make_csv(task, n_rows, test_seed()));
    auto text = job_text(data_, task, is_plain, n_trees);
    if (!left_out.empty()) text = without(std::move(text), left_out);
    write_file(directory_ / "job.cfg", text);
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

  /// Stops the search some times soon after it began; every start has the next number of ranks and
  /// of these arguments.
  void stop_again_and_again(const std::vector<std::vector<std::string>>& arguments,
                            const Environment& environment) {
    const auto log = directory_ / "stopped/run.log";
    int n_stops = 0;
    for (int start = 0; start < 30 && n_stops < 5; ++start) {
      const auto n_begun = count_begun(file_bytes(log));
      auto line = command(1 + start % 4, {"search", directory_ / "job.cfg", "--output-dir",
                                          directory_ / "stopped", "--n-jobs=1"});
      const auto& more = arguments[static_cast<std::size_t>(start) % arguments.size()];
      line.insert(line.end(), more.begin(), more.end());
      Process process(line, environment);
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

/// Ranks that share a fit, by its rows or by its trees.
class Groups : public Invariance, public ::testing::TestWithParam<Task> {
 protected:
  Outcome search_in(int n_ranks, const std::string& out, const std::string& layout,
                    std::vector<std::string> more = {}, const Environment& environment = {}) {
    more.insert(more.end(), {"--n-jobs=1", "--parallel.layout=" + layout});
    return search(n_ranks, out, std::move(more), environment);
  }
  void expect_same_in(int n_ranks, const std::string& layout, std::vector<std::string> more = {},
                      const Environment& environment = {}) {
    const auto out = layout + std::to_string(n_out_++);
    const auto outcome = search_in(n_ranks, out, layout, std::move(more), environment);
    ASSERT_EQ(outcome.code, 0) << outcome.errors;
    expect_equal("alone", out);
  }
  int n_out_ = 0;
};

TEST_P(Groups, Rows) {
  make_job(GetParam().name, GetParam().is_plain, 1500, 6);
  ASSERT_EQ(search(0, "alone", {"--n-jobs=1"}).code, 0);
  expect_same_in(1, "rows");
  expect_same_in(2, "rows");
  expect_same_in(3, "rows", {"--parallel.ranks_per_fit=2"});
  expect_same_in(3, "rows", {"--parallel.ranks_per_fit=3"});
  expect_same_in(4, "rows", {"--parallel.ranks_per_fit=2"});
  expect_same_in(4, "rows", {"--parallel.ranks_per_fit=4"}, {{"ORCHARD_RANKS_PER_NODE", "2"}});
}

/// Rows enough for nodes that no rank holds alone.
TEST_P(Groups, RowsOfLargeForests) {
  make_job(GetParam().name, GetParam().is_plain, 13'000, 3, "[grid.boosting]");
  ASSERT_EQ(search(0, "alone", {"--n-jobs=1"}).code, 0);
  expect_same_in(2, "rows");
  const auto outcome = search(
      3, "threads", {"--n-jobs=2", "--parallel.oversubscribe=true", "--parallel.layout=rows"});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  expect_equal("alone", "threads");
}

TEST_P(Groups, RanksThatJoin) {
  // Rounds enough for a rank that runs dry to find fits under way, on fast machines too.
  const bool has_classes = std::string(GetParam().name) == "multiclass";
  make_job(GetParam().name, false, 4000, has_classes ? 1000 : 3000, "[grid.forest]");
  ASSERT_EQ(search(0, "alone", {"--n-jobs=1"}).code, 0);
  const Environment few_rows = {{"ORCHARD_MIN_SHARE_ROWS", "500"}};
  std::string logs;
  for (const int n_ranks : {2, 3, 4}) {
    expect_same_in(n_ranks, "auto", {}, few_rows);
    logs += file_bytes(directory_ / ("auto" + std::to_string(n_out_ - 1) + "/run.log"));
  }
  EXPECT_NE(logs.find("grown by groups"), std::string::npos) << logs;
}

TEST_P(Groups, WholeFitsAndTrees) {
  make_job(GetParam().name, GetParam().is_plain, 2000, 12);
  ASSERT_EQ(search(0, "alone", {"--n-jobs=1"}).code, 0);
  expect_same_in(3, "replicated");
  const auto refused = search_in(2, "refused", "trees");
  EXPECT_EQ(refused.code, 7) << refused.errors;
  EXPECT_NE(refused.errors.find("layout trees grows forests only"), std::string::npos);
  make_job(GetParam().name, GetParam().is_plain, 2000, 40, "[grid.boosting]");
  ASSERT_EQ(search(0, "alone", {"--n-jobs=1", "--resume=none"}).code, 0);
  expect_same_in(4, "trees");
  expect_same_in(4, "replicated");
}

TEST_P(Groups, ResumedInOtherLayouts) {
  make_job(GetParam().name, false, 1500, 500);
  ASSERT_EQ(search(0, "alone", {"--n-jobs=1"}).code, 0);
  stop_again_and_again({{"--parallel.layout=rows"},
                        {"--parallel.layout=auto"},
                        {"--parallel.layout=rows", "--parallel.ranks_per_fit=2"},
                        {"--parallel.layout=replicated"},
                        {"--parallel.layout=rows"}},
                       {{"ORCHARD_MIN_SHARE_ROWS", "300"}});
  ASSERT_EQ(search(2, "stopped").code, 0);
  expect_equal("alone", "stopped");
}

INSTANTIATE_TEST_SUITE_P(Tasks, Groups,
                         ::testing::Values(Task{"binary", false}, Task{"multiclass", true},
                                           Task{"regression", false}),
                         [](const auto& instance) { return std::string(instance.param.name); });

/// More ranks than there are fits, rows or features.
class ManyRanks : public Invariance, public ::testing::Test {};

TEST_F(ManyRanks, ThanRows) {
  make_job("regression", false, 7, 4, "[grid.forest]");
  ASSERT_EQ(search(0, "alone", {"--n-jobs=1"}).code, 0);
  const auto outcome = search(8, "rows", {"--n-jobs=1", "--parallel.layout=rows"});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  expect_equal("alone", "rows");
}

TEST_F(ManyRanks, ThanFits) {
  make_job("regression", false, 200, 4, "[grid.forest]");
  ASSERT_EQ(search(0, "alone", {"--n-jobs=1"}).code, 0);
  const auto outcome = search(8, "many", {"--n-jobs=1"});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  expect_equal("alone", "many");
  EXPECT_NE(file_bytes(directory_ / "many/run.log").find(" had nothing to do"), std::string::npos)
      << file_bytes(directory_ / "many/run.log");
}

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

TEST_P(Interruptions, StopsInOrderAndGoesOnElsewhere) {
  write_file(directory_ / "job.cfg", job_text(data_, GetParam(), false, 400));
  ASSERT_EQ(search(1, "straight").code, 0);
  stop_again_and_again({{}}, {});
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
