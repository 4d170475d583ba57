#include "orchard/base/ticker.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>

#include "orchard/base/clock.hpp"

namespace orchard {
namespace {

TEST(Ticker, CallsUntilItGoes) {
  std::atomic<int> n_calls{0};
  {
    const Ticker ticker(0.005, [&] {
      ++n_calls;
      return true;
    });
    for (int i = 0; i < 1000 && n_calls < 3; ++i) sleep_s(0.01);
    EXPECT_GE(n_calls, 3);
  }
  const int n_at_end = n_calls;
  sleep_s(0.05);
  EXPECT_EQ(n_calls, n_at_end);
}

TEST(Ticker, CallsNoMoreWhenToldSo) {
  std::atomic<int> n_calls{0};
  const Ticker ticker(0.005, [&] { return ++n_calls < 2; });
  for (int i = 0; i < 1000 && n_calls < 2; ++i) sleep_s(0.01);
  sleep_s(0.05);
  EXPECT_EQ(n_calls, 2);
}

TEST(Ticker, GoesAtOnce) {
  const double begin_s = monotonic_s();
  {
    const Ticker ticker(3600, [] { return true; });
  }
  EXPECT_LT(monotonic_s() - begin_s, 10);
}

TEST(Ticker, LeavesSignalsToOthers) {
  std::atomic<bool> is_told{false}, are_held{false};
  const Ticker ticker(0.005, [&] {
    sigset_t held;
    pthread_sigmask(SIG_SETMASK, nullptr, &held);
    are_held = sigismember(&held, SIGTERM) == 1 && sigismember(&held, SIGUSR1) == 1;
    is_told = true;
    return false;
  });
  for (int i = 0; i < 1000 && !is_told; ++i) sleep_s(0.01);
  EXPECT_TRUE(are_held);
  sigset_t own;
  pthread_sigmask(SIG_SETMASK, nullptr, &own);
  EXPECT_EQ(sigismember(&own, SIGTERM), 0);
}

}  // namespace
}  // namespace orchard
