#pragma once
// A thread that does something small again and again.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace orchard {

/// Calls `tick` every `interval_s` seconds, on a thread of its own that no signal interrupts, until
/// it returns false or the ticker goes; the first time after one interval. `tick` must not throw.
class Ticker {
 public:
  Ticker(double interval_s, std::function<bool()> tick);
  /// Waits for a tick that is under way.
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool is_ended_ = false;
  std::thread thread_;
};

}  // namespace orchard
