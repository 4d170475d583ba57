#pragma once

#include <algorithm>
#include <string>
#include <utility>

namespace orchard {

/// Seconds on a clock that never jumps; the origin is arbitrary.
double monotonic_s();
/// Seconds since 1970 on the wall clock.
double wall_s();
/// "20261121T222030Z": UTC, sorts by time, safe in file names.
std::string utc_timestamp();

/// Sleeps without spinning.
void sleep_s(double seconds);

/// Cuts time into steps. A step of more than a second tells that this process was stopped meanwhile
/// (a suspended job) and counts for one.
class StepClock {
 public:
  /// Seconds since the last step, or since the clock was made.
  double step_s() {
    const double now_s = monotonic_s();
    return std::min(now_s - std::exchange(last_s_, now_s), kLongest_s);
  }

 private:
  static constexpr double kLongest_s = 1;
  double last_s_ = monotonic_s();
};

}  // namespace orchard
