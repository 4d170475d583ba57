// What a job says of itself before it runs, and that it cannot hang where it is planned badly.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "program.hpp"

namespace orchard::e2e {
namespace {

class Plan : public ::testing::Test {
 protected:
  void make_job(int n_rows, const std::string& more = "") {
    write_file(directory_ / "data.csv", make_csv("binary", n_rows, test_seed()));
    write_file(directory_ / "job.cfg",
               "[job]\nname = planned\n[data]\ntrain = " + (directory_ / "data.csv") +
                   "\ntarget = target\n[cv]\nn_splits = 3\n"
                   "[grid.forest]\nestimator = RandomForestClassifier\nn_estimators = 10, 20\n"
                   "[grid.boosting]\nestimator = HistGradientBoostingClassifier\nmax_iter = 20\n" +
                   more);
  }
  /// Its table takes 1 MB, its bins 7 MB, the targets of its folds 3 MB.
  void make_job_of_ten_folds() {
    write_file(directory_ / "data.csv", make_csv("binary", 40'000, test_seed()));
    write_file(directory_ / "job.cfg",
               "[data]\ntrain = " + (directory_ / "data.csv") +
                   "\ntarget = target\n[cv]\nn_splits = 10\n[grid.boosting]\n"
                   "estimator = HistGradientBoostingClassifier\nmax_iter = 3\n");
  }
  Outcome plan(std::vector<std::string> more) {
    std::vector<std::string> arguments = {"plan", directory_ / "job.cfg"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(0, arguments);
  }
  /// Runs a command on a node whose /dev/shm holds so much; needs root.
  static Outcome run_in(const std::string& shared_size, const std::string& command) {
    const auto script =
        "mount -t tmpfs -o size=" + shared_size + " tmpfs /dev/shm && exec " + command;
    return Process({"unshare", "--mount", "sh", "-c", script}, {}).wait(60);
  }
  /// A search on two ranks there.
  Outcome search_in(const std::string& shared_size, const std::string& layout) {
    return run_in(shared_size,
                  "mpirun --oversubscribe --bind-to none --mca btl tcp,self -n 2 " ORCHARD_PROGRAM
                  " search " +
                      (directory_ / "job.cfg") + " --output-dir " + (directory_ / layout) +
                      " --n-jobs=1 --parallel.layout=" + layout);
  }
  Outcome search(int n_ranks, const std::string& out, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"search", directory_ / "job.cfg", "--output-dir",
                                          directory_ / out};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(n_ranks, arguments, {}, 120);
  }
  Directory directory_;
};

TEST_F(Plan, SaysEverythingWithoutACluster) {
  make_job(2000);
  const auto outcome = plan({"--ranks=8", "--nodes=2", "--cores=16"});
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  for (const char* text :
       {"3 points x 3 folds = 9 point fits", "2 families x 3 folds = 6 fits", "tasks  ",
        "8 on 2 nodes, 4 x 4 threads on 16 cores each", "layout  ", "memory  ", "shared ",
        "time      search ", "refit at most ", "model at most ", "checkpoint at most "}) {
    EXPECT_NE(outcome.output.find(text), std::string::npos) << text << "\n" << outcome.output;
  }
  EXPECT_EQ(count_files(directory_.path(), "out"), 0u) << "a plan writes nothing";
}

TEST_F(Plan, RefusesWhatCannotWork) {
  make_job(200);
  EXPECT_EQ(plan({"--ranks=4", "--cores=2"}).code, 7);
  EXPECT_EQ(plan({"--ranks=4", "--cores=2", "--parallel.oversubscribe=true"}).code, 0);
  const auto threads = plan({"--ranks=2", "--cores=4", "--n-jobs=3"});
  EXPECT_EQ(threads.code, 7);
  EXPECT_NE(threads.errors.find("2 ranks x 3 threads need 6 cores, a node has 4"),
            std::string::npos)
      << threads.errors;
  EXPECT_EQ(plan({"--ranks=2", "--cores=4096", "--n-jobs=900"}).code, 0) << "more than there are";
  EXPECT_EQ(plan({"--ranks=2", "--nodes=3"}).code, 7);
  EXPECT_EQ(plan({"--nodes=0"}).code, 2);
  EXPECT_EQ(search(0, "out", {"--cores=2"}).code, 2);
}

TEST_F(Plan, TheJobComparesItWithWhatCame) {
  make_job(1000);
  ASSERT_EQ(search(2, "out", {"--n-jobs=1"}).code, 0);
  const auto log = file_bytes(directory_ / "out/run.log");
  EXPECT_NE(log.find("planned: "), std::string::npos) << log;
  EXPECT_NE(log.find("planned against real: "), std::string::npos) << log;
}

TEST_F(Plan, SharedMemoryThatIsTooSmallIsFoundBeforeTheStart) {
  if (geteuid() != 0) GTEST_SKIP() << "mounting a small file system needs root";
  make_job(40'000);
  // Room for what the MPI library itself puts there, but for no table.
  const auto outcome = search_in("1500k", "auto");
  EXPECT_EQ(outcome.code, 7) << outcome.errors;
  EXPECT_NE(outcome.errors.find("/dev/shm"), std::string::npos) << outcome.errors;
  EXPECT_NE(outcome.errors.find("with 2 threads"), std::string::npos) << outcome.errors;
}

/// Ranks that hold shares of the rows need less of it than whole folds do: with layout auto they do
/// so where there is no other way.
TEST_F(Plan, RanksShareRowsWhereWholeFoldsDoNotFit) {
  if (geteuid() != 0) GTEST_SKIP() << "mounting a small file system needs root";
  make_job_of_ten_folds();
  const auto refused = search_in("8m", "replicated");
  EXPECT_EQ(refused.code, 7) << refused.errors;
  EXPECT_NE(refused.errors.find("the ranks of a node share"), std::string::npos) << refused.errors;
  const auto outcome = search_in("8m", "rows");
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  // What was planned to be shared is what was shared.
  const auto log = file_bytes(directory_ / "rows/run.log");
  const auto text = log.substr(log.find("planned against real"));
  EXPECT_NE(text.find("shared on a node 4.48 MB 4.48 MB"), std::string::npos) << text;
  const auto chosen = search_in("8m", "auto");
  ASSERT_EQ(chosen.code, 0) << chosen.errors;
  EXPECT_NE(chosen.errors.find("layout rows, for want of room: the ranks of a node share"),
            std::string::npos)
      << chosen.errors;
  EXPECT_EQ(file_bytes(directory_ / "auto/model.h5"), file_bytes(directory_ / "rows/model.h5"));
}

/// A job has its table in shared memory before it chooses, a plan does not.
TEST_F(Plan, CountsTheTableWhereItChoosesALayout) {
  if (geteuid() != 0) GTEST_SKIP() << "mounting a small file system needs root";
  make_job_of_ten_folds();
  const auto roomy = plan({"--ranks=2", "--cores=2"});
  double shared_mb = 0, table_mb = 0;
  const auto at = roomy.output.find("shared ");
  ASSERT_NE(at, std::string::npos) << roomy.output;
  ASSERT_EQ(
      std::sscanf(roomy.output.c_str() + at, "shared %lf MB: table %lf MB", &shared_mb, &table_mb),
      2)
      << roomy.output;
  const auto n_bytes = static_cast<long>(1e6 * (shared_mb - table_mb / 2));
  const auto tight =
      run_in(std::to_string(n_bytes),
             ORCHARD_PROGRAM " plan " + (directory_ / "job.cfg") + " --ranks=2 --cores=2");
  EXPECT_EQ(tight.code, 0) << tight.errors;
  EXPECT_NE(tight.output.find("layout    rows, for want of room"), std::string::npos)
      << tight.output;
}

/// Ranks are dealt unevenly over nodes: all of them must see the same ways to spread the fits.
TEST_F(Plan, UnevenNodesAgreeOnHowRowsAreShared) {
  make_job_of_ten_folds();
  // The bins of ten folds, 7 MB, find room beside their targets only where both nodes share them.
  const auto outcome = run(5,
                           {"search", directory_ / "job.cfg", "--output-dir", directory_ / "out",
                            "--n-jobs=1", "--parallel.oversubscribe=true"},
                           {{"ORCHARD_RANKS_PER_NODE", "3"}, {"SLURM_MEM_PER_NODE", "8"}}, 120);
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_NE(outcome.errors.find("layout rows: 1 group of up to 5 ranks a fit"), std::string::npos)
      << outcome.errors;
}

/// More ranks than tasks, rows and features together, each with threads of its own.
TEST_F(Plan, NestingAndIdleRanksCannotDeadlock) {
  make_job(40, "[parallel]\noversubscribe = true\nn_jobs = 3\n");
  const auto alone = search(0, "alone");
  ASSERT_EQ(alone.code, 0) << alone.errors;
  for (const int n_ranks : {3, 24}) {
    const auto out = "of" + std::to_string(n_ranks);
    const auto outcome = search(n_ranks, out);
    ASSERT_EQ(outcome.code, 0) << outcome.errors;
    EXPECT_EQ(run(0, {"compare", directory_ / "alone", directory_ / out}).code, 0);
    const auto log = file_bytes(directory_ / (out + "/run.log"));
    if (n_ranks == 24) {
      EXPECT_NE(log.find("had nothing to do"), std::string::npos) << log;
    }
  }
}

}  // namespace
}  // namespace orchard::e2e
