#include "orchard/run/layout.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "workforce.hpp"

namespace orchard::run {
namespace {

using ::testing::HasSubstr;
using Groups = std::vector<std::vector<int>>;

std::vector<search::Family> families(std::vector<options::Estimator> estimators) {
  std::vector<search::Family> out(estimators.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].id = static_cast<std::int32_t>(i);
    out[i].estimator = estimators[i];
    if (!out[i].is_forest()) out[i].settings = options::BoostingSettings();
  }
  return out;
}
const auto kForest = options::Estimator::kRandomForestClassifier;
const auto kBoosting = options::Estimator::kHistGradientBoostingClassifier;

std::string refusal(const options::ParallelSettings& settings,
                    const std::vector<search::Family>& all, int n_ranks) {
  try {
    check_layout(settings, all, n_ranks);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), 7);
    return error.what();
  }
  return "";
}

TEST(Layout, RefusesWhatCannotBeHad) {
  using options::Layout;
  const auto demand = [](Layout layout, std::optional<std::int64_t> ranks_per_fit = {}) {
    options::ParallelSettings settings;
    settings.layout = layout;
    settings.ranks_per_fit = ranks_per_fit;
    return settings;
  };
  const auto both = families({kForest, kBoosting});
  EXPECT_THAT(refusal(demand(Layout::kTrees), both, 2), HasSubstr("layout trees grows forests"));
  EXPECT_THAT(refusal(demand(Layout::kRows, 3), families({kBoosting}), 2),
              HasSubstr("ranks_per_fit = 3, but the job has 2 ranks"));
  EXPECT_EQ(refusal(demand(Layout::kRows, 2), both, 2), "");
  EXPECT_EQ(refusal(demand(Layout::kTrees), families({kForest}), 1), "");
  EXPECT_EQ(refusal(demand(Layout::kReplicated), both, 3), "");
  EXPECT_EQ(refusal(demand(Layout::kAuto), both, 3), "");
}

TEST(Layout, OpenWaysHoldEverLessOnANode) {
  options::ParallelSettings settings;
  const auto group_sizes = [&](int n_ranks, int n_nodes) {
    std::vector<std::int64_t> sizes;
    for (const auto& way : ways_to_grow(settings, n_ranks, n_nodes)) {
      sizes.push_back(way.ranks_per_fit.value_or(0));
      EXPECT_EQ(way.layout, sizes.size() == 1 ? settings.layout : options::Layout::kRows);
    }
    return sizes;
  };
  using Sizes = std::vector<std::int64_t>;
  EXPECT_EQ(group_sizes(1, 1), Sizes{0});
  EXPECT_EQ(group_sizes(4, 1), (Sizes{0, 4}));
  EXPECT_EQ(group_sizes(24, 6), (Sizes{0, 4, 8, 16, 24}));
  EXPECT_EQ(group_sizes(3, 3), (Sizes{0, 2, 3}));
  settings.layout = options::Layout::kReplicated;
  EXPECT_EQ(group_sizes(24, 6), Sizes{0}) << "a demand is a demand";
}

TEST(Layout, DividesTheWorldIntoGroups) {
  options::ParallelSettings settings;
  settings.layout = options::Layout::kRows;
  const auto groups = [&](int n_ranks, std::optional<std::int64_t> ranks_per_fit) {
    settings.ranks_per_fit = ranks_per_fit;
    Groups out;
    comm::run_as_ranks(n_ranks, [&](comm::Communicator world) {
      auto node = world.split_by_node();
      const auto layout = choose_layout(world, node, settings, families({kBoosting}), 1,
                                        {1'000'000, 28, 2, Task::kClassification}, 1);
      EXPECT_EQ(layout.max_joined_ranks, 1);
      if (world.rank() == 0) out = layout.groups;
    });
    return out;
  };
  EXPECT_EQ(groups(5, 2), (Groups{{0, 1}, {2, 3}, {4}}));
  EXPECT_EQ(groups(4, 4), (Groups{{0, 1, 2, 3}}));
  EXPECT_EQ(groups(3, 1), (Groups{{0}, {1}, {2}}));
  EXPECT_EQ(groups(3, std::nullopt), (Groups{{0, 1, 2}}));
}

TEST(Layout, GroupsStayOnNodesWhereFitsAreMany) {
  const std::vector<int> nodes = {0, 0, 2, 2, 2};
  options::ParallelSettings settings;
  EXPECT_EQ(make_groups(nodes, settings, 2), (Groups{{0, 1}, {2, 3, 4}}));
  EXPECT_EQ(make_groups(nodes, settings, 1), (Groups{{0, 1, 2, 3, 4}}));
  settings.ranks_per_fit = 3;
  EXPECT_EQ(make_groups(nodes, settings, 2), (Groups{{0, 1, 2}, {3, 4}}));
}

TEST(Layout, NodesAreThoseOfTheRanks) {
  options::ParallelSettings settings;
  settings.layout = options::Layout::kRows;
  comm::run_as_ranks(5, [&](comm::Communicator world) {
    auto node = world.split(world.rank() < 3 ? 0 : 1);
    const auto layout = choose_layout(world, node, settings, families({kBoosting}), 2,
                                      {1'000'000, 28, 2, Task::kClassification}, 1);
    EXPECT_EQ(layout.node_of_rank, (std::vector<int>{0, 0, 0, 3, 3}));
    EXPECT_EQ(layout.groups, (Groups{{0, 1, 2}, {3, 4}}));
  });
}

/// The layout auto of two ranks, with forests as families 0 and 2 and boosting as family 1.
Layout auto_layout(std::uint64_t n_rows, std::uint64_t n_classes) {
  Layout out;
  comm::run_as_ranks(2, [&](comm::Communicator world) {
    auto node = world.split_by_node();
    const auto layout = choose_layout(world, node, {}, families({kForest, kBoosting, kForest}), 1,
                                      {n_rows, 28, n_classes, Task::kClassification}, 1);
    if (world.rank() == 0) out = layout;
  });
  return out;
}

TEST(Layout, FitsWhoseSplitsAreQuickAreNotJoined) {
  const std::set<std::int32_t> boosting = {1}, none;
  EXPECT_EQ(auto_layout(160'000, 2).unjoined_families, boosting);
  EXPECT_EQ(auto_layout(640'000, 2).unjoined_families, none);
  // A round of twenty classes is twenty trees, none of them larger.
  EXPECT_EQ(auto_layout(160'000, 20).unjoined_families, boosting);
  EXPECT_EQ(auto_layout(640'000, 20).unjoined_families, none);
}

TEST(Layout, TheShareOfRowsMayBeDemanded) {
  const char* variable = "ORCHARD_MIN_SHARE_ROWS";
  EXPECT_EQ(auto_layout(300, 2).max_joined_ranks, 1);
  ASSERT_EQ(setenv(variable, "100", 1), 0);
  EXPECT_EQ(auto_layout(300, 2).max_joined_ranks, 2);
  EXPECT_EQ(auto_layout(300, 2).unjoined_families, std::set<std::int32_t>());
  ASSERT_EQ(setenv(variable, "200", 1), 0);
  EXPECT_EQ(auto_layout(300, 2).max_joined_ranks, 1);
  for (const char* wrong : {"0", "-5", "many", ""}) {
    ASSERT_EQ(setenv(variable, wrong, 1), 0);
    EXPECT_THROW(auto_layout(300, 2), Error) << wrong;
  }
  unsetenv(variable);
}

TEST(Layout, RanksJoinWhereRowsAreMany) {
  comm::run_as_ranks(4, [&](comm::Communicator world) {
    auto node = world.split_by_node();
    const auto most = [&](std::size_t n_train) {
      return choose_layout(world, node, {}, families({kBoosting}), 1,
                           {n_train, 28, 2, Task::kClassification}, 1)
          .max_joined_ranks;
    };
    EXPECT_EQ(most(300), 1);
    EXPECT_EQ(most(20'000), 2);
    EXPECT_EQ(most(1'000'000), 4);
  });
}

/// By the time that a split takes one rank with all its threads.
TEST(Layout, RanksJoinWhereSplitsTakeLong) {
  const auto is_joined = [&](std::uint64_t n_rows, int n_threads) {
    return plan_layout({0, 0}, {}, families({kBoosting}), 1, {n_rows, 28, 2, Task::kClassification},
                       n_threads)
        .unjoined_families.empty();
  };
  EXPECT_FALSE(is_joined(200'000, 1)) << "0.4 ms a split";
  EXPECT_TRUE(is_joined(300'000, 1)) << "0.6 ms a split";
  EXPECT_FALSE(is_joined(300'000, 8));
  EXPECT_TRUE(is_joined(3'000'000, 8));
}

TEST(Layout, PrintsRanks) {
  EXPECT_EQ(print_ranks({}), "");
  EXPECT_EQ(print_ranks({3}), "3");
  EXPECT_EQ(print_ranks({0, 1, 2, 5, 7, 8}), "0-2, 5, 7-8");
}

TEST(Workforce, SpreadsTasksOverNodes) {
  const std::vector<int> node_of_rank = {0, 0, 0, 3, 3, 3};
  EXPECT_EQ(first_on_least_busy_node({2, 1, 4, 5}, {{0, 2.0}}, node_of_rank), 4);
  EXPECT_EQ(first_on_least_busy_node({5, 2, 1}, {{0, 2.0}, {3, 2.5}}, node_of_rank), 2);
  EXPECT_EQ(first_on_least_busy_node({5, 2, 4}, {}, node_of_rank), 5) << "who asked first";
}

TEST(Workforce, DealsIdleRanksToTheFitsOfTheirNodeThatLastLongest) {
  Layout layout;
  layout.node_of_rank = {0, 0, 0, 0, 4, 4, 4, 4};
  layout.max_joined_ranks = 3;
  using Ranks = std::map<std::int32_t, std::vector<int>>;
  EXPECT_EQ(enlarged({{1, {{0}, 5}}, {2, {{1}, 5}}}, {2, 3, 4}, layout),
            (Ranks{{1, {0, 2}}, {2, {1, 3}}}));
  EXPECT_EQ(enlarged({{1, {{0}, 2}}, {2, {{1}, 5}}}, {2, 3}, layout), (Ranks{{2, {1, 2, 3}}}));
  EXPECT_EQ(enlarged({{1, {{0}, 3}}, {2, {{1}, 5}}}, {2, 3}, layout),
            (Ranks{{1, {0, 3}}, {2, {1, 2}}}));
  EXPECT_EQ(enlarged({{7, {{5}, 1}}}, {4, 6, 7}, layout), (Ranks{{7, {5, 4, 6}}}))
      << "no more than 3";
  EXPECT_EQ(enlarged({{1, {{0, 1}, 1}}}, {2}, layout), (Ranks{{1, {0, 1, 2}}}));
  EXPECT_EQ(enlarged({{1, {{0}, 1}}}, {5}, layout), Ranks());
  layout.max_joined_ranks = 8;
  EXPECT_EQ(enlarged({{1, {{0, 1, 2}, 1}}}, {3}, layout), Ranks()) << "not worth a new beginning";
}

TEST(Workforce, ARankWithCommandsOnTheirWayIsNotIdle) {
  Workforce ranks(3);
  EXPECT_EQ(ranks.idle(), std::vector<int>{0});
  ranks.take(2, {0, 0, 0});
  ranks.employ(2);
  ranks.employ(2);
  ranks.take(2, {1, 10, 4});
  EXPECT_EQ(ranks.idle(), std::vector<int>{0});
  ranks.take(2, {2, 30, 6});
  EXPECT_EQ(ranks.idle(), (std::vector<int>{0, 2}));
  ranks.employ(0);
  EXPECT_FALSE(ranks.is_idle(0));
  ranks.release(0);
  EXPECT_TRUE(ranks.is_idle(0));
  EXPECT_EQ(ranks.unused(), std::vector<int>{1});
  EXPECT_EQ(ranks.n_group_bytes(), 30u);
  EXPECT_EQ(ranks.n_group_trees(), 6u);
}

}  // namespace
}  // namespace orchard::run
