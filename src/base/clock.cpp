#include "orchard/base/clock.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <thread>
#include <utility>

namespace orchard {

double monotonic_s() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

double wall_s() {
  using namespace std::chrono;
  return duration<double>(system_clock::now().time_since_epoch()).count();
}

std::string utc_timestamp() {
  const std::time_t now = static_cast<std::time_t>(wall_s());
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &utc);
  return text;
}

void sleep_s(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

double StepClock::step_s() {
  constexpr double kLongest_s = 1;
  const double now_s = monotonic_s();
  return std::min(now_s - std::exchange(last_s_, now_s), kLongest_s);
}

}  // namespace orchard
