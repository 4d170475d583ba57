#include <gtest/gtest.h>

#include "small_job.hpp"

namespace orchard::run {
namespace {

TEST(Scheduler, ScoresDoNotDependOnRanks) {
  const SmallJob job;
  const auto alone = job.run(1, nullptr, nullptr);
  ASSERT_EQ(alone.size(), 3u * 6 * 2);
  for (const int n_ranks : {2, 3, 5}) EXPECT_EQ(job.run(n_ranks, nullptr, nullptr), alone);
}

TEST(Scheduler, AnyCheckpointLeadsToTheSameScores) {
  const SmallJob job;
  std::vector<search::Snapshot> saved;
  const auto straight = job.run(3, nullptr, &saved);
  ASSERT_FALSE(saved.empty());
  std::size_t n_under_way = 0;
  for (std::size_t i = 0; i < saved.size(); i += 1 + saved.size() / 12) {
    n_under_way += saved[i].running.size();
    EXPECT_EQ(job.run(1 + static_cast<int>(i % 3), &saved[i], nullptr), straight);
  }
  EXPECT_GT(n_under_way, 0u) << "no checkpoint caught a fit in its middle";
}

TEST(Scheduler, AFailureOfOneRankReachesTheCaller) {
  const SmallJob job;
  search::Snapshot broken;
  broken.results.push_back({});
  broken.results.back().task = 10000;
  EXPECT_THROW(job.run(1, &broken, nullptr), Error);
}

TEST(FoldStore, TheSameBytesOnAnyNumberOfRanks) {
  const SmallJob job;
  const auto bytes_of = [&](int n_ranks) {
    std::vector<std::byte> bytes;
    comm::run_as_ranks(n_ranks, [&](comm::Communicator world) {
      parallel::Pool pool(1);
      auto node = world.split_by_node();
      FoldStore store(node, job.table(), {{0, &job.folds()[0], 255, true}}, 1, pool);
      if (world.rank() == 0) {
        const auto& data = store.binned(0, 255);
        bytes.assign(data.memory, data.memory + store.n_bytes());
      }
      node.barrier();
      store.release(node);
    });
    return bytes;
  };
  const auto one = bytes_of(1);
  ASSERT_FALSE(one.empty());
  EXPECT_EQ(bytes_of(2), one);
  EXPECT_EQ(bytes_of(4), one);
}

}  // namespace
}  // namespace orchard::run
