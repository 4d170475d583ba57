#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "orchard/parallel/pool.hpp"

namespace orchard::parallel {
namespace {

TEST(Cores, AffinityMaskIsAscendingAndAllowsAllCoresOfIt) {
  const auto cores = affinity_mask();
  ASSERT_FALSE(cores.empty());
  EXPECT_TRUE(std::is_sorted(cores.begin(), cores.end()));
  EXPECT_GE(cores.front(), 0);
  EXPECT_GE(allowed_cores(), 1);
  EXPECT_LE(allowed_cores(), static_cast<int>(cores.size()));
}

TEST(Cores, FollowTheMaskOfTheCallingThread) {
  const int core = affinity_mask().back();
  std::vector<int> mask;
  int n_allowed = 0;
  std::thread pinned([&] {
    ASSERT_TRUE(keep_to({core}));
    mask = affinity_mask();
    n_allowed = allowed_cores();
  });
  pinned.join();
  EXPECT_EQ(mask, std::vector<int>{core});
  EXPECT_EQ(n_allowed, 1);
}

TEST(Cores, NobodyKeepsToNoCore) {
  std::thread other([] { EXPECT_FALSE(keep_to({})); });
  other.join();
}

}  // namespace
}  // namespace orchard::parallel
