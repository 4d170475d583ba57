#pragma once
// Ends the job when a rank makes no progress. A thread of every process looks at the pulses of the
// ranks of its node; it calls no MPI, and so works also where MPI hangs.

#include <functional>
#include <memory>
#include <string>

#include "orchard/base/pulse.hpp"
#include "orchard/comm/communicator.hpp"

namespace orchard::run {

struct WatchdogSettings {
  /// Without a beat; work that is said to have none may last ten times as long; 0: nobody watches.
  double patience_s = 600;
  std::string log_path;  ///< of rank 0, appended to by whichever rank reports; may be empty
  /// What to do with the report, on the watchdog's thread; by default it is printed, appended to
  /// the log, and the process left with exit code 1, after which the launcher ends the other ranks.
  std::function<void(const std::string& report)> end_job;
};

/// From its construction on the calling thread's rank has a pulse and is watched.
class Watchdog {
 public:
  /// `world_rank` is how the rank is called in reports. Collective over `node`.
  Watchdog(comm::Communicator& node, int world_rank, WatchdogSettings settings);
  /// Local, on the thread that built it: this rank is watched no longer, and watches no more.
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  class Watch;
  std::unique_ptr<Watch> watch_;
};

}  // namespace orchard::run
