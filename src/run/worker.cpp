#include "worker.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "orchard/base/pulse.hpp"

namespace orchard::run {
namespace {

// So long before the end of its task a worker asks for the next: longer than rank 0 usually goes
// between two polls, and short enough that a task in waiting hardly delays the end of a phase.
constexpr double kAhead_s = 0.25;

}  // namespace

Worker::Worker(comm::Communicator& world, const PhaseSetup& setup)
    : world_(world),
      crew_(world, setup, {[this] { return serve(); }, [this] { send_units(kRegrouped); }}) {}

RankUse Worker::run() {
  ask();
  tell_idle();
  double nap_s = 50e-6;
  std::optional<Doing> waiting;
  while (!is_over_) {
    tell_signal();
    if (!commands_.empty()) {
      waiting.reset();
      const auto command = std::move(commands_.front());
      commands_.pop_front();
      use_.begin_task();
      carry_out(command);
      use_.end_task();
      if (!is_stopping_ && !has_asked_ && commands_.empty()) ask();
      if (commands_.empty()) tell_idle();
    } else if (const auto message = world_.try_receive()) {
      waiting.reset();
      take(*message);
    } else {
      beat();
      if (!waiting) waiting.emplace("waits for a task from rank 0");
      sleep_s(nap_s);
      nap_s = std::min(nap_s * 1.5, 2e-3);
      continue;
    }
    nap_s = 50e-6;
    if (is_stopping_ && !has_stopped_ && commands_.empty()) {
      has_stopped_ = true;
      world_.send(0, kStopped, {});
    }
  }
  world_.send(0, kGone, {});
  world_.flush();
  return use_;
}

void Worker::take(const comm::Message& message) {
  switch (message.tag) {
    case kTask:
    case kJoin:
    case kGrow:
      take_command(message);
      break;
    case kPull:
      send_units(kUnits);
      break;
    case kStop:
      is_stopping_ = true;
      break;
    case kEnd:
      is_over_ = true;
      break;
    default:
      require(false, "a worker knows every message");
  }
}

void Worker::take_command(const comm::Message& message) {
  ++n_commands_;
  if (message.tag == kGrow && crew_.is_leading()) {
    crew_.grow(ranks_from_bytes(message.bytes));
    return;
  }
  if (message.tag != kGrow) has_asked_ = false;
  commands_.push_back(message);
}

// Others come to every group that rank 0 has called together, also when there is nothing left to
// do: the fit has ended meanwhile, or all stop.
void Worker::carry_out(const comm::Message& command) {
  if (command.tag == kJoin) {
    crew_.follow(ranks_from_bytes(command.bytes));
  } else if (command.tag == kGrow) {
    crew_.decline(ranks_from_bytes(command.bytes));
  } else {
    auto message = TaskMessage::from_bytes(command.bytes);
    if (!is_stopping_) {
      lead(std::move(message));
    } else if (message.ranks.size() > 1) {
      crew_.decline(message.ranks);
    }
  }
}

void Worker::lead(TaskMessage message) {
  const double cost = message.task.cost;
  const double began_s = monotonic_s();
  if (auto result = crew_.lead(std::move(message))) {
    crew_.drop();  // the rows of the fit need not be there beside its trees and their message
    done_cost_ += cost;
    done_s_ += monotonic_s() - began_s;
    world_.send(0, kResult, result->to_bytes());
    note_private_bytes();
  } else {
    send_units(kUnits);
    crew_.drop();
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

// What has not begun, or is still being rebuilt from its units, has nothing to add yet.
void Worker::send_units(int tag) {
  const bool has_units = crew_.is_leading() && crew_.work();
  world_.send(0, tag, (has_units ? crew_.work()->new_units() : UnitsMessage()).to_bytes());
}

void Worker::tell_idle() {
  world_.send(0, kIdle, IdleMessage{n_commands_, crew_.n_bytes(), crew_.n_trees()}.to_bytes());
}

void Worker::ask() {
  has_asked_ = true;
  world_.send(0, kReady, {});
}

void Worker::look_ahead() {
  if (!crew_.work() || has_asked_ || !commands_.empty()) return;
  const auto& work = *crew_.work();
  double remaining_s = work.remaining_s();
  if (std::isinf(remaining_s) && done_cost_ > 0) {
    remaining_s = work.task().cost * done_s_ / done_cost_ - work.elapsed_s();
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
