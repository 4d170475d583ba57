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

Layout groups_of(std::vector<std::vector<int>> groups) {
  Layout layout;
  layout.groups = std::move(groups);
  return layout;
}
Layout joining(std::vector<int> node_of_rank, int max_joined_ranks) {
  Layout layout;
  layout.node_of_rank = std::move(node_of_rank);
  layout.max_joined_ranks = max_joined_ranks;
  return layout;
}

TEST(Scheduler, GroupsGrowFitsInStep) {
  const SmallJob job(Learners::kBoosting);
  const auto alone = job.run(1, nullptr, nullptr);
  EXPECT_EQ(job.run(2, nullptr, nullptr, groups_of({{0, 1}})), alone);
  EXPECT_EQ(job.run(4, nullptr, nullptr, groups_of({{0, 1}, {2, 3}})), alone);
  EXPECT_EQ(job.run(5, nullptr, nullptr, groups_of({{0, 1, 2}, {3, 4}})), alone);
  EXPECT_EQ(job.run(5, nullptr, nullptr, groups_of({{0}, {1}, {2, 3}, {4}})), alone);
}

TEST(Scheduler, IdleRanksJoin) {
  const SmallJob boosting(Learners::kBoosting), both;
  const auto alone = boosting.run(1, nullptr, nullptr);
  const auto both_alone = both.run(1, nullptr, nullptr);
  for (int repeat = 0; repeat < 5; ++repeat) {
    EXPECT_EQ(boosting.run(2, nullptr, nullptr, joining({0, 0}, 2)), alone);
    EXPECT_EQ(boosting.run(5, nullptr, nullptr, joining({0, 0, 0, 0, 0}, 5)), alone);
    EXPECT_EQ(boosting.run(7, nullptr, nullptr, joining({0, 0, 0, 3, 3, 3, 3}, 3)), alone);
    EXPECT_EQ(both.run(5, nullptr, nullptr, joining({0, 1, 0, 1, 0}, 5)), both_alone);
  }
}

TEST(Scheduler, CheckpointsOfGroupsLeadToTheSameScoresInAnyLayout) {
  const SmallJob job(Learners::kBoosting);
  const auto alone = job.run(1, nullptr, nullptr);
  for (const auto& layout : {groups_of({{0, 1}, {2, 3}}), joining({0, 0, 0, 0}, 4)}) {
    std::vector<search::Snapshot> saved;
    EXPECT_EQ(job.run(4, nullptr, &saved, layout), alone);
    ASSERT_FALSE(saved.empty());
    std::size_t i = 0;
    for (; i < saved.size(); i += 1 + saved.size() / 6) {
      EXPECT_EQ(job.run(2, &saved[i], nullptr, groups_of({{0, 1}})), alone);
      EXPECT_EQ(job.run(3, &saved[i], nullptr, joining({0, 0, 0}, 3)), alone);
      EXPECT_EQ(job.run(2, &saved[i], nullptr), alone);
    }
  }
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
