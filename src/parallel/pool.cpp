#include "orchard/parallel/pool.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <utility>

#include "orchard/base/clock.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/process.hpp"
#include "team.hpp"

namespace orchard::parallel {
namespace {

constexpr double kPollInterval_s = 0.020;
// Waiting so long before sleeping: more than most chunks differ by, and than waking takes.
constexpr double kSpin_s = 250e-6;

/// Holds a flag up for a scope.
class Raised {
 public:
  explicit Raised(std::atomic<bool>& flag) : flag_(flag) { flag_ = true; }
  ~Raised() { flag_ = false; }
  Raised(const Raised&) = delete;
  Raised& operator=(const Raised&) = delete;

 private:
  std::atomic<bool>& flag_;
};

}  // namespace

/// One call of for_chunks.
struct Pool::Loop {
  Loop(std::size_t n_items_, std::size_t chunk_size_, const ChunkBody& body_)
      : n_items(n_items_),
        chunk_size(chunk_size_),
        n_chunks((n_items_ - 1) / chunk_size_ + 1),
        body(body_) {}

  const std::size_t n_items, chunk_size, n_chunks;
  const ChunkBody& body;

  std::atomic<std::size_t> next_chunk{0};
  std::atomic<bool> is_failed{false}, is_stopped{false};

  std::mutex mutex;  // guards what follows
  std::condition_variable others_are_done;
  std::atomic<int> n_done{0};  // may be read without the mutex
  std::exception_ptr failure, hook_failure;
  std::size_t failed_chunk = std::numeric_limits<std::size_t>::max();

  void run(std::size_t chunk, int thread) const {
    const std::size_t begin = chunk * chunk_size;
    body(begin, begin + std::min(chunk_size, n_items - begin), thread);
  }

  void keep_failure(std::size_t chunk) {
    is_failed = true;
    const std::lock_guard lock(mutex);
    if (chunk >= failed_chunk) return;
    failed_chunk = chunk;
    failure = std::current_exception();
  }
};

Pool::Pool(int n_threads)
    : n_threads_(n_threads),
      owner_(std::this_thread::get_id()),
      pulse_(own_pulse()),
      has_own_cores_(n_threads > 1 && n_threads <= allowed_cores()) {
  require(n_threads >= 1, "a pool has at least one thread");
}

void Pool::set_poll_hook(std::function<bool()> hook) {
  require(is_thread_0() && !is_inside_, "thread 0 sets the poll hook, outside of for_chunks");
  hook_ = std::move(hook);
  next_poll_s_ = 0;
  is_stopped_ = false;
}

void Pool::for_chunks(std::size_t n_items, std::size_t chunk_size, const ChunkBody& body) {
  require(!is_inside_, "a pool is not entered from inside itself");
  require(is_thread_0(), "a pool is entered only by the thread that built it");
  require(chunk_size > 0, "a chunk holds at least one item");
  poll();
  if (n_items == 0) return;
  Loop loop(n_items, chunk_size, body);
  const Raised inside(is_inside_);
  if (n_threads_ == 1 || loop.n_chunks == 1) {
    run_inline(loop);
  } else {
    run_threads(loop);
  }
}

void Pool::run_inline(const Loop& loop) {
  for (std::size_t chunk = 0; chunk < loop.n_chunks; ++chunk) {
    poll();
    loop.run(chunk, 0);
  }
  if (is_stopped_) throw Stopped();
}

void Pool::run_threads(Loop& loop) {
  const auto n_wanted = std::min(static_cast<std::size_t>(n_threads_), loop.n_chunks);
  run_team(static_cast<int>(n_wanted), [&](int thread, int team_size) {
    run_share(loop, thread);
    if (thread == 0) {
      poll_until_others_are_done(loop, team_size - 1);
    } else {
      const std::lock_guard lock(loop.mutex);
      ++loop.n_done;
      loop.others_are_done.notify_one();
    }
  });
  if (loop.hook_failure) std::rethrow_exception(loop.hook_failure);
  if (loop.failure) std::rethrow_exception(loop.failure);
  if (is_stopped_ || loop.is_stopped) throw Stopped();
}

// Chunks are handed out in ascending order, so when one fails all lower ones have begun and will
// end: the lowest failure is always found.
void Pool::run_share(Loop& loop, int thread) {
  while (!loop.is_failed && !loop.is_stopped && !is_stopped_) {
    if (thread == 0) {
      try {
        run_hook();
      } catch (...) {
        loop.hook_failure = std::current_exception();
        loop.is_failed = true;
      }
      if (loop.is_failed || is_stopped_) return;
    }
    beat();
    const std::size_t chunk = loop.next_chunk.fetch_add(1, std::memory_order_relaxed);
    if (chunk >= loop.n_chunks) return;
    try {
      loop.run(chunk, thread);
    } catch (const Stopped&) {
      loop.is_stopped = true;
    } catch (...) {
      loop.keep_failure(chunk);
    }
  }
}

// A chunk of another thread may last seconds (a whole tree): the rank must stay responsive.
void Pool::poll_until_others_are_done(Loop& loop, int n_others) {
  if (!hook_) return;
  const auto are_done = [&] { return loop.n_done == n_others; };
  if (has_own_cores_) {
    const double sleep_from_s = monotonic_s() + kSpin_s;
    while (!are_done() && monotonic_s() < sleep_from_s) {
    }
  }
  std::unique_lock lock(loop.mutex);
  const std::chrono::duration<double> interval(kPollInterval_s);
  while (!loop.others_are_done.wait_for(lock, interval, are_done)) {
    if (loop.hook_failure) continue;
    lock.unlock();
    try {
      run_hook();
    } catch (...) {
      loop.hook_failure = std::current_exception();
      loop.is_failed = true;
    }
    lock.lock();
  }
}

void Pool::run_hook() {
  // The hook may use code that polls.
  if (is_in_hook_ || is_stopped_) return;
  if (monotonic_s() < next_poll_s_) return;
  note_private_bytes();
  next_poll_s_ = monotonic_s() + kPollInterval_s;
  if (!hook_) return;
  is_in_hook_ = true;
  try {
    if (hook_()) is_stopped_ = true;
  } catch (...) {
    is_in_hook_ = false;
    throw;
  }
  is_in_hook_ = false;
  next_poll_s_ = monotonic_s() + kPollInterval_s;
}

void Pool::poll() {
  beat();
  if (is_thread_0()) run_hook();
  if (is_stopped_) throw Stopped();
}

}  // namespace orchard::parallel
