#include "worker.hpp"

#include <algorithm>
#include <optional>

#include "orchard/base/fault.hpp"
#include "orchard/base/pulse.hpp"

namespace orchard::run {

Worker::Worker(comm::Communicator& world, const search::TaskContext& context)
    : world_(world), context_(context) {}

void Worker::run() {
  world_.send(0, kReady, {});
  double nap_s = 50e-6;
  std::optional<Doing> waiting;
  for (;;) {
    tell_signal();
    const auto message = world_.try_receive();
    if (!message) {
      beat();
      if (!waiting) waiting.emplace("waits for a task from rank 0");
      sleep_s(nap_s);
      nap_s = std::min(nap_s * 1.5, 2e-3);
      continue;
    }
    nap_s = 50e-6;
    waiting.reset();
    if (message->tag == kEnd) break;
    if (message->tag == kTask) {
      work(*message);
    } else if (message->tag == kPull) {
      world_.send(0, kUnits, UnitsMessage().to_bytes());
    } else if (message->tag == kStop) {
      world_.send(0, kStopped, {});
    }
  }
  world_.send(0, kGone, {});
  world_.flush();
}

void Worker::work(const comm::Message& message) {
  auto task = TaskMessage::from_bytes(message.bytes);
  fault_point("fit", world_.rank());
  is_stopping_ = false;
  context_.pool.set_poll_hook([this] { return serve(); });
  try {
    work_.emplace(context_, task.task, std::move(task.resumed));
    const auto result = work_->finish();
    world_.send(0, kResult, result.to_bytes());
    world_.send(0, kReady, {});
    world_.flush();  // nothing else to do than to see it through
  } catch (const Stopped&) {
    // Stopped while the fit was rebuilt from its units, which rank 0 has: there is nothing to add.
    world_.send(0, kUnits, (work_ ? work_->new_units() : UnitsMessage()).to_bytes());
  }
  work_.reset();
  context_.pool.set_poll_hook({});
  if (is_stopping_) world_.send(0, kStopped, {});
}

bool Worker::serve() {
  tell_signal();
  while (!is_stopping_) {
    const auto message = world_.try_receive();
    if (!message) break;
    if (message->tag == kPull) {
      // A pull that arrives while the fit is still being rebuilt has nothing to add yet.
      world_.send(0, kUnits, (work_ ? work_->new_units() : UnitsMessage()).to_bytes());
    } else if (message->tag == kStop) {
      is_stopping_ = true;
    }
  }
  return is_stopping_;
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
