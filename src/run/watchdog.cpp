#include "orchard/run/watchdog.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <limits>
#include <new>
#include <optional>
#include <vector>

#include "orchard/base/clock.hpp"
#include "orchard/base/log.hpp"
#include "orchard/base/process.hpp"
#include "orchard/base/text.hpp"
#include "orchard/base/ticker.hpp"

namespace orchard::run {
namespace {

/// What a rank without beats is granted while it does what has none.
constexpr double kSilentFactor = 10;
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
    if (settings_.patience_s <= 0) return;
    seen_.resize(places_.size());
    clock_ = StepClock();
    ticker_.emplace(std::min(0.5, settings_.patience_s / 8), [this] { return watch(); });
  }

  ~Watch() {
    set_own_pulse(nullptr);
    own_->pulse.end();
  }

 private:
  /// What was seen of a rank.
  struct Seen {
    std::uint64_t n_beats = 0;
    double silent_s = 0;
    bool is_stuck = false;
  };

  /// A look at all pulses; false when this was the last.
  bool watch() {
    const double step_s = clock_.step_s();
    bool is_one_stuck = false;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const auto& pulse = places_[i]->pulse;
      auto& seen = seen_[i];
      const auto n_beats = pulse.n_beats();
      seen.silent_s = n_beats == seen.n_beats ? seen.silent_s + step_s : 0;
      seen.n_beats = n_beats;
      const double patience_s = settings_.patience_s * (pulse.is_silent() ? kSilentFactor : 1);
      seen.is_stuck = n_beats != 0 && seen.silent_s > patience_s;
      is_one_stuck = is_one_stuck || seen.is_stuck;
    }
    if (!is_one_stuck && !shared_.has_reporter) return true;
    end();
    return false;
  }

  void end() {
    if (shared_.has_reporter.exchange(true)) {
      if (settings_.end_job) return;
      sleep_s(kTimeToReport_s);
      std::_Exit(1);
    }
    const auto text = report();
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

  std::string report() const {
    std::string stuck, others;
    double silent_s = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const auto& place = *places_[i];
      if (place.pulse.n_beats() == 0) continue;
      const auto doing = place.pulse.doing();
      auto& text = seen_[i].is_stuck ? stuck : others;
      if (seen_[i].is_stuck) silent_s = std::min(silent_s, seen_[i].silent_s);
      text += format("{}rank {} ({})", text.empty() ? "" : ", ", place.world_rank.load(),
                     doing.empty() ? "starts" : doing);
    }
    return format(
        "no progress for {} on {}: {}. {}The job ends; a restart goes on from its last checkpoint "
        "(parallel.watchdog sets how long is waited).",
        print_duration(silent_s), host_name(), stuck,
        others.empty() ? "" : format("Meanwhile: {}. ", others));
  }

  const WatchdogSettings settings_;
  comm::SharedMemory memory_;  // until the process ends: freeing it is collective
  const bool is_reporter_of_log_;
  Shared& shared_;
  std::vector<Place*> places_;
  Place* own_ = nullptr;
  // Of the thread that watches; it ends first.
  std::vector<Seen> seen_;
  StepClock clock_;
  std::optional<Ticker> ticker_;
};

Watchdog::Watchdog(comm::Communicator& node, int world_rank, WatchdogSettings settings)
    : watch_(std::make_unique<Watch>(node, world_rank, std::move(settings))) {}

Watchdog::~Watchdog() = default;

}  // namespace orchard::run
