#include "orchard/run/threads.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <cstdlib>
#include <numeric>

#include "orchard/base/env.hpp"
#include "orchard/parallel/pool.hpp"

namespace orchard::run {
namespace {

using options::ParallelSettings;

std::vector<int> cores(int begin, int end) {
  std::vector<int> mask(static_cast<std::size_t>(end - begin));
  std::iota(mask.begin(), mask.end(), begin);
  return mask;
}

/// A node whose ranks may all use the same `n_cores` cores.
CoresOfNode unbound(std::size_t n_ranks, int n_cores) {
  return {std::vector<std::vector<int>>(n_ranks, cores(0, n_cores)), 0, {}};
}

ParallelSettings jobs(std::int64_t n_jobs, bool oversubscribe = false) {
  ParallelSettings settings;
  settings.n_jobs = n_jobs;
  settings.oversubscribe = oversubscribe;
  return settings;
}

/// The variables that count, unset at first and as they were at the end.
class Threads : public testing::Test {
 protected:
  void SetUp() override {
    for (auto& [name, before] : before_) {
      before = env(name);
      unsetenv(name);
    }
  }
  void TearDown() override {
    for (const auto& [name, before] : before_) {
      before ? set_env(name, *before) : static_cast<void>(unsetenv(name));
    }
  }
  std::vector<std::pair<const char*, std::optional<std::string>>> before_ = {
      {"OMP_NUM_THREADS", {}}, {"OMP_THREAD_LIMIT", {}}, {"SLURM_CPUS_PER_TASK", {}}};
};

TEST_F(Threads, ACoreCountsAmongThoseWhoMayUseIt) {
  EXPECT_DOUBLE_EQ(share_of_cores(unbound(1, 8)), 8);
  EXPECT_DOUBLE_EQ(share_of_cores(unbound(3, 8)), 8.0 / 3);
  // Two ranks on a core each, and a third that may use those and two more.
  const std::vector<std::vector<int>> masks = {{0}, {1}, {0, 1, 2, 3}};
  EXPECT_DOUBLE_EQ(share_of_cores({masks, 0, {}}), 0.5);
  EXPECT_DOUBLE_EQ(share_of_cores({masks, 2, {}}), 3);
}

TEST_F(Threads, AQuotaIsSharedByTheRanks) {
  auto node = unbound(2, 8);
  node.quota = 3;
  EXPECT_DOUBLE_EQ(share_of_cores(node), 1.5);
  node.quota = 100;
  EXPECT_DOUBLE_EQ(share_of_cores(node), 4);
  node.quota = 0.3;
  EXPECT_EQ(choose_threads(node, {}).n_threads, 1);
}

TEST_F(Threads, TheShareIsRoundedDown) {
  EXPECT_EQ(choose_threads(unbound(3, 8), {}).n_threads, 2);
  EXPECT_EQ(choose_threads(unbound(3, 8), {}).origin, "share of cores");
  EXPECT_EQ(choose_threads(unbound(8, 3), {}).n_threads, 1);
}

TEST_F(Threads, EachSourceOutranksTheNext) {
  const auto node = unbound(1, 8);
  set_env("SLURM_CPUS_PER_TASK", "3");
  auto share = choose_threads(node, {});
  EXPECT_EQ(share.n_threads, 3);
  EXPECT_EQ(share.origin, "SLURM_CPUS_PER_TASK");
  set_env("OMP_NUM_THREADS", " 5 ,2");
  share = choose_threads(node, {});
  EXPECT_EQ(share.n_threads, 5);
  EXPECT_EQ(share.origin, "OMP_NUM_THREADS");
  share = choose_threads(node, jobs(7));
  EXPECT_EQ(share.n_threads, 7);
  EXPECT_EQ(share.origin, "n_jobs");
  EXPECT_EQ(share.warning, "");
}

TEST_F(Threads, NonsenseInTheEnvironmentIsPassedOver) {
  for (const char* text : {"", "0", "-1", "many", ",4"}) {
    set_env("OMP_NUM_THREADS", text);
    EXPECT_EQ(choose_threads(unbound(1, 8), {}).n_threads, 8) << text;
  }
}

TEST_F(Threads, NegativeNumbersCountBackFromTheShare) {
  EXPECT_EQ(choose_threads(unbound(2, 8), jobs(-1)).n_threads, 4);
  EXPECT_EQ(choose_threads(unbound(2, 8), jobs(-2)).n_threads, 3);
  EXPECT_EQ(choose_threads(unbound(2, 8), jobs(-100)).n_threads, 1);
}

TEST_F(Threads, OnlyWhatWasAskedForIsRefused) {
  const auto node = unbound(2, 4);
  EXPECT_EQ(choose_threads(node, jobs(2)).n_threads, 2);
  EXPECT_THROW(choose_threads(node, jobs(3)), Error);
  EXPECT_EQ(choose_threads(node, jobs(3, true)).n_threads, 3);
  EXPECT_EQ(choose_threads(unbound(8, 4), jobs(1)).n_threads, 1) << "nobody can take less";
  for (const char* variable : {"SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS"}) {
    set_env(variable, "64");
    const auto share = choose_threads(node, {});
    EXPECT_EQ(share.n_threads, 2);
    EXPECT_NE(share.warning.find(variable), std::string::npos);
  }
}

TEST_F(Threads, TheRuntimesLimitCutsWishesAndRefusesDemands) {
  const auto node = unbound(1, 8);
  set_env("OMP_THREAD_LIMIT", "2");
  auto share = choose_threads(node, {});
  EXPECT_EQ(share.n_threads, 2);
  EXPECT_NE(share.warning.find("OMP_THREAD_LIMIT"), std::string::npos);
  EXPECT_EQ(choose_threads(node, jobs(-1)).n_threads, 2);
  EXPECT_EQ(choose_threads(node, jobs(2)).n_threads, 2);
  EXPECT_THROW(choose_threads(node, jobs(3)), Error);
  EXPECT_THROW(choose_threads(node, jobs(3, true)), Error);
  for (const char* wish : {"4", "16"}) {
    set_env("OMP_NUM_THREADS", wish);
    share = choose_threads(node, {});
    EXPECT_EQ(share.n_threads, 2);
    EXPECT_NE(share.warning.find("using 2"), std::string::npos) << share.warning;
  }
}

TEST_F(Threads, TheAffinityMaskOfTheProcessCounts) {
  const auto before = parallel::affinity_mask();
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(before.front(), &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  auto alone = comm::self();
  const auto share = share_threads(alone, {});
  cpu_set_t all;
  CPU_ZERO(&all);
  for (const auto core : before) CPU_SET(core, &all);
  ASSERT_EQ(sched_setaffinity(0, sizeof all, &all), 0);
  EXPECT_EQ(share.n_threads, 1);
  EXPECT_LE(share.n_cores, 1);
}

}  // namespace
}  // namespace orchard::run
