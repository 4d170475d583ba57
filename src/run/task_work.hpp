#pragma once
// One task at work on this rank: its fit, its clock, and which of its units rank 0 already has.

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>

#include "messages.hpp"
#include "orchard/base/clock.hpp"
#include "orchard/base/process.hpp"
#include "orchard/base/pulse.hpp"
#include "orchard/base/text.hpp"
#include "orchard/search/runner.hpp"

namespace orchard::run {

class TaskWork {
 public:
  TaskWork(const search::RunnerFactory& make_runner, const search::TaskSpec& task,
           search::RunningTask resumed)
      : task_(task),
        resumed_s_(resumed.fit_s),
        began_s_(monotonic_s()),
        doing_(format("works on task {}", task.id)) {
    try {
      runner_ = make_runner(task, std::move(resumed.units));
      n_resumed_ = n_sent_ = runner_->units().size();
    } catch (const Error& error) {
      note_failure(error);
    }
  }

  /// Grows the fit to its end, or until `leaves` says so at a unit's border; true at the end. A fit
  /// that cannot succeed is at its end; Stopped passes through, as does every fault of ours.
  bool grow(const std::function<bool()>& leaves) {
    try {
      while (failure_.empty() && !runner_->is_done()) {
        if (leaves()) return false;
        runner_->step();
      }
    } catch (const Error& error) {
      note_failure(error);
    }
    fit_end_s_ = monotonic_s();
    return true;
  }

  /// Judges the finished fit, or says why there is none.
  search::TaskResult result() {
    search::TaskResult result;
    if (failure_.empty()) {
      try {
        result = runner_->result();
      } catch (const Error& error) {
        note_failure(error);
      }
    }
    note_private_bytes();
    result.task = task_.id;
    if (!failure_.empty()) result.failure = failure_;
    result.fit_s = resumed_s_ + (fit_end_s_ - began_s_);
    result.score_s = monotonic_s() - fit_end_s_;
    return result;
  }

  /// Trees grown since the work began.
  std::uint64_t n_new_trees() const {
    std::uint64_t n_trees = 0;
    if (!failure_.empty()) return n_trees;
    const auto& units = runner_->units();
    for (std::size_t unit = n_resumed_; unit < units.size(); ++unit) n_trees += units[unit].size();
    return n_trees;
  }

  /// Units that rank 0 does not have yet; counts them as sent.
  UnitsMessage new_units() {
    UnitsMessage message;
    if (!failure_.empty()) return message;
    const auto& units = runner_->units();
    message.task = task_.id;
    message.first_unit = n_sent_;
    message.fit_s = fit_s();
    message.units.assign(units.begin() + static_cast<std::ptrdiff_t>(n_sent_), units.end());
    n_sent_ = units.size();
    return message;
  }

  /// Everything so far, as a checkpoint holds it.
  search::RunningTask snapshot() const {
    search::RunningTask running;
    running.task = task_.id;
    running.fit_s = fit_s();
    if (failure_.empty()) running.units = runner_->units();
    return running;
  }

  const search::TaskSpec& task() const { return task_; }
  double elapsed_s() const { return monotonic_s() - began_s_; }
  /// How long the fit will go on, by the units grown here; infinite before the first.
  double remaining_s() const {
    if (!failure_.empty()) return 0;
    const auto n_grown = runner_->units().size() - n_resumed_;
    if (n_grown == 0) return std::numeric_limits<double>::infinity();
    const auto n_units = runner_->n_all_units();
    const auto n_left = n_units - std::min(n_units, n_resumed_ + n_grown);
    return elapsed_s() * static_cast<double>(n_left) / static_cast<double>(n_grown);
  }

 private:
  void note_failure(const Error& error) {
    if (error.kind() != ErrorKind::kData) throw error;
    failure_ = error.what();
  }
  double fit_s() const { return resumed_s_ + elapsed_s(); }

  search::TaskSpec task_;
  double resumed_s_;
  std::size_t n_resumed_ = 0, n_sent_ = 0;
  double began_s_, fit_end_s_ = 0;
  Doing doing_;
  std::string failure_;
  std::unique_ptr<search::Runner> runner_;
};

}  // namespace orchard::run
