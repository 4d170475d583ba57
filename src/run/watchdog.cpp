#include "orchard/run/watchdog.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "orchard/base/clock.hpp"
#include "orchard/base/log.hpp"
#include "orchard/base/process.hpp"
#include "orchard/base/text.hpp"

namespace orchard::run {
namespace {

/// What a rank without beats is granted while it does what has none.
constexpr double kSilentFactor = 10;
/// A longer step means that this process was stopped itself (a suspended job).
constexpr double kLongestStep_s = 1;
/// Longer than the rank that reports needs for it.
constexpr double kTimeToReport_s = 3;
/// Writing the report itself may hang.
constexpr unsigned kPatienceWithReport_s = 5;

struct Place {
  Pulse pulse;
  std::atomic<std::int32_t> world_rank{0};
};

/// The shared memory of a node: everything is zero at first.
struct Shared {
  alignas(64) std::atomic<bool> has_reporter{false};
};

std::size_t place_at(std::size_t rank) { return sizeof(Shared) + rank * sizeof(Place); }

void append_to_log(const std::string& path, const std::string& text) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  char stamp[32] = {};
  localtime_r(&now, &parts);
  std::strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S ", &parts);
  std::ofstream(path, std::ios::app) << stamp << "orchard: " << text << '\n';
}

/// Signals are for the thread that does the work.
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

class Watchdog::Watch {
 public:
  Watch(comm::Communicator& node, int world_rank, WatchdogSettings settings)
      : settings_(std::move(settings)),
        memory_(node.allocate_shared(place_at(static_cast<std::size_t>(node.size())))),
        is_reporter_of_log_(world_rank == 0),
        shared_(*reinterpret_cast<Shared*>(memory_.data)) {
    for (std::size_t rank = 0; rank < static_cast<std::size_t>(node.size()); ++rank) {
      places_.push_back(reinterpret_cast<Place*>(memory_.data + place_at(rank)));
    }
    own_ = places_[static_cast<std::size_t>(node.rank())];
    own_->world_rank = world_rank;
    own_->pulse.beat();
    set_own_pulse(&own_->pulse);
    if (settings_.patience_s > 0) {
      const SignalsHeld held;
      thread_ = std::thread([this] { watch(); });
    }
  }

  ~Watch() {
    set_own_pulse(nullptr);
    own_->pulse.end();
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    over_.notify_one();
    thread_.join();
  }

 private:
  void watch() {
    struct Seen {
      std::uint64_t n_beats = 0;
      double silent_s = 0;
    };
    std::vector<Seen> seen(places_.size());
    const std::chrono::duration<double> interval(std::min(0.5, settings_.patience_s / 8));
    double last_s = monotonic_s();
    std::unique_lock lock(mutex_);
    while (!over_.wait_for(lock, interval, [this] { return is_over_; })) {
      const double now_s = monotonic_s();
      const double step_s = std::min(now_s - last_s, kLongestStep_s);
      last_s = now_s;
      bool is_one_stuck = false;
      std::vector<bool> are_stuck(places_.size());
      for (std::size_t i = 0; i < places_.size(); ++i) {
        const auto& pulse = places_[i]->pulse;
        const auto n_beats = pulse.n_beats();
        seen[i].silent_s = n_beats == seen[i].n_beats ? seen[i].silent_s + step_s : 0;
        seen[i].n_beats = n_beats;
        const double patience_s = settings_.patience_s * (pulse.is_silent() ? kSilentFactor : 1);
        are_stuck[i] = n_beats != 0 && seen[i].silent_s > patience_s;
        is_one_stuck = is_one_stuck || are_stuck[i];
      }
      if (is_one_stuck || shared_.has_reporter) {
        lock.unlock();
        end(are_stuck);
        return;
      }
    }
  }

  void end(const std::vector<bool>& are_stuck) {
    if (shared_.has_reporter.exchange(true)) {
      if (settings_.end_job) return;
      sleep_s(kTimeToReport_s);
      std::_Exit(1);
    }
    const auto text = report(are_stuck);
    if (settings_.end_job) return settings_.end_job(text);
    std::signal(SIGALRM, SIG_DFL);
    sigset_t alarm_only;
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &alarm_only, nullptr);
    alarm(kPatienceWithReport_s);
    log::error(text);
    if (!is_reporter_of_log_ && !settings_.log_path.empty()) {
      append_to_log(settings_.log_path, text);
    }
    std::_Exit(1);
  }

  std::string report(const std::vector<bool>& are_stuck) const {
    std::string stuck, others;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const auto& place = *places_[i];
      if (place.pulse.n_beats() == 0) continue;
      const auto doing = place.pulse.doing();
      auto& text = are_stuck[i] ? stuck : others;
      text += format("{}rank {} ({})", text.empty() ? "" : ", ", place.world_rank.load(),
                     doing.empty() ? "starts" : doing);
    }
    return format(
        "no progress for {} on {}: {}. {}The job ends; a restart goes on from its last checkpoint "
        "(parallel.watchdog sets how long is waited).",
        print_duration(settings_.patience_s), host_name(), stuck,
        others.empty() ? "" : format("Meanwhile: {}. ", others));
  }

  const WatchdogSettings settings_;
  comm::SharedMemory memory_;  // until the process ends: freeing it is collective
  const bool is_reporter_of_log_;
  Shared& shared_;
  std::vector<Place*> places_;
  Place* own_ = nullptr;
  std::mutex mutex_;
  std::condition_variable over_;
  bool is_over_ = false;
  std::thread thread_;
};

Watchdog::Watchdog(comm::Communicator& node, int world_rank, WatchdogSettings settings)
    : watch_(std::make_unique<Watch>(node, world_rank, std::move(settings))) {}

Watchdog::~Watchdog() = default;

}  // namespace orchard::run
