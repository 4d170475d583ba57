#include "orchard/base/ticker.hpp"

#include <pthread.h>

#include <chrono>
#include <csignal>
#include <utility>

namespace orchard {
namespace {

/// A thread that begins meanwhile gets no signals: they are for the thread that does the work.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsHeld() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

Ticker::Ticker(double interval_s, std::function<bool()> tick) {
  const SignalsHeld held;
  thread_ = std::thread(
      [this, interval = std::chrono::duration<double>(interval_s), tick = std::move(tick)] {
        std::unique_lock lock(mutex_);
        while (!ended_.wait_for(lock, interval, [this] { return is_ended_; })) {
          lock.unlock();
          if (!tick()) return;
          lock.lock();
        }
      });
}

Ticker::~Ticker() {
  {
    const std::lock_guard lock(mutex_);
    is_ended_ = true;
  }
  ended_.notify_one();
  thread_.join();
}

}  // namespace orchard
