// A signal stops a phase: what its last checkpoint has, and that nobody is left waiting. Signals
// are the process's, so every test is a process of its own.

#include <gtest/gtest.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "fake_phase.hpp"
#include "orchard/run/signals.hpp"

namespace orchard::run {
namespace {

const auto kBoosting = options::Estimator::kHistGradientBoostingClassifier;

class Stop : public ::testing::Test {
 protected:
  Stop() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

/// Ends this process: well, if the phase ends by a stop and `is_good` holds then.
[[noreturn]] void stop_and_leave(const FakePhase& phase, int n_ranks,
                                 const std::function<bool()>& is_good) {
  install_signal_handlers();
  bool is_well = false;
  try {
    is_well = phase.run(n_ranks) == PhaseEnd::kStopped && is_good();
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
  }
  std::_Exit(is_well ? 0 : 1);
}

/// Every rank grows units of its own task and then waits for the stop, which a rank asks for when
/// all have theirs. No unit was pulled before.
[[noreturn]] void stop_with_units_unsent(int n_ranks) {
  std::atomic<int> n_ready{0};
  std::size_t n_saved = 0;
  std::array<std::size_t, 3> n_units{};

  class Grown : public Nap {
   public:
    Grown(const FakeTask& task, std::atomic<int>& n_ready, int n_ranks)
        : Nap(task.spec, {}, task.pool), n_ready_(n_ready), n_ranks_(n_ranks) {}
    void step() override {
      pool().poll();
      if (static_cast<int>(units().size()) < task().last_unit / 2) return add_unit();
      if (!is_ready_ && ++n_ready_ == n_ranks_) ::raise(SIGUSR1);
      is_ready_ = true;
      sleep_s(1e-3);
    }

   private:
    std::atomic<int>& n_ready_;
    int n_ranks_;
    bool is_ready_ = false;
  };

  FakePhase phase;
  phase.tasks = tasks_of({10, 20, 30});
  phase.checkpoint_interval_s = 3600;
  phase.make_runner = [&](FakeTask task) {
    return std::make_unique<Grown>(task, n_ready, n_ranks);
  };
  phase.on_save = [&](const search::Snapshot& snapshot) {
    ++n_saved;
    for (const auto& task : snapshot.running) {
      n_units[static_cast<std::size_t>(task.task)] = task.units.size();
    }
  };
  stop_and_leave(phase, n_ranks, [&] {
    return n_saved == 1 && n_units == std::array<std::size_t, 3>{5, 10, 15};
  });
}

TEST_F(Stop, TheCheckpointHasUnitsThatWereNeverPulled) {
  EXPECT_EXIT(stop_with_units_unsent(3), ::testing::ExitedWithCode(0), "");
}

/// The group of ranks 1 and 2 has its next task in waiting when the stop comes.
[[noreturn]] void stop_with_a_group_in_waiting() {
  FakePhase phase;
  phase.tasks = tasks_of({9000, 10, 10});
  phase.layout.groups = {{0}, {1, 2}};
  phase.make_runner = [](const FakeTask& task) {
    return std::make_unique<Endless>(task.spec, task.pool);
  };
  phase.on_progress = [](const search::Progress& now) {
    if (now.n_running == 3) ::raise(SIGUSR1);
  };
  stop_and_leave(phase, 3, [] { return true; });
}

TEST_F(Stop, OfAGroupThatHasNotMet) {
  EXPECT_EXIT(stop_with_a_group_in_waiting(), ::testing::ExitedWithCode(0), "");
}

/// A rank is called to join a fit that is then stopped before it comes to a unit's border.
[[noreturn]] void stop_before_a_rank_has_joined() {
  FakePhase phase;
  phase.tasks = tasks_of({10, 10});
  phase.families = families_of(kBoosting, 2);
  phase.layout.node_of_rank = {0, 1, 1};
  phase.layout.max_joined_ranks = 2;
  std::atomic<int> n_in_groups{0};
  phase.make_runner = [&](const FakeTask& task) {
    if (task.is_in_group) ++n_in_groups;
    return std::make_unique<Endless>(task.spec, task.pool, false);
  };
  double begin_s = 0;
  phase.on_progress = [&](const search::Progress& now) {
    if (now.n_running < 2) return;
    if (begin_s == 0) begin_s = monotonic_s();
    if (monotonic_s() > begin_s + 0.3) ::raise(SIGUSR1);
  };
  stop_and_leave(phase, 3, [&] { return n_in_groups == 0; });
}

TEST_F(Stop, OfAFitThatAnotherRankWasToJoin) {
  EXPECT_EXIT(stop_before_a_rank_has_joined(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace orchard::run
