#pragma once
// One task at work on this rank: its fit, its clock, and which of its units rank 0 already has.

#include <memory>

#include "messages.hpp"
#include "orchard/base/clock.hpp"
#include "orchard/search/task_runner.hpp"

namespace orchard::run {

class TaskWork {
 public:
  TaskWork(const search::TaskContext& context, const search::TaskSpec& task,
           search::RunningTask resumed)
      : task_(task.id), resumed_s_(resumed.fit_s), began_s_(monotonic_s()) {
    try {
      runner_ = std::make_unique<search::TaskRunner>(context, task, std::move(resumed.units));
      n_sent_ = runner_->units().size();
    } catch (const Error& error) {
      note_failure(error);
    }
  }

  /// Grows the fit to its end and judges it. A fit that cannot succeed gives a result with the
  /// reason; Stopped passes through, as does every fault of ours.
  search::TaskResult finish() {
    search::TaskResult result;
    double fit_end_s = monotonic_s();
    if (failure_.empty()) {
      try {
        while (!runner_->is_done()) runner_->step();
        fit_end_s = monotonic_s();
        result = runner_->result();
      } catch (const Error& error) {
        note_failure(error);
      }
    }
    result.task = task_;
    if (!failure_.empty()) result.failure = failure_;
    result.fit_s = resumed_s_ + (fit_end_s - began_s_);
    result.score_s = monotonic_s() - fit_end_s;
    return result;
  }

  /// Units that rank 0 does not have yet; counts them as sent.
  UnitsMessage new_units() {
    UnitsMessage message;
    if (!failure_.empty()) return message;
    const auto& units = runner_->units();
    message.task = task_;
    message.first_unit = n_sent_;
    message.fit_s = fit_s();
    message.units.assign(units.begin() + static_cast<std::ptrdiff_t>(n_sent_), units.end());
    n_sent_ = units.size();
    return message;
  }

  /// Everything so far, as a checkpoint holds it.
  search::RunningTask snapshot() const {
    search::RunningTask running;
    running.task = task_;
    running.fit_s = fit_s();
    if (failure_.empty()) running.units = runner_->units();
    return running;
  }

 private:
  void note_failure(const Error& error) {
    if (error.kind() != ErrorKind::kData) throw error;
    failure_ = error.what();
  }
  double fit_s() const { return resumed_s_ + (monotonic_s() - began_s_); }

  std::int32_t task_;
  double resumed_s_;
  std::size_t n_sent_ = 0;
  double began_s_;
  std::string failure_;
  std::unique_ptr<search::TaskRunner> runner_;
};

}  // namespace orchard::run
