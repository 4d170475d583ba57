#pragma once

#include <optional>

#include "orchard/comm/communicator.hpp"
#include "orchard/run/scheduler.hpp"
#include "orchard/run/signals.hpp"
#include "rank_use.hpp"
#include "task_work.hpp"

namespace orchard::run {

/// A rank other than 0 for the time of a phase.
class Worker {
 public:
  Worker(comm::Communicator& world, const PhaseSetup& setup);
  /// Returns at the phase's end.
  RankUse run();

 private:
  void take(const comm::Message& message);
  void work(TaskMessage message);
  /// The poll hook: answers what has arrived. True when the task should be dropped.
  bool serve();
  void ask();
  /// Asks for the next task when this one is about to end, by its units or, before the first of
  /// them, by what tasks of such a cost have taken here.
  void look_ahead();
  void tell_signal();

  comm::Communicator& world_;
  const PhaseSetup& setup_;
  std::optional<TaskMessage> next_;  // not begun
  std::optional<TaskWork> work_;
  bool has_asked_ = false;
  bool is_stopping_ = false, is_over_ = false;
  Request told_ = Request::kNone;
  RankUse use_;
  double done_cost_ = 0, done_s_ = 0;  // of the tasks this rank has finished
};

}  // namespace orchard::run
