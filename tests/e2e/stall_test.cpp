// A rank that stops for ever must not take the job's hours with it.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "program.hpp"

namespace orchard::e2e {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// The process that is rank `rank` of a job started by `launcher`, or -1.
pid_t process_of_rank(const Process& launcher, int rank) {
  std::string wanted = "OMPI_COMM_WORLD_RANK=" + std::to_string(rank);
  wanted.push_back('\0');
  for (const auto child : launcher.children()) {
    const auto variables = file_bytes("/proc/" + std::to_string(child) + "/environ");
    if (variables.find(wanted) != std::string::npos) return child;
  }
  return -1;
}

std::string long_job(const Directory& directory) {
  return "[job]\nname = stall\n[data]\ntrain = " + (directory / "data.csv") +
         "\ntarget = target\n[cv]\nn_splits = 3\n[grid.forest]\n"
         "estimator = RandomForestClassifier\nn_estimators = 20000\nmin_samples_leaf = 1, 2\n";
}

void wait_for_tasks(Process& process, const std::string& log) {
  for (int i = 0; i < 4000 && process.is_running(); ++i) {
    if (file_bytes(log).find(" each (") != std::string::npos) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
}

class Stall : public ::testing::TestWithParam<int> {};

TEST_P(Stall, OfARankIsNamedAndEndsTheJob) {
  const int stopped_rank = GetParam();
  Directory directory;
  write_file(directory / "data.csv", make_csv("binary", 3000, test_seed()));
  write_file(directory / "job.cfg", long_job(directory));
  const auto log = directory / "out/run.log";
  Process process(command(3, {"search", directory / "job.cfg", "--output-dir", directory / "out",
                              "--n-jobs=1", "--parallel.watchdog=3"}),
                  {});
  wait_for_tasks(process, log);
  const auto stopped = process_of_rank(process, stopped_rank);
  ASSERT_GT(stopped, 0);
  const auto begin = Clock::now();
  ASSERT_EQ(kill(stopped, SIGSTOP), 0);
  const auto outcome = process.wait(60);
  EXPECT_LT(seconds_since(begin), 3 + 12) << "the watchdog comes late";
  EXPECT_EQ(outcome.code, 1) << outcome.errors;
  const auto name = "rank " + std::to_string(stopped_rank) + " (works on task";
  for (const auto& text : {outcome.errors, file_bytes(log)}) {
    const auto report = text.find("no progress for ");
    ASSERT_NE(report, std::string::npos) << text;
    EXPECT_LT(text.find(name, report), text.find("Meanwhile", report)) << text;
    EXPECT_EQ(text.find("no progress for ", report + 1), std::string::npos) << text;
  }
}

/// Stops rank 1 of a job whose ranks have a node each, and waits for the job's end.
Outcome stop_rank_1(Process& process, const std::string& log) {
  wait_for_tasks(process, log);
  const auto stopped = process_of_rank(process, 1);
  EXPECT_GT(stopped, 0);
  if (stopped < 0) return {};
  EXPECT_EQ(kill(stopped, SIGSTOP), 0);
  const auto outcome = process.wait(60);
  kill(stopped, SIGKILL);
  return outcome;
}

// A process that is stopped and alone on its node has nobody who reads its pulse: its group misses
// it.
TEST(StallAlone, OnANodeIsMissedByTheGroup) {
  Directory directory;
  write_file(directory / "data.csv", make_csv("binary", 3000, test_seed()));
  write_file(directory / "job.cfg",
             "[job]\nname = stall\n[data]\ntrain = " + (directory / "data.csv") +
                 "\ntarget = target\n[cv]\nn_splits = 3\n[grid.boosting]\n"
                 "estimator = HistGradientBoostingClassifier\nmax_iter = 100000\n"
                 "early_stopping = false\n");
  Process process(
      command(2, {"search", directory / "job.cfg", "--output-dir", directory / "out", "--n-jobs=1",
                  "--parallel.layout=rows", "--parallel.ranks_per_fit=2", "--parallel.watchdog=1"}),
      {{"ORCHARD_RANKS_PER_NODE", "1"}});
  const auto outcome = stop_rank_1(process, directory / "out/run.log");
  EXPECT_EQ(outcome.code, 1) << outcome.errors;
  EXPECT_NE(outcome.errors.find("nothing came for 10.0 s"), std::string::npos) << outcome.errors;
}

TEST(StallAlone, OnANodeIsMissedByTheNextCheckpoint) {
  Directory directory;
  write_file(directory / "data.csv", make_csv("binary", 3000, test_seed()));
  write_file(directory / "job.cfg", long_job(directory));
  Process process(command(3, {"search", directory / "job.cfg", "--output-dir", directory / "out",
                              "--n-jobs=1", "--checkpoint.interval=1", "--parallel.watchdog=1"}),
                  {{"ORCHARD_RANKS_PER_NODE", "1"}});
  const auto outcome = stop_rank_1(process, directory / "out/run.log");
  EXPECT_EQ(outcome.code, 1) << outcome.errors;
  EXPECT_NE(outcome.errors.find("waits for what was grown from rank 1: nothing came for 10.0 s"),
            std::string::npos)
      << outcome.errors;
}

INSTANTIATE_TEST_SUITE_P(Ranks, Stall, ::testing::Values(0, 2));

}  // namespace
}  // namespace orchard::e2e
