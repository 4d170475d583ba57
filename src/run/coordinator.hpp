#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>

#include "orchard/base/pulse.hpp"
#include "orchard/run/scheduler.hpp"
#include "orchard/run/signals.hpp"
#include "task_work.hpp"

namespace orchard::run {

/// Rank 0 for the time of a phase: hands out tasks, collects results, writes checkpoints, and works
/// on tasks of its own in between.
class Coordinator {
 public:
  Coordinator(comm::Communicator& world, const PhaseSetup& setup);
  PhaseEnd run();

 private:
  /// Answers all messages, hands tasks to idle workers, looks at signals and the checkpoint clock.
  /// Also the poll hook of rank 0's own fits; true when those should be dropped.
  bool serve();
  void take(const comm::Message& message);
  void take_units(int source, const UnitsMessage& message);
  void take_result(search::TaskResult result);
  void hand_out();
  std::optional<TaskMessage> next_task();
  void work_on_own_task();
  void look_at_signals();
  void look_at_clock();

  void begin_stop();
  bool all_have_stopped() const { return n_stopped_ == world_.size() - 1; }
  void end_phase();

  void begin_checkpoint();
  void save_checkpoint();
  void show_progress();
  void tell_of_waiting();
  void name_idle_ranks() const;

  comm::Communicator& world_;
  const PhaseSetup& setup_;
  search::Phase& phase_;
  std::map<std::int32_t, search::RunningTask> resumed_;  // not handed out again yet
  std::map<int, std::int32_t> task_of_worker_;
  std::map<std::int32_t, search::RunningTask> running_;  // of workers, as far as pulled
  std::deque<int> idle_;
  std::set<int> have_worked_;
  std::optional<TaskWork> own_;

  Request request_ = Request::kNone;
  bool is_stopping_ = false;
  int n_stopped_ = 0, n_gone_ = 0;

  bool is_pulling_ = false;
  std::map<int, bool> awaits_units_;  // workers whose answer to the pull is outstanding
  bool has_news_ = false;             // since the last checkpoint
  std::optional<Doing> waiting_;
  std::size_t n_awaited_ = 0;  // tasks of others, as told last
  double began_s_, last_save_s_, next_save_s_, last_cost_s_ = 0;
};

}  // namespace orchard::run
