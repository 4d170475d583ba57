#include "orchard/run/watchdog.hpp"

#include <gtest/gtest.h>

#include <mutex>

#include "orchard/base/clock.hpp"
#include "orchard/parallel/pool.hpp"

namespace orchard::run {
namespace {

/// What the watchdogs of all ranks had to say.
class Reports {
 public:
  WatchdogSettings settings(double patience_s) {
    return {patience_s, {}, [this](const std::string& text) {
              const std::lock_guard lock(mutex_);
              texts_.push_back(text);
            }};
  }
  std::vector<std::string> texts() {
    const std::lock_guard lock(mutex_);
    return texts_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> texts_;
};

TEST(Watchdog, NamesTheSilentRankAndWhatOthersWaitFor) {
  Reports reports;
  comm::run_as_ranks(3, [&](comm::Communicator world) {
    auto node = world.split_by_node();
    const Watchdog watchdog(node, world.rank() + 10, reports.settings(0.3));
    const Doing doing(world.rank() == 1 ? "sleeps" : "waits for rank 11");
    for (int i = 0; i < 100; ++i) {
      sleep_s(0.01);
      if (world.rank() != 1) beat();
    }
    world.barrier();
  });
  ASSERT_EQ(reports.texts().size(), 1u);
  const auto text = reports.texts().front();
  EXPECT_NE(text.find(": rank 11 (sleeps)."), std::string::npos) << text;
  EXPECT_NE(text.find("Meanwhile: rank 10 (waits for rank 11), rank 12 (waits for rank 11)"),
            std::string::npos)
      << text;
}

TEST(Watchdog, IsContentWithAnyThreadThatGoesOn) {
  Reports reports;
  auto alone = comm::self();
  const Watchdog watchdog(alone, 0, reports.settings(0.2));
  parallel::Pool pool(3);
  pool.for_chunks(3, 1, [&](std::size_t, std::size_t, int thread) {
    for (int i = 0; i < (thread == 2 ? 60 : 1); ++i) {
      sleep_s(0.01);
      pool.poll();
    }
  });
  EXPECT_TRUE(reports.texts().empty());
}

TEST(Watchdog, GrantsMoreTimeToWorkWithoutBeats) {
  Reports reports;
  auto alone = comm::self();
  const Watchdog watchdog(alone, 0, reports.settings(0.1));
  {
    const Doing doing("writes", Beats::kNone);
    sleep_s(0.5);
    EXPECT_TRUE(reports.texts().empty());
    sleep_s(1.0);
  }
  ASSERT_EQ(reports.texts().size(), 1u);
  const auto text = reports.texts().front();
  EXPECT_NE(text.find("rank 0 (writes)"), std::string::npos) << text;
  EXPECT_NE(text.find("no progress for 1."), std::string::npos) << text;
}

TEST(Watchdog, LooksAwayWithoutPatience) {
  Reports reports;
  auto alone = comm::self();
  const Watchdog watchdog(alone, 0, reports.settings(0));
  sleep_s(0.1);
  EXPECT_TRUE(reports.texts().empty());
}

TEST(Watchdog, DoesNotWaitForRanksThatHaveLeft) {
  Reports reports;
  comm::run_as_ranks(2, [&](comm::Communicator world) {
    auto node = world.split_by_node();
    {
      const Watchdog watchdog(node, world.rank(), reports.settings(0.2));
      for (int i = 0; i < (world.rank() == 0 ? 60 : 1); ++i) {
        sleep_s(0.01);
        beat();
      }
    }
    world.barrier();
  });
  EXPECT_TRUE(reports.texts().empty());
}

}  // namespace
}  // namespace orchard::run
