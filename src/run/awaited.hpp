#pragma once
// Ranks that owe rank 0 an answer.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "orchard/base/clock.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"
#include "orchard/run/layout.hpp"

namespace orchard::run {

/// Answers come at polls, so one that is long due will not come: a process was stopped, or hangs.
class Awaited {
 public:
  explicit Awaited(double deadline_s) : deadline_s_(deadline_s) {}

  /// Each of `ranks` (ascending) owes `what`; who owed something else does so no longer.
  void begin(std::string what, std::vector<int> ranks) {
    what_ = std::move(what);
    ranks_ = std::move(ranks);
    waited_s_ = 0;
    clock_ = StepClock();
  }
  void note_answer(int rank) { std::erase(ranks_, rank); }
  bool have_all_answered() const { return ranks_.empty(); }

  /// Throws kInternal, naming those that have not answered, when they were waited for too long.
  void check() {
    if (ranks_.empty()) return;
    waited_s_ += clock_.step_s();
    if (waited_s_ <= deadline_s_) return;
    throw Error(
        ErrorKind::kInternal,
        format("waits for {} from rank{} {}: nothing came for {}", what_,
               ranks_.size() == 1 ? "" : "s", print_ranks(ranks_), print_duration(waited_s_)),
        "", "parallel.watchdog sets how long is waited.");
  }

 private:
  double deadline_s_;
  std::string what_;
  std::vector<int> ranks_;
  StepClock clock_;
  double waited_s_ = 0;
};

}  // namespace orchard::run
