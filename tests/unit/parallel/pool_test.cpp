#include "orchard/parallel/pool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <mutex>
#include <set>
#include <stdexcept>
#include <utility>

#include "orchard/base/clock.hpp"
#include "orchard/base/error.hpp"

namespace orchard::parallel {
namespace {

using Chunk = std::pair<std::size_t, std::size_t>;

std::vector<Chunk> chunks_of(Pool& pool, std::size_t n_items, std::size_t chunk_size) {
  std::mutex mutex;
  std::vector<Chunk> chunks;
  pool.for_chunks(n_items, chunk_size, [&](std::size_t begin, std::size_t end, int thread) {
    EXPECT_GE(thread, 0);
    EXPECT_LT(thread, pool.n_threads());
    const std::lock_guard lock(mutex);
    chunks.emplace_back(begin, end);
  });
  std::sort(chunks.begin(), chunks.end());
  return chunks;
}

ErrorKind kind_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "no orchard::Error was thrown";
  return ErrorKind::kUsage;
}

class PoolOf : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Threads, PoolOf, testing::Values(1, 2, 3, 8));

TEST_P(PoolOf, ChunksDependOnTheItemCountAlone) {
  Pool pool(GetParam());
  EXPECT_EQ(pool.n_threads(), GetParam());
  EXPECT_TRUE(chunks_of(pool, 0, 4).empty());
  EXPECT_EQ(chunks_of(pool, 1, 4), (std::vector<Chunk>{{0, 1}}));
  EXPECT_EQ(chunks_of(pool, 4, 4), (std::vector<Chunk>{{0, 4}}));
  EXPECT_EQ(chunks_of(pool, 10, 4), (std::vector<Chunk>{{0, 4}, {4, 8}, {8, 10}}));
  EXPECT_EQ(chunks_of(pool, 3, ~std::size_t{0}), (std::vector<Chunk>{{0, 3}}));
}

TEST_P(PoolOf, CoversEveryItemOnceOverManyLoops) {
  Pool pool(GetParam());
  for (std::size_t n_items = 0; n_items < 200; ++n_items) {
    std::vector<int> n_visits(n_items, 0);
    pool.for_chunks(n_items, 3, [&](std::size_t begin, std::size_t end, int) {
      for (std::size_t item = begin; item < end; ++item) ++n_visits[item];
    });
    EXPECT_THAT(n_visits, testing::Each(1));
  }
}

TEST_P(PoolOf, RethrowsTheFailureOfTheLowestChunkAndCanBeUsedAgain) {
  Pool pool(GetParam());
  for (int repeat = 0; repeat < 50; ++repeat) {
    try {
      pool.for_chunks(100, 1, [](std::size_t begin, std::size_t, int) {
        if (begin % 10 == 7) throw std::runtime_error(std::to_string(begin));
      });
      FAIL();
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "7");
    }
  }
  EXPECT_EQ(chunks_of(pool, 10, 5).size(), 2U);
}

TEST_P(PoolOf, RefusesToBeEnteredFromInsideItself) {
  Pool pool(GetParam());
  for (std::size_t n_items : {std::size_t{1}, std::size_t{50}}) {
    std::atomic<int> n_refused{0};
    pool.for_chunks(n_items, 1, [&](std::size_t, std::size_t, int) {
      try {
        pool.for_chunks(4, 2, [](std::size_t, std::size_t, int) {});
      } catch (const Error& error) {
        if (error.kind() == ErrorKind::kInternal) ++n_refused;
      }
    });
    EXPECT_EQ(n_refused, static_cast<int>(n_items));
  }
}

TEST_P(PoolOf, RunsTheHookOnThreadZeroNotTooOften) {
  Pool pool(GetParam());
  const auto owner = std::this_thread::get_id();
  int n_calls = 0;
  pool.set_poll_hook([&] {
    EXPECT_EQ(std::this_thread::get_id(), owner);
    ++n_calls;
    pool.poll();  // must not recurse
    return false;
  });
  const double start_s = monotonic_s();
  while (n_calls < 8 && monotonic_s() < start_s + 10) {
    pool.for_chunks(20, 1, [&](std::size_t, std::size_t, int) { pool.poll(); });
  }
  const double elapsed_s = monotonic_s() - start_s;
  EXPECT_EQ(n_calls, 8);
  EXPECT_LE(n_calls, static_cast<int>(elapsed_s / 0.020) + 1);
}

TEST_P(PoolOf, StopsWhenTheHookAsksAndStaysStopped) {
  Pool pool(GetParam());
  int n_calls = 0;
  pool.set_poll_hook([&] { return ++n_calls == 2; });
  std::atomic<std::size_t> n_chunks{0};
  const auto body = [&](std::size_t, std::size_t, int) {
    ++n_chunks;
    sleep_s(0.001);
  };
  EXPECT_THROW(pool.for_chunks(1000000, 1, body), Stopped);
  EXPECT_GT(n_chunks, 0U);
  EXPECT_LT(n_chunks, 100000U);
  const std::size_t n_before = n_chunks;
  EXPECT_THROW(pool.for_chunks(10, 1, body), Stopped);
  EXPECT_THROW(pool.poll(), Stopped);
  EXPECT_EQ(n_chunks, n_before);
  EXPECT_EQ(n_calls, 2);
  pool.set_poll_hook({});
  EXPECT_NO_THROW(pool.poll());
  EXPECT_NO_THROW(pool.for_chunks(10, 1, body));
  EXPECT_EQ(n_chunks, n_before + 10);
}

TEST_P(PoolOf, EndsOneLongChunkOfAnyThreadByPoll) {
  Pool pool(GetParam());
  const double start_s = monotonic_s();
  pool.set_poll_hook([&] { return monotonic_s() > start_s + 0.1; });
  EXPECT_THROW(pool.for_chunks(static_cast<std::size_t>(GetParam()), 1,
                               [&](std::size_t, std::size_t, int) {
                                 while (monotonic_s() < start_s + 10) {
                                   pool.poll();
                                   sleep_s(0.001);
                                 }
                               }),
               Stopped);
  EXPECT_LT(monotonic_s(), start_s + 5);
}

TEST_P(PoolOf, PrefersAFailureOverAStop) {
  Pool pool(GetParam());
  pool.set_poll_hook([] { return true; });
  EXPECT_THROW(pool.for_chunks(1, 1, [](std::size_t, std::size_t, int) {}), Stopped);
  bool is_stop_due = false;
  pool.set_poll_hook([&] { return is_stop_due; });
  EXPECT_THROW(pool.for_chunks(50, 1,
                               [&](std::size_t begin, std::size_t, int thread) {
                                 sleep_s(0.002);
                                 if (thread == 0) is_stop_due = true;
                                 if (begin == 0) throw std::runtime_error("found");
                               }),
               std::runtime_error);
}

TEST_P(PoolOf, PrefersAFailureOverTheStopOfALowerChunk) {
  Pool pool(GetParam());
  if (pool.n_threads() == 1) return;  // the first to leave ends the loop
  std::atomic<bool> is_failing{false};
  EXPECT_THROW(pool.for_chunks(2, 1,
                               [&](std::size_t begin, std::size_t, int) {
                                 if (begin == 1) {
                                   is_failing = true;
                                   throw std::runtime_error("found");
                                 }
                                 while (!is_failing) sleep_s(0.001);
                                 throw Stopped();
                               }),
               std::runtime_error);
  EXPECT_NO_THROW(pool.poll());
}

TEST_P(PoolOf, PassesOnWhatTheHookThrows) {
  Pool pool(GetParam());
  pool.set_poll_hook([]() -> bool { throw Error(ErrorKind::kResources, "hook"); });
  const auto body = [](std::size_t, std::size_t, int) { sleep_s(0.001); };
  EXPECT_EQ(kind_of([&] { pool.for_chunks(100, 1, body); }), ErrorKind::kResources);
  int n_calls = 0;
  pool.set_poll_hook([&]() -> bool {
    if (++n_calls == 2) throw Error(ErrorKind::kData, "hook");
    return false;
  });
  EXPECT_EQ(kind_of([&] { pool.for_chunks(1000, 1, body); }), ErrorKind::kData);
  pool.set_poll_hook({});
  EXPECT_EQ(chunks_of(pool, 10, 4).size(), 3U);
}

TEST(Pool, UsesItsThreads) {
  Pool pool(3);
  std::mutex mutex;
  std::set<std::thread::id> seen;
  pool.for_chunks(3, 1, [&](std::size_t, std::size_t, int) {
    {
      const std::lock_guard lock(mutex);
      seen.insert(std::this_thread::get_id());
    }
    const double give_up_s = monotonic_s() + 10;
    for (bool is_full = false; !is_full && monotonic_s() < give_up_s; sleep_s(0.001)) {
      const std::lock_guard lock(mutex);
      is_full = seen.size() == 3;
    }
  });
  EXPECT_EQ(seen.size(), 3U);
  EXPECT_TRUE(seen.count(std::this_thread::get_id()));
}

TEST(Pool, HookRunsWhileThreadZeroWaitsForAnotherThread) {
  Pool pool(2);
  std::atomic<int> n_calls{0};
  pool.set_poll_hook([&] {
    ++n_calls;
    return false;
  });
  std::atomic<bool> is_taken_by_1{false};
  pool.for_chunks(2, 1, [&](std::size_t, std::size_t, int thread) {
    if (thread == 1) {
      is_taken_by_1 = true;
      const double give_up_s = monotonic_s() + 10;
      while (n_calls < 5 && monotonic_s() < give_up_s) sleep_s(0.001);
    } else {
      // Leaves the other chunk to thread 1.
      const double give_up_s = monotonic_s() + 5;
      while (!is_taken_by_1 && monotonic_s() < give_up_s) sleep_s(0.001);
    }
  });
  ASSERT_TRUE(is_taken_by_1);
  EXPECT_GE(n_calls, 5);
}

TEST(Pool, WaitingThreadsSleep) {
  Pool pool(2);
  pool.for_chunks(2, 1, [](std::size_t, std::size_t, int) {});
  const auto before = std::clock();
  pool.for_chunks(2, 1, [](std::size_t, std::size_t, int thread) {
    if (thread == 0) sleep_s(0.5);
  });
  sleep_s(0.3);
  EXPECT_LT(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC, 0.2);
}

TEST(Pool, RefusesForeignThreadsAndSenselessSizes) {
  EXPECT_EQ(kind_of([] { Pool pool(0); }), ErrorKind::kInternal);
  Pool pool(2);
  const auto nothing = [](std::size_t, std::size_t, int) {};
  EXPECT_EQ(kind_of([&] { pool.for_chunks(1, 0, nothing); }), ErrorKind::kInternal);
  std::thread other(
      [&] { EXPECT_EQ(kind_of([&] { pool.for_chunks(4, 1, nothing); }), ErrorKind::kInternal); });
  other.join();
}

TEST(Pool, EmptyLoopStillNoticesAStop) {
  Pool pool(2);
  pool.set_poll_hook([] { return true; });
  EXPECT_THROW(pool.for_chunks(0, 1, [](std::size_t, std::size_t, int) {}), Stopped);
}

TEST(Pool, OfAnotherPoolMayRunInsideAChunk) {
  Pool outer(2);
  std::atomic<std::size_t> n_items{0};
  outer.for_chunks(4, 1, [&](std::size_t, std::size_t, int) {
    Pool inner(2);
    inner.for_chunks(10, 1, [&](std::size_t, std::size_t, int) { ++n_items; });
  });
  EXPECT_EQ(n_items, 40U);
}

}  // namespace
}  // namespace orchard::parallel
