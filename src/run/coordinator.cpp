#include "coordinator.hpp"

#include <algorithm>

#include "orchard/base/log.hpp"
#include "orchard/base/process.hpp"
#include "orchard/base/text.hpp"

namespace orchard::run {
namespace {

// A checkpoint may cost at most this share of the wall time.
constexpr double kMaxCheckpointShare = 0.02;
// What Open MPI leaves between SIGTERM and SIGKILL is a second; a slower write is not begun.
constexpr double kGraceOfTerm_s = 0.7;

}  // namespace

Coordinator::Coordinator(comm::Communicator& world, const PhaseSetup& setup)
    : world_(world),
      setup_(setup),
      phase_(*setup.phase),
      began_s_(monotonic_s()),
      last_save_s_(began_s_),
      next_save_s_(began_s_ + setup.checkpoint_interval_s) {
  std::vector<std::int32_t> started;
  for (const auto& task : setup.resumed) {
    if (!phase_.has(task.task)) continue;
    started.push_back(task.task);
    resumed_[task.task] = task;
  }
  phase_.prefer(started);
}

PhaseEnd Coordinator::run() {
  double nap_s = 50e-6;
  for (;;) {
    serve();
    if (is_stopping_) {
      if (all_have_stopped()) break;
    } else {
      if (phase_.is_done()) break;
      work_on_own_task();
      if (!phase_.is_done() && !is_stopping_) {
        sleep_s(nap_s);
        nap_s = std::min(nap_s * 1.5, 1e-3);
      }
      continue;
    }
    sleep_s(100e-6);
  }
  std::optional<Error> failure;
  if (is_stopping_) {
    try {
      save_checkpoint();
    } catch (const Error& error) {
      failure = error;
    }
  }
  end_phase();
  if (failure) throw *failure;
  return is_stopping_ ? PhaseEnd::kStopped : PhaseEnd::kDone;
}

void Coordinator::end_phase() {
  for (int rank = 1; rank < world_.size(); ++rank) world_.send(rank, kEnd, {});
  while (n_gone_ < world_.size() - 1) {
    if (const auto message = world_.try_receive()) {
      take(*message);
    } else {
      sleep_s(50e-6);
    }
  }
  world_.flush();
}

bool Coordinator::serve() {
  while (const auto message = world_.try_receive()) take(*message);
  if (setup_.sink != nullptr) setup_.sink->refresh();
  look_at_signals();
  if (!is_stopping_) {
    hand_out();
    look_at_clock();
  }
  show_progress();
  return is_stopping_;
}

void Coordinator::take(const comm::Message& message) {
  switch (message.tag) {
    case kReady:
      idle_.push_back(message.source);
      break;
    case kResult:
      take_result(search::TaskResult::from_bytes(message.bytes));
      task_of_worker_.erase(message.source);
      break;
    case kUnits:
      take_units(message.source, UnitsMessage::from_bytes(message.bytes));
      break;
    case kSignal:
      request_ = std::max(request_, ByteReader(message.bytes).get<Request>());
      break;
    case kStopped:
      ++n_stopped_;
      break;
    case kGone:
      ++n_gone_;
      break;
    default:
      require(false, "rank 0 knows every message");
  }
}

void Coordinator::take_units(int source, const UnitsMessage& message) {
  awaits_units_.erase(source);
  const auto found = running_.find(message.task);
  if (found == running_.end()) return;
  auto& running = found->second;
  require(message.first_unit <= running.units.size(), "units arrive in order");
  running.units.resize(message.first_unit);
  running.units.insert(running.units.end(), message.units.begin(), message.units.end());
  running.fit_s = message.fit_s;
  has_news_ = has_news_ || !message.units.empty();
}

void Coordinator::take_result(search::TaskResult result) {
  running_.erase(result.task);
  phase_.consume(std::move(result));
  has_news_ = true;
}

std::optional<TaskMessage> Coordinator::next_task() {
  const auto task = phase_.next_task();
  if (!task) return std::nullopt;
  TaskMessage message{*task, {}};
  message.resumed.task = task->id;
  if (const auto found = resumed_.find(task->id); found != resumed_.end()) {
    message.resumed = std::move(found->second);
    resumed_.erase(found);
  }
  return message;
}

void Coordinator::hand_out() {
  while (!idle_.empty()) {
    auto message = next_task();
    if (!message) return;
    const int worker = idle_.front();
    idle_.pop_front();
    world_.send(worker, kTask, message->to_bytes());
    task_of_worker_[worker] = message->task.id;
    running_[message->task.id] = std::move(message->resumed);
  }
}

void Coordinator::work_on_own_task() {
  auto message = next_task();
  if (!message) return;
  setup_.tasks.pool.set_poll_hook([this] { return serve(); });
  // While the fit is rebuilt from its units, a checkpoint takes them from here.
  running_[message->task.id] = message->resumed;
  try {
    own_.emplace(setup_.tasks, message->task, std::move(message->resumed));
    running_.erase(message->task.id);
    auto result = own_->finish();
    own_.reset();
    // What the fit worked in lies between trees that stay; the next fit would not fill the gaps.
    if (message->task.fold == search::kRefitFold) give_back_free_memory();
    take_result(std::move(result));
  } catch (const Stopped&) {
    // The finished units go into the checkpoint of the stop.
    if (own_) {
      auto running = own_->snapshot();
      own_.reset();
      running_[running.task] = std::move(running);
    }
    has_news_ = true;
  }
  setup_.tasks.pool.set_poll_hook({});
}

void Coordinator::look_at_signals() {
  request_ = std::max(request_, requested());
  if (request_ == Request::kNone || is_stopping_) return;
  if (request_ == Request::kCheckpoint) {
    request_ = Request::kNone;
    clear_checkpoint_request();
    log::info("signal: writing a checkpoint and going on");
    has_news_ = true;
    begin_checkpoint();
    return;
  }
  begin_stop();
}

void Coordinator::begin_stop() {
  is_stopping_ = true;
  is_pulling_ = false;
  log::info("signal: stopping at the next poll, with a checkpoint");
  for (int rank = 1; rank < world_.size(); ++rank) world_.send(rank, kStop, {});
}

void Coordinator::look_at_clock() {
  if (is_pulling_) {
    if (awaits_units_.empty()) {
      is_pulling_ = false;
      save_checkpoint();
    }
    return;
  }
  if (monotonic_s() >= next_save_s_) begin_checkpoint();
}

void Coordinator::begin_checkpoint() {
  if (is_pulling_ || setup_.sink == nullptr) return;
  is_pulling_ = true;
  for (const auto& [worker, task] : task_of_worker_) {
    awaits_units_[worker] = true;
    world_.send(worker, kPull, {});
  }
}

void Coordinator::save_checkpoint() {
  if (setup_.sink == nullptr) return;
  if (request_ == Request::kStopSoon && last_cost_s_ > kGraceOfTerm_s) {
    log::warning(
        format("the last checkpoint took {:.1f} s, longer than a launcher waits after "
               "SIGTERM; none is begun, the previous one stands",
               last_cost_s_));
    return;
  }
  std::vector<search::RunningTask> running;
  for (const auto& [id, task] : running_) running.push_back(task);
  for (const auto& [id, task] : resumed_) running.push_back(task);
  if (own_) {
    running.push_back(own_->snapshot());
    has_news_ = true;
  }
  const double begin_s = monotonic_s();
  if (!has_news_ && !is_stopping_) {
    next_save_s_ = begin_s + setup_.checkpoint_interval_s;
    return;
  }
  std::sort(running.begin(), running.end(),
            [](const auto& a, const auto& b) { return a.task < b.task; });
  try {
    setup_.sink->save(setup_.make_snapshot(std::move(running)));
    has_news_ = false;
    last_save_s_ = monotonic_s();
    last_cost_s_ = last_save_s_ - begin_s;
  } catch (const Error& error) {
    if (is_stopping_ || error.kind() != ErrorKind::kOutput) throw;
    log::warning(format("{}; the job goes on and tries again", error.what()));
  }
  next_save_s_ =
      monotonic_s() + std::max(setup_.checkpoint_interval_s, last_cost_s_ / kMaxCheckpointShare);
}

void Coordinator::show_progress() {
  if (!setup_.on_progress) return;
  const double now_s = monotonic_s();
  search::Progress progress;
  progress.n_done = phase_.n_done();
  progress.n_tasks = phase_.tasks().size();
  progress.n_running = running_.size() + (own_ ? 1 : 0);
  progress.fraction = phase_.done_fraction();
  progress.elapsed_s = now_s - began_s_;
  progress.since_checkpoint_s = now_s - last_save_s_;
  setup_.on_progress(progress);
}

}  // namespace orchard::run
