#pragma once
// How one rank has spent a phase.

#include <algorithm>

#include "orchard/base/clock.hpp"

namespace orchard::run {

/// Told of the beginning and end of every task; both are read from the clock.
class RankUse {
 public:
  void begin_task() {
    began_s_ = monotonic_s();
    if (has_ended_one_) longest_wait_s_ = std::max(longest_wait_s_, began_s_ - ended_s_);
  }
  void end_task() {
    ended_s_ = monotonic_s();
    busy_s_ += ended_s_ - began_s_;
    has_ended_one_ = true;
  }

  double busy_s() const { return busy_s_; }
  /// Between the end of a task and the beginning of the next.
  double longest_wait_s() const { return longest_wait_s_; }

 private:
  double began_s_ = 0, ended_s_ = 0, busy_s_ = 0, longest_wait_s_ = 0;
  bool has_ended_one_ = false;
};

}  // namespace orchard::run
