#pragma once
// A phase whose fits are fakes: naps between polls. For tests of who gets what, and when.

#include <functional>
#include <memory>
#include <vector>

#include "orchard/base/clock.hpp"
#include "orchard/comm/communicator.hpp"
#include "orchard/run/scheduler.hpp"

namespace orchard::run {

/// A fit of as many units as its task says, each a nap of an even share of its cost in seconds.
class Nap : public search::Runner {
 public:
  Nap(const search::TaskSpec& task, std::vector<model::Unit> units, parallel::Pool& pool)
      : task_(task), units_(std::move(units)), pool_(pool) {}
  bool is_done() const override { return units_.size() >= n_all_units(); }
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

 protected:
  const search::TaskSpec& task() const { return task_; }
  parallel::Pool& pool() { return pool_; }
  void add_unit() { units_.emplace_back(); }

 private:
  search::TaskSpec task_;
  std::vector<model::Unit> units_;
  parallel::Pool& pool_;
};

/// A fit that goes on until it is stopped, and says that it is about to end. Without `has_borders`
/// its first unit lasts for ever.
class Endless : public Nap {
 public:
  Endless(const search::TaskSpec& task, parallel::Pool& pool, bool has_borders = true)
      : Nap(task, {}, pool), has_borders_(has_borders) {}
  bool is_done() const override { return false; }
  void step() override {
    do {
      pool().poll();
      sleep_s(1e-3);
    } while (!has_borders_);
    add_unit();
  }
  std::size_t n_all_units() const override { return units().size() + 1; }

 private:
  bool has_borders_;
};

/// What a fake is made for.
struct FakeTask {
  int rank;          ///< that works on it
  bool is_in_group;  ///< with others
  const search::TaskSpec& spec;
  std::vector<model::Unit> units;
  parallel::Pool& pool;
};

/// Tasks of `milliseconds`, one unit each of them, task i of family i on fold 0.
std::vector<search::TaskSpec> tasks_of(const std::vector<int>& milliseconds);
/// As many families, of one estimator.
std::vector<search::Family> families_of(options::Estimator estimator, std::size_t n_families);

struct FakePhase {
  std::vector<search::TaskSpec> tasks;
  std::vector<search::Family> families;  ///< where ranks may join
  std::vector<search::RunningTask> resumed;
  Layout layout;
  double checkpoint_interval_s = 0;  ///< at every poll
  double answer_deadline_s = 3600;
  /// A Nap where it is empty. Called by ranks at the same time.
  std::function<std::unique_ptr<search::Runner>(FakeTask)> make_runner;
  std::function<void(const search::Progress&)> on_progress;
  std::function<void(const search::Snapshot&)> on_save;

  /// The phase, by ranks that are threads. Throws what a rank throws.
  PhaseEnd run(int n_ranks) const;
};

}  // namespace orchard::run
