// Handing out tasks: who gets what, how long ranks stand idle, and what rank 0 knows meanwhile.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>

#include "fake_phase.hpp"
#include "orchard/base/file.hpp"
#include "orchard/base/log.hpp"

namespace orchard::run {
namespace {

using ::testing::HasSubstr;

const auto kForest = options::Estimator::kRandomForestClassifier;
const auto kBoosting = options::Estimator::kHistGradientBoostingClassifier;

/// Which tasks each rank has run.
std::vector<std::vector<std::int32_t>> run_naps(int n_ranks, int n_tasks) {
  std::vector<std::vector<std::int32_t>> of_rank(static_cast<std::size_t>(n_ranks));
  std::vector<int> milliseconds;
  for (int i = 0; i < n_tasks; ++i) milliseconds.push_back(1 + i * 37 % 29);
  FakePhase phase;
  phase.tasks = tasks_of(milliseconds);
  phase.make_runner = [&](FakeTask task) {
    of_rank[static_cast<std::size_t>(task.rank)].push_back(task.spec.id);
    return std::make_unique<Nap>(task.spec, std::move(task.units), task.pool);
  };
  EXPECT_EQ(phase.run(n_ranks), PhaseEnd::kDone);
  return of_rank;
}

TEST(HandOut, EveryTaskIsRunOnce) {
  for (const int n_ranks : {1, 2, 5, 12}) {
    for (const int n_tasks : {0, 1, 7, 40}) {
      std::multiset<std::int32_t> run;
      for (const auto& tasks : run_naps(n_ranks, n_tasks)) run.insert(tasks.begin(), tasks.end());
      EXPECT_EQ(run.size(), static_cast<std::size_t>(n_tasks));
      EXPECT_EQ(std::set<std::int32_t>(run.begin(), run.end()).size(), run.size());
    }
  }
}

TEST(HandOut, TellsHowBusyTheRanksWere) {
  const auto log_path = std::filesystem::temp_directory_path() / "orchard_hand_out_test.log";
  std::filesystem::remove(log_path);
  log::open_file(log_path);
  const auto of_rank = run_naps(2, 64);
  for (const auto& tasks : of_rank) EXPECT_GT(tasks.size(), 10u);
  const auto text = read_text(log_path);
  std::filesystem::remove(log_path);
  const auto at = text.find("ranks busy ");
  ASSERT_NE(at, std::string::npos) << text;
  const int percent = std::stoi(text.substr(at + 11));
  EXPECT_GE(percent, 50) << text;
  EXPECT_LE(percent, 100) << text;
}

/// Tasks of an earlier run, with units.
std::vector<search::RunningTask> resumed_units(const std::map<std::int32_t, std::size_t>& n_units) {
  std::vector<search::RunningTask> resumed;
  for (const auto& [task, n] : n_units) {
    resumed.push_back({task, 1.0, std::vector<model::Unit>(n)});
  }
  return resumed;
}

TEST(HandOut, ResumedTasksComeFirstAndWithTheirUnits) {
  const std::map<std::int32_t, std::size_t> n_resumed = {{2, 3}, {5, 4}, {99, 1}};
  for (const int n_ranks : {1, 3}) {
    std::mutex mutex;
    std::map<std::int32_t, std::size_t> n_units;
    std::vector<std::int32_t> order;
    FakePhase phase;
    phase.tasks = tasks_of({30, 29, 5, 28, 27, 6, 26});
    phase.resumed = resumed_units(n_resumed);
    phase.make_runner = [&](FakeTask task) {
      const std::lock_guard lock(mutex);
      n_units[task.spec.id] = task.units.size();
      order.push_back(task.spec.id);
      return std::make_unique<Nap>(task.spec, std::move(task.units), task.pool);
    };
    EXPECT_EQ(phase.run(n_ranks), PhaseEnd::kDone);
    EXPECT_EQ(n_units, (std::map<std::int32_t, std::size_t>{
                           {0, 0}, {1, 0}, {2, 3}, {3, 0}, {4, 0}, {5, 4}, {6, 0}}));
    if (n_ranks > 1) continue;
    EXPECT_EQ(std::set<std::int32_t>(order.begin(), order.begin() + 2), (std::set{2, 5}));
  }
}

TEST(HandOut, CheckpointsKeepWhatWasResumedAndHasNotBegun) {
  for (const int n_ranks : {1, 2}) {
    FakePhase phase;
    phase.tasks = tasks_of({40, 40, 40, 40, 40});
    phase.resumed = resumed_units({{0, 10}, {1, 11}, {3, 13}, {4, 14}});
    std::size_t n_waiting = 0;
    phase.on_save = [&](const search::Snapshot& snapshot) {
      std::map<std::int32_t, std::size_t> n_units;
      for (const auto& task : snapshot.running) n_units[task.task] = task.units.size();
      for (const auto& result : snapshot.results) n_units[result.task] = 40;
      for (const auto& task : phase.resumed) {
        EXPECT_GE(n_units[task.task], task.units.size()) << "task " << task.task;
        n_waiting += n_units[task.task] == task.units.size() ? 1 : 0;
      }
      EXPECT_TRUE(std::is_sorted(snapshot.running.begin(), snapshot.running.end(),
                                 [](const auto& a, const auto& b) { return a.task < b.task; }));
    };
    EXPECT_EQ(phase.run(n_ranks), PhaseEnd::kDone);
    EXPECT_GT(n_waiting, 0u);
  }
}

/// How many times ranks came together to grow a task of such families.
int n_group_fits(options::Estimator estimator, std::set<std::int32_t> unjoined_families) {
  std::atomic<int> n_fits{0};
  FakePhase phase;
  phase.tasks = tasks_of({300});
  phase.families = families_of(estimator, 1);
  phase.layout.node_of_rank = {0, 0};
  phase.layout.max_joined_ranks = 2;
  phase.layout.unjoined_families = std::move(unjoined_families);
  phase.make_runner = [&](FakeTask task) {
    if (task.is_in_group) ++n_fits;
    return std::make_unique<Nap>(task.spec, std::move(task.units), task.pool);
  };
  EXPECT_EQ(phase.run(2), PhaseEnd::kDone);
  return n_fits;
}

TEST(HandOut, IdleRanksJoinWhereTheLayoutSaysSo) {
  EXPECT_EQ(n_group_fits(kBoosting, {}), 2) << "of a leader and one who joins";
  EXPECT_EQ(n_group_fits(kBoosting, {1}), 2);
  EXPECT_EQ(n_group_fits(kBoosting, {0}), 0);
  EXPECT_EQ(n_group_fits(kForest, {}), 0);
}

/// A fit that does not look up from its work.
class Deaf : public Nap {
 public:
  using Nap::Nap;
  void step() override {
    sleep_s(task().cost);
    while (!is_done()) add_unit();
  }
};

TEST(HandOut, ARankThatDoesNotAnswerIsNamed) {
  FakePhase phase;
  phase.tasks = tasks_of({1500, 1500, 1500});
  phase.make_runner = [&](FakeTask task) -> std::unique_ptr<search::Runner> {
    if (task.rank != 1) {
      return std::make_unique<Nap>(task.spec, std::move(task.units), task.pool);
    }
    return std::make_unique<Deaf>(task.spec, std::move(task.units), task.pool);
  };
  phase.answer_deadline_s = 5;
  EXPECT_EQ(phase.run(3), PhaseEnd::kDone) << "there is time";
  phase.answer_deadline_s = 0.3;
  try {
    phase.run(3);
    FAIL() << "a rank was deaf";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInternal);
    EXPECT_THAT(error.what(), HasSubstr("waits for what was grown from rank 1: nothing came for"));
  }
}

/// A fit that takes long to be let go.
class SlowToGo : public Nap {
 public:
  using Nap::Nap;
  ~SlowToGo() override { sleep_s(1.5); }
};

TEST(HandOut, ARankThatDoesNotComeToTheEndIsNamed) {
  FakePhase phase;
  phase.tasks = tasks_of({10});
  phase.families = families_of(kBoosting, 1);
  phase.layout.groups = {{0, 1}};
  phase.layout.node_of_rank = {0, 0};
  phase.make_runner = [&](FakeTask task) -> std::unique_ptr<search::Runner> {
    if (task.rank == 0) return std::make_unique<Nap>(task.spec, std::move(task.units), task.pool);
    return std::make_unique<SlowToGo>(task.spec, std::move(task.units), task.pool);
  };
  phase.answer_deadline_s = 5;
  EXPECT_EQ(phase.run(2), PhaseEnd::kDone) << "there is time";
  phase.answer_deadline_s = 0.3;
  try {
    phase.run(2);
    FAIL() << "a rank did not come";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInternal);
    EXPECT_THAT(error.what(), HasSubstr("waits for the last word of the phase from rank 1"));
  }
}

}  // namespace
}  // namespace orchard::run
