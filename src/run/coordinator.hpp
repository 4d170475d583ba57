#pragma once

#include <deque>
#include <map>
#include <optional>

#include "orchard/base/pulse.hpp"
#include "orchard/run/scheduler.hpp"
#include "orchard/run/signals.hpp"
#include "rank_use.hpp"
#include "task_work.hpp"

namespace orchard::run {

/// Rank 0 for the time of a phase: hands out tasks, collects results, writes checkpoints, and works
/// on tasks of its own in between.
class Coordinator {
 public:
  Coordinator(comm::Communicator& world, const PhaseSetup& setup);
  PhaseEnd run();
  const RankUse& use() const { return use_; }

 private:
  /// Answers all messages, hands tasks to workers that are ready, looks at signals and the
  /// checkpoint clock. Also the poll hook of rank 0's own fits; true when those should be dropped.
  bool serve();
  void take(const comm::Message& message);
  void take_units(const UnitsMessage& message);
  void take_result(search::TaskResult result);
  void hand_out();
  std::optional<TaskMessage> next_task();
  /// False when there was none left to begin.
  bool work_on_own_task();
  void look_at_signals();
  void look_at_clock();

  void begin_stop();
  bool all_have_stopped() const { return n_stopped_ == world_.size() - 1; }
  void end_phase();

  void begin_checkpoint();
  void save_checkpoint();
  void show_progress();
  void tell_of_waiting();

  comm::Communicator& world_;
  const PhaseSetup& setup_;
  search::Phase& phase_;
  std::map<std::int32_t, search::RunningTask> resumed_;  // not handed out again yet
  std::map<std::int32_t, int> worker_of_task_;           // tasks at work or waiting there
  std::map<std::int32_t, search::RunningTask> running_;  // of workers, as far as pulled
  std::deque<int> ready_;
  std::optional<TaskWork> own_;
  RankUse use_;

  Request request_ = Request::kNone;
  bool is_stopping_ = false;
  int n_stopped_ = 0, n_gone_ = 0;

  bool is_pulling_ = false;
  std::size_t n_awaited_ = 0;  // answers to the pull that are outstanding
  bool has_news_ = false;      // since the last checkpoint
  std::optional<Doing> waiting_;
  std::size_t n_told_ = 0;  // tasks of others, as told last
  double began_s_, last_save_s_, next_save_s_, last_cost_s_ = 0;
};

}  // namespace orchard::run
