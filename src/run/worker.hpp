#pragma once

#include <deque>
#include <optional>

#include "crew.hpp"
#include "orchard/comm/communicator.hpp"
#include "orchard/run/scheduler.hpp"
#include "orchard/run/signals.hpp"
#include "rank_use.hpp"

namespace orchard::run {

/// A rank other than 0 for the time of a phase.
class Worker {
 public:
  Worker(comm::Communicator& world, const PhaseSetup& setup);
  /// Returns at the phase's end.
  RankUse run();

 private:
  void take(const comm::Message& message);
  void take_command(const comm::Message& message);
  /// Does what rank 0 has sent: a task, or a group's.
  void carry_out(const comm::Message& command);
  void lead(TaskMessage message);
  /// The poll hook: answers what has arrived. True when the task should be dropped.
  bool serve();
  void ask();
  /// Asks for the next task when this one is about to end, by its units or, before the first of
  /// them, by what tasks of such a cost have taken here.
  void look_ahead();
  void send_units(int tag);
  void tell_idle();
  void tell_signal();

  comm::Communicator& world_;
  Crew crew_;
  std::deque<comm::Message> commands_;  // not begun
  std::int64_t n_commands_ = 0;         // that have come
  bool has_asked_ = false;
  bool is_stopping_ = false, has_stopped_ = false, is_over_ = false;
  Request told_ = Request::kNone;
  RankUse use_;
  double done_cost_ = 0, done_s_ = 0;  // of the tasks this rank has finished
};

}  // namespace orchard::run
