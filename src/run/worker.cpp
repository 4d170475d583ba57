#include "worker.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "orchard/base/fault.hpp"
#include "orchard/base/pulse.hpp"

namespace orchard::run {
namespace {

// So long before the end of its task a worker asks for the next: longer than rank 0 usually goes
// between two polls, and short enough that a task in waiting hardly delays the end of a phase.
constexpr double kAhead_s = 0.25;

}  // namespace

Worker::Worker(comm::Communicator& world, const PhaseSetup& setup) : world_(world), setup_(setup) {}

RankUse Worker::run() {
  ask();
  double nap_s = 50e-6;
  std::optional<Doing> waiting;
  while (!is_over_) {
    tell_signal();
    if (next_) {
      waiting.reset();
      TaskMessage message = std::move(*next_);
      next_.reset();
      work(std::move(message));
    } else if (const auto message = world_.try_receive()) {
      waiting.reset();
      take(*message);
      if (message->tag == kStop) world_.send(0, kStopped, {});
    } else {
      beat();
      if (!waiting) waiting.emplace("waits for a task from rank 0");
      sleep_s(nap_s);
      nap_s = std::min(nap_s * 1.5, 2e-3);
      continue;
    }
    nap_s = 50e-6;
  }
  world_.send(0, kGone, {});
  world_.flush();
  return use_;
}

void Worker::take(const comm::Message& message) {
  switch (message.tag) {
    case kTask:
      next_ = TaskMessage::from_bytes(message.bytes);
      has_asked_ = false;
      break;
    case kPull:
      // What has not begun, or is still being rebuilt from its units, has nothing to add yet.
      world_.send(0, kUnits, (work_ ? work_->new_units() : UnitsMessage()).to_bytes());
      break;
    case kStop:
      is_stopping_ = true;
      next_.reset();  // rank 0 has all there is of it
      break;
    case kEnd:
      is_over_ = true;
      break;
    default:
      require(false, "a worker knows every message");
  }
}

void Worker::work(TaskMessage message) {
  fault_point("fit", world_.rank());
  use_.begin_task();
  setup_.pool->set_poll_hook([this] { return serve(); });
  try {
    work_.emplace(setup_.make_runner, message.task, std::move(message.resumed));
    const auto result = work_->finish();
    done_cost_ += message.task.cost;
    done_s_ += work_->elapsed_s();
    world_.send(0, kResult, result.to_bytes());
  } catch (const Stopped&) {
    // Stopped while the fit was rebuilt from its units, which rank 0 has: there is nothing to add.
    world_.send(0, kUnits, (work_ ? work_->new_units() : UnitsMessage()).to_bytes());
  }
  work_.reset();
  setup_.pool->set_poll_hook({});
  use_.end_task();
  if (is_stopping_) {
    world_.send(0, kStopped, {});
  } else if (!has_asked_ && !next_) {
    ask();
  }
}

bool Worker::serve() {
  tell_signal();
  while (!is_stopping_) {
    const auto message = world_.try_receive();
    if (!message) break;
    take(*message);
  }
  if (!is_stopping_) look_ahead();
  return is_stopping_;
}

void Worker::ask() {
  has_asked_ = true;
  world_.send(0, kReady, {});
}

void Worker::look_ahead() {
  if (!work_ || has_asked_ || next_) return;
  double remaining_s = work_->remaining_s();
  if (std::isinf(remaining_s) && done_cost_ > 0) {
    remaining_s = work_->task().cost * done_s_ / done_cost_ - work_->elapsed_s();
  }
  if (remaining_s < kAhead_s) ask();
}

void Worker::tell_signal() {
  const auto request = requested();
  if (request == told_) return;
  told_ = request;
  if (request == Request::kNone) return;
  ByteWriter writer;
  writer.put(request);
  world_.send(0, kSignal, writer.take());
  if (request == Request::kCheckpoint) {
    clear_checkpoint_request();
    told_ = Request::kNone;
  }
}

}  // namespace orchard::run
