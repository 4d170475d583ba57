#include "phase_clock.hpp"

#include <gtest/gtest.h>

namespace orchard::run {
namespace {

Layout of_ranks(std::vector<int> node_of_rank, int max_joined_ranks = 1) {
  Layout layout;
  layout.node_of_rank = std::move(node_of_rank);
  layout.max_joined_ranks = max_joined_ranks;
  return layout;
}
TimedTask lonely(double seconds) { return {seconds, 0.5, false}; }
TimedTask joinable(double seconds) { return {seconds, 0.5, true}; }

TEST(PhaseClock, LongestFirstOnSingleRanks) {
  EXPECT_DOUBLE_EQ(phase_seconds({lonely(1), lonely(3), lonely(2), lonely(4)}, of_ranks({0})), 10);
  EXPECT_DOUBLE_EQ(phase_seconds({lonely(1), lonely(3), lonely(2), lonely(4)}, of_ranks({0, 0})),
                   5);
  EXPECT_DOUBLE_EQ(phase_seconds({lonely(3)}, of_ranks({0, 0, 0})), 3);
  EXPECT_DOUBLE_EQ(phase_seconds({}, of_ranks({0, 0})), 0);
}

TEST(PhaseClock, IdleRanksJoinWhatIsLeft) {
  // Both from the beginning: half of it, and the exchange.
  EXPECT_DOUBLE_EQ(phase_seconds({joinable(4)}, of_ranks({0, 0}, 2)), 2.5);
  // The second rank comes after 2 s, when half is left of what two take 2.5 s for.
  EXPECT_DOUBLE_EQ(phase_seconds({joinable(4), lonely(2)}, of_ranks({0, 0}, 2)), 3.25);
  EXPECT_DOUBLE_EQ(phase_seconds({lonely(4), joinable(2)}, of_ranks({0, 0}, 2)), 4);
  // At most two a fit.
  EXPECT_DOUBLE_EQ(phase_seconds({joinable(4)}, of_ranks({0, 0, 0}, 2)), 2.5);
  EXPECT_DOUBLE_EQ(phase_seconds({joinable(4)}, of_ranks({0, 0, 0, 0}, 4)), 1.5);
}

TEST(PhaseClock, RanksOfOtherNodesDoNotJoin) {
  EXPECT_DOUBLE_EQ(phase_seconds({joinable(4)}, of_ranks({0, 1}, 2)), 4);
  EXPECT_DOUBLE_EQ(phase_seconds({joinable(4), lonely(2)}, of_ranks({0, 1, 1}, 3)), 4);
}

/// The long ones go to a node each, where another rank joins them after a second.
TEST(PhaseClock, LongTasksSpreadOverNodes) {
  const std::vector<TimedTask> tasks = {joinable(8), joinable(8), lonely(1), lonely(1)};
  EXPECT_DOUBLE_EQ(phase_seconds(tasks, of_ranks({0, 0, 2, 2}, 2)), 1 + 7.0 / 8 * 4.5);
}

TEST(PhaseClock, RanksOfAGroupThatHasEndedJoinTheNext) {
  // After 1 s the two short ones end; three ranks go on with what is left of the long one.
  const double left = (10 - 1.0) / 10;
  EXPECT_DOUBLE_EQ(phase_seconds({joinable(10), lonely(1), lonely(1)}, of_ranks({0, 0, 0}, 3)),
                   1 + left * (10.0 / 3 + 0.5));
}

TEST(PhaseClock, GroupsTakeOneFitAfterTheOther) {
  auto layout = of_ranks({0, 0, 0});
  layout.groups = {{0, 1}, {2}};
  EXPECT_DOUBLE_EQ(phase_seconds({joinable(4)}, layout), 2.5);
  EXPECT_DOUBLE_EQ(phase_seconds({joinable(4), joinable(3)}, layout), 3);
  // The third goes to the pair, which is free after 2.5 s.
  EXPECT_DOUBLE_EQ(phase_seconds({joinable(4), joinable(2.75), joinable(2)}, layout), 4);
}

}  // namespace
}  // namespace orchard::run
