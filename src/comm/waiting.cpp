#include "waiting.hpp"

#include <algorithm>
#include <optional>
#include <thread>

#include "orchard/base/clock.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/pulse.hpp"
#include "orchard/base/text.hpp"

namespace orchard::comm {
namespace {

constexpr double kSpin_s = 200e-6;
/// A sleep is this share of what has been waited: so much later than possible a wait may end.
constexpr double kSleepShare = 0.125;
constexpr double kLongestSleep_s = 1e-3;
/// A wait as long as this is told to those who watch.
constexpr double kWorthTelling_s = 0.2;

}  // namespace

void wait_until(const std::function<bool()>& is_done, double deadline_s,
                const std::function<std::string()>& describe) {
  if (is_done()) return;
  double waited_s = 0;
  StepClock clock;
  std::optional<Doing> doing;
  while (!is_done()) {
    waited_s += clock.step_s();
    if (waited_s > deadline_s) {
      throw Error(ErrorKind::kInternal,
                  format("{}: nothing came for {}", describe(), print_duration(deadline_s)));
    }
    if (waited_s < kSpin_s) {
      std::this_thread::yield();
      continue;
    }
    beat();  // who waits is not who keeps the others waiting
    if (waited_s > kWorthTelling_s && !doing) doing.emplace(describe());
    sleep_s(std::min(kSleepShare * waited_s, kLongestSleep_s));
  }
}

}  // namespace orchard::comm
