// The clock of a simulation, in the place of src/base/clock.cpp: time passes for a rank when it
// sleeps, and when SMPI lets its messages and its own computing take time.

#include "orchard/base/clock.hpp"

#include <smpi/smpi_helpers_internal.h>

#include <ctime>

namespace orchard {

double monotonic_s() {
  std::timespec now{};
  smpi_clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double wall_s() { return monotonic_s(); }

std::string utc_timestamp() { return "19700101T000000Z"; }

void sleep_s(double seconds) {
  const auto whole_s = static_cast<std::time_t>(seconds);
  const std::timespec duration{whole_s,
                               static_cast<long>(1e9 * (seconds - static_cast<double>(whole_s)))};
  smpi_nanosleep(&duration, nullptr);
}

}  // namespace orchard
