#include "coordinator.hpp"

#include <algorithm>
#include <set>
#include <utility>

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
      n_tasks_of_worker_(static_cast<std::size_t>(world.size()), 0),
      workforce_(world.size()),
      crew_(world, setup, {[this] { return serve(); }, [this] { hand_over_own_units(); }}),
      awaited_(setup.answer_deadline_s),
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
    if (own_ || !own_groups_.empty()) {
      waiting_.reset();
      use_.begin_task();
      work();
      use_.end_task();
      nap_s = 50e-6;
    } else if (is_stopping_ ? awaited_.have_all_answered() : phase_.is_done()) {
      break;
    } else {
      tell_of_waiting();
      sleep_s(is_stopping_ ? 100e-6 : nap_s);
      nap_s = std::min(nap_s * 1.5, 1e-3);
    }
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
  for (const int rank : workers()) world_.send(rank, kEnd, {});
  is_pulling_ = false;
  awaited_.begin("the last word of the phase", workers());
  while (!awaited_.have_all_answered()) {
    awaited_.check();
    tell_of_waiting();
    if (const auto message = world_.try_receive()) {
      take(*message);
    } else {
      sleep_s(50e-6);
    }
  }
  waiting_.reset();
  world_.flush();
  workforce_.take(0, {0, crew_.n_bytes(), crew_.n_trees()});
  tell_of_groups();
}

void Coordinator::tell_of_groups() const {
  if (phase_.tasks().empty()) return;
  if (const auto unused = workforce_.unused(); !unused.empty()) {
    log::info(
        format("rank{} {} had nothing to do", unused.size() == 1 ? "" : "s", print_ranks(unused)));
  }
  if (const auto n_trees = workforce_.n_group_trees(); n_trees > 0) {
    log::info(format("{} grown by groups of ranks, which sent {} for each",
                     counted(n_trees, "tree"), print_bytes(workforce_.n_group_bytes() / n_trees)));
  }
}

/// For those who watch this rank.
void Coordinator::tell_of_waiting() {
  constexpr std::size_t kMaxNamed = 8;
  beat();
  if (waiting_ && n_told_ == groups_.size()) return;
  n_told_ = groups_.size();
  std::string text;
  std::size_t n_named = 0;
  for (const auto& [task, group] : groups_) {
    if (n_named == kMaxNamed) break;
    text += format("{}task {} of rank {}", n_named++ == 0 ? "" : ", ", task, group.ranks.front());
  }
  if (n_told_ > n_named) text += format(" and {} more", n_told_ - n_named);
  waiting_.reset();
  waiting_.emplace("waits for " + (text.empty() ? std::string("the other ranks") : text));
}

bool Coordinator::serve() {
  while (const auto message = world_.try_receive()) take(*message);
  look_at_signals();
  if (!is_stopping_) {
    hand_out();
    look_at_clock();
  }
  awaited_.check();
  show_progress();
  return is_stopping_;
}

void Coordinator::take(const comm::Message& message) {
  switch (message.tag) {
    case kReady:
      ready_.push_back(message.source);
      break;
    case kResult:
      take_result(search::TaskResult::from_bytes(message.bytes));
      note_private_bytes();  // the trees are there twice
      --n_tasks_of_worker_[static_cast<std::size_t>(message.source)];
      break;
    case kIdle:
      workforce_.take(message.source, IdleMessage::from_bytes(message.bytes));
      break;
    case kUnits:
      if (is_pulling_) awaited_.note_answer(message.source);
      take_units(UnitsMessage::from_bytes(message.bytes));
      break;
    case kRegrouped: {
      const auto units = UnitsMessage::from_bytes(message.bytes);
      growing_.erase(units.task);
      take_units(units);
      break;
    }
    case kSignal:
      request_ = std::max(request_, ByteReader(message.bytes).get<Request>());
      break;
    case kStopped:
    case kGone:
      awaited_.note_answer(message.source);
      break;
    default:
      require(false, "rank 0 knows every message");
  }
}

void Coordinator::take_units(const UnitsMessage& message) {
  const auto found = running_.find(message.task);
  if (found == running_.end()) return;
  auto& running = found->second;
  require(message.first_unit <= running.units.size(), "units arrive in order");
  running.units.resize(message.first_unit);
  running.units.insert(running.units.end(), message.units.begin(), message.units.end());
  running.fit_s = message.fit_s;
  phase_.observe(message.task, running.units.size(), running.fit_s);
  has_news_ = has_news_ || !message.units.empty();
}

void Coordinator::take_result(search::TaskResult result) {
  running_.erase(result.task);
  groups_.erase(result.task);
  growing_.erase(result.task);
  phase_.consume(std::move(result));
  has_news_ = true;
}

void Coordinator::work() {
  if (own_) {
    lead_own_task();
  } else {
    const auto ranks = std::move(own_groups_.front());
    own_groups_.pop_front();
    crew_.follow(ranks);
  }
  if (own_groups_.empty()) workforce_.release(0);
}

void Coordinator::lead_own_task() {
  auto message = *std::exchange(own_, std::nullopt);
  const bool is_refit = message.task.fold == search::kRefitFold;
  auto result = crew_.lead(std::move(message));
  if (!result) keep_own_units();  // they go into the checkpoint of the stop
  crew_.drop();
  if (!result) return;
  --n_tasks_of_worker_.front();
  // What the fit worked in lies between trees that stay; the next fit would not fill the gaps.
  if (is_refit) give_back_free_memory();
  take_result(std::move(*result));
}

/// Before a fit of rank 0 goes on with more ranks.
void Coordinator::hand_over_own_units() {
  growing_.erase(crew_.work()->task().id);
  keep_own_units();
}

/// What a fit of rank 0 has grown, as if it had been pulled.
void Coordinator::keep_own_units() {
  if (!crew_.is_leading() || !crew_.work()) return;
  auto running = crew_.work()->snapshot();
  const auto found = running_.find(running.task);
  if (found == running_.end()) return;
  found->second = std::move(running);
  has_news_ = true;
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
  for (const int rank : workers()) world_.send(rank, kStop, {});
  awaited_.begin("the stop", workers());
}

void Coordinator::look_at_clock() {
  if (is_pulling_) {
    if (awaited_.have_all_answered()) {
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
  const auto leaders = workers(true);
  for (const int rank : leaders) world_.send(rank, kPull, {});
  awaited_.begin("what was grown", leaders);
}

std::vector<int> Coordinator::workers(bool with_tasks_only) const {
  std::vector<int> ranks;
  for (int rank = 1; rank < world_.size(); ++rank) {
    if (with_tasks_only && n_tasks_of_worker_[static_cast<std::size_t>(rank)] == 0) continue;
    ranks.push_back(rank);
  }
  return ranks;
}

void Coordinator::save_checkpoint() {
  if (setup_.sink == nullptr) return;
  const Doing doing("writes a checkpoint", Beats::kNone);
  if (request_ == Request::kStopSoon && last_cost_s_ > kGraceOfTerm_s) {
    log::warning(
        format("the last checkpoint took {:.1f} s, longer than a launcher waits after "
               "SIGTERM; none is begun, the previous one stands",
               last_cost_s_));
    return;
  }
  keep_own_units();
  std::vector<search::RunningTask> running;
  for (const auto& [id, task] : running_) running.push_back(task);
  for (const auto& [id, task] : resumed_) running.push_back(task);
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
  progress.n_running = running_.size();
  progress.fraction = phase_.done_fraction();
  progress.elapsed_s = now_s - began_s_;
  progress.since_checkpoint_s = now_s - last_save_s_;
  setup_.on_progress(progress);
}

}  // namespace orchard::run
