#pragma once
// What a rank shows of itself while it works: that it goes on, and what it is doing. Written by the
// rank's own threads, read by whoever watches it, in this process or in another one of its node.

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace orchard {

/// Lies in memory that the ranks of a node share, which begins as zeros: that is a rank without a
/// pulse, which nobody watches. Every member may be called by any thread at any time.
class Pulse {
 public:
  /// Work goes on. Some nanoseconds; beats of several threads may count as one.
  void beat() {
    n_beats_.store(n_beats_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  /// A number that changes while work goes on; 0 before the first beat and after the end.
  std::uint64_t n_beats() const { return n_beats_.load(std::memory_order_relaxed); }
  void end() { n_beats_.store(0, std::memory_order_relaxed); }

  /// "grows task 5": the first 119 bytes are kept.
  void tell(std::string_view doing);
  /// What was told last. While it is being told, a mixture of two texts.
  std::string doing() const;

  /// Whether what is being done now has no beats in it for a long time, as writing to a slow file
  /// system.
  void set_silent(bool is_silent) { is_silent_.store(is_silent, std::memory_order_relaxed); }
  bool is_silent() const { return is_silent_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kWords = 15;
  // Apart from the text, so that beating does not disturb who reads it.
  alignas(64) std::atomic<std::uint64_t> n_beats_{0};
  alignas(64) std::array<std::atomic<std::uint64_t>, kWords> text_{};
  std::atomic<bool> is_silent_{false};
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "pulses are shared by processes");

/// The pulse of the rank whose thread 0 is the calling thread, or null.
Pulse* own_pulse();
/// Makes `pulse` that of the calling thread's rank; null takes it away.
void set_own_pulse(Pulse* pulse);
/// Beats the own pulse, if there is one.
void beat();

enum class Beats { kComing, kNone };

/// For a scope: what the calling thread's rank is doing. `kNone`: do not expect beats meanwhile.
class Doing {
 public:
  explicit Doing(std::string_view what, Beats beats = Beats::kComing);
  ~Doing();
  Doing(const Doing&) = delete;
  Doing& operator=(const Doing&) = delete;

 private:
  Pulse* pulse_;
  std::string before_;
  bool was_silent_ = false;
};

}  // namespace orchard
