#pragma once
// The bounded OpenMP pool of a rank: the only place with OpenMP in it.
//
// Threads that wait should sleep, after a moment in which most waits end. libgomp decides this
// before main, from OMP_WAIT_POLICY=passive and GOMP_SPINCOUNT in the environment: the program sees
// to it that the variables are set when it starts.

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "orchard/base/pulse.hpp"
#include "orchard/base/types.hpp"

namespace orchard::parallel {

/// Runs loops on a fixed number of threads. Thread 0 is the thread that built the pool, the only
/// one that may enter it and the only one that may communicate; between its own chunks, and while
/// it waits for the chunks of others, it runs the poll hook, through which a rank answers messages
/// and learns that it should stop.
///
/// Results never depend on the number of threads: chunk borders depend on the item count alone,
/// and what is combined over chunks must be combined by order-free operations (integer sums) or in
/// chunk order by the caller.
class Pool {
 public:
  /// Called with the borders of a chunk and the thread that has it, in [0, n_threads()).
  using ChunkBody = std::function<void(std::size_t begin, std::size_t end, int thread)>;

  /// Threads: `n_threads` >= 1, else kInternal. Work beats the pulse that the calling thread has
  /// now, which must outlive the pool.
  explicit Pool(int n_threads);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  int n_threads() const { return n_threads_; }

  /// The hook returns true to ask for a stop. It runs on thread 0 only, at most every 20 ms; what
  /// it throws leaves through for_chunks or poll. A new hook takes back a stop that the old one
  /// asked for. Thread 0 only, not from inside for_chunks.
  void set_poll_hook(std::function<bool()> hook);

  /// Calls body(begin, end, thread) for every chunk [begin, end) of [0, n_items), in any order.
  /// When bodies throw, the exception of the lowest chunk that threw is rethrown here after all
  /// threads have left, and chunks not yet begun are skipped: which exception that is does not
  /// depend on the number of threads. Throws Stopped when the hook asked to stop, at once when it
  /// did so earlier: remaining chunks are skipped. Throws kInternal when entered from inside
  /// itself (from any thread) or by another thread than thread 0.
  void for_chunks(std::size_t n_items, std::size_t chunk_size, const ChunkBody& body);

  /// To be called at least every few milliseconds of long work, from any thread of the pool, inside
  /// or outside of for_chunks. Beats the rank's pulse; runs the hook when this is thread 0. Throws
  /// Stopped, and goes on doing so until a new hook is installed.
  void poll();

 private:
  struct Loop;
  void run_inline(const Loop& loop);
  void run_threads(Loop& loop);
  void run_share(Loop& loop, int thread);
  void poll_until_others_are_done(Loop& loop, int n_others);
  /// Runs the hook on thread 0 when 20 ms have passed since it last did.
  void run_hook();
  void beat() const {
    if (pulse_ != nullptr) pulse_->beat();
  }
  bool is_thread_0() const { return std::this_thread::get_id() == owner_; }

  int n_threads_;
  std::thread::id owner_;
  Pulse* const pulse_;  // or null
  bool has_own_cores_;  // a thread that waits a little while keeps no other one waiting
  std::function<bool()> hook_;
  double next_poll_s_ = 0;
  bool is_in_hook_ = false;
  std::atomic<bool> is_stopped_{false};
  std::atomic<bool> is_inside_{false};
};

/// Number of cores this process may run on (affinity mask and cgroup quota, rounded up), at least
/// 1. Local.
int allowed_cores();
/// The affinity mask as a list of core numbers, ascending, e.g. for exchange between the ranks of a
/// node. Local.
std::vector<int> affinity_mask();
/// Lets the calling thread, and those it starts from now on, run on these cores alone; false when
/// the system refuses. Local.
bool keep_to(const std::vector<int>& cores);

}  // namespace orchard::parallel
