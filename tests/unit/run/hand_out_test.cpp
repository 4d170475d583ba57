// Handing out tasks whose fits are naps: who gets what, and how long ranks stand idle.

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "orchard/base/clock.hpp"
#include "orchard/base/file.hpp"
#include "orchard/base/log.hpp"
#include "orchard/run/scheduler.hpp"

namespace orchard::run {
namespace {

/// A task that takes `cost` seconds, in units of a millisecond.
class Nap : public search::Runner {
 public:
  Nap(const search::TaskSpec& task, std::vector<model::Unit> units, parallel::Pool& pool)
      : task_(task), units_(std::move(units)), pool_(pool) {}
  bool is_done() const override { return static_cast<int>(units_.size()) == task_.last_unit; }
  void step() override {
    pool_.poll();
    sleep_s(task_.cost / task_.last_unit);
    units_.emplace_back();
  }
  const std::vector<model::Unit>& units() const override { return units_; }
  std::size_t n_all_units() const override { return static_cast<std::size_t>(task_.last_unit); }
  search::TaskResult result() override {
    search::TaskResult result;
    result.scores = {task_.cost};
    return result;
  }

 private:
  search::TaskSpec task_;
  std::vector<model::Unit> units_;
  parallel::Pool& pool_;
};

class NoData : public search::FoldSource {
 public:
  const data::BinnedData& binned(std::int32_t, int) const override {
    throw Error(ErrorKind::kInternal, "naps have no data");
  }
};

class Forget : public CheckpointSink {
 public:
  std::size_t save(const search::Snapshot&) override { return 1; }
};

std::vector<search::TaskSpec> naps(int n_tasks) {
  std::vector<search::TaskSpec> tasks;
  for (int i = 0; i < n_tasks; ++i) {
    const int milliseconds = 1 + i * 37 % 29;
    tasks.push_back({i, i, 0, 0, milliseconds, 1e-3 * milliseconds});
  }
  return tasks;
}

/// Which tasks each rank has run.
std::vector<std::vector<std::int32_t>> run_naps(int n_ranks, int n_tasks) {
  std::vector<std::vector<std::int32_t>> of_rank(static_cast<std::size_t>(n_ranks));
  comm::run_as_ranks(n_ranks, [&](comm::Communicator world) {
    const std::vector<search::Family> families;
    const std::vector<std::string> scorers;
    const model::Schema schema;
    const NoData folds;
    parallel::Pool pool(1);
    Forget sink;
    PhaseSetup setup;
    setup.pool = &pool;
    setup.make_runner = [&](const search::TaskSpec& task, auto units) {
      of_rank[static_cast<std::size_t>(world.rank())].push_back(task.id);
      return std::make_unique<Nap>(task, std::move(units), pool);
    };
    search::Phase phase(families, naps(n_tasks), 0, schema, scorers, folds);
    if (world.rank() == 0) {
      setup.phase = &phase;
      setup.sink = &sink;
      setup.checkpoint_interval_s = 0;
      setup.make_snapshot = [](auto) { return search::Snapshot(); };
    }
    require(run_phase(world, setup) == PhaseEnd::kDone, "nothing asked for a stop");
    require(world.rank() != 0 || phase.is_done(), "every task has its result");
  });
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

}  // namespace
}  // namespace orchard::run
