#pragma once

#include <optional>

#include "orchard/comm/communicator.hpp"
#include "orchard/run/scheduler.hpp"
#include "orchard/run/signals.hpp"
#include "task_work.hpp"

namespace orchard::run {

/// A rank other than 0 for the time of a phase.
class Worker {
 public:
  Worker(comm::Communicator& world, const search::TaskContext& context);
  /// Returns at the phase's end.
  void run();

 private:
  void work(const comm::Message& message);
  /// The poll hook: answers what has arrived. True when the task should be dropped.
  bool serve();
  void tell_signal();

  comm::Communicator& world_;
  const search::TaskContext& context_;
  std::optional<TaskWork> work_;
  bool is_stopping_ = false;
  Request told_ = Request::kNone;
};

}  // namespace orchard::run
