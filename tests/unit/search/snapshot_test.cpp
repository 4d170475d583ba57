#include "orchard/search/snapshot.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace orchard::search {
namespace {

model::Tree example_tree() {
  model::Tree tree;
  tree.feature = {2, -1, -1};
  tree.threshold = {-0.0F, 0, 0};
  tree.left = {1, -1, -1};
  tree.flags = {model::Tree::kCategorical, 0, 0};
  tree.value_row = {-1, 0, 1};
  tree.n_samples = {3, 1, 2};
  tree.gain = {0.5, 0, 0};
  tree.category_begin = {0, -1, -1};
  tree.category_n_words = {1, 0, 0};
  tree.category_words = {0x80000001u};
  tree.values = {std::numeric_limits<std::int64_t>::min(), 7};
  tree.stops = {1, 2, std::numeric_limits<std::uint64_t>::max()};
  return tree;
}

TEST(SnapshotTest, UnitsRoundTrip) {
  const std::vector<model::Unit> units = {
      model::Unit({example_tree(), model::Tree{}}), {}, model::Unit({example_tree()})};
  EXPECT_EQ(units_from_bytes(units_to_bytes(units)), units);
  EXPECT_TRUE(units_from_bytes(units_to_bytes({})).empty());
}

TEST(SnapshotTest, TaskResultsRoundTrip) {
  TaskResult result;
  result.task = 5;
  result.failure = std::string("nul \0 inside", 12);
  result.scores = {0.5, std::numeric_limits<double>::quiet_NaN()};
  result.reasons = {"", "one class"};
  result.sums = {1, -2, 3};
  result.units = {model::Unit({example_tree()})};
  result.value_exponent = -40;
  result.baseline = {9, 8};
  result.fit_s = 1.25;
  result.score_s = 0.5;
  const TaskResult back = TaskResult::from_bytes(result.to_bytes());
  EXPECT_EQ(back.to_bytes(), result.to_bytes());
  EXPECT_EQ(back.task, 5);
  EXPECT_EQ(back.failure, result.failure);
  EXPECT_EQ(back.reasons, result.reasons);
  EXPECT_EQ(back.sums, result.sums);
  EXPECT_EQ(back.units, result.units);
  EXPECT_EQ(back.value_exponent, -40);
  EXPECT_EQ(back.baseline, result.baseline);
  EXPECT_EQ(back.fit_s, 1.25);
  EXPECT_EQ(back.score_s, 0.5);
}

TEST(SnapshotTest, RunningTasksRoundTrip) {
  RunningTask running;
  running.task = 3;
  running.fit_s = 2.5;
  running.units = {model::Unit({example_tree()}), model::Unit({example_tree()})};
  const RunningTask back = RunningTask::from_bytes(running.to_bytes());
  EXPECT_EQ(back.task, 3);
  EXPECT_EQ(back.fit_s, 2.5);
  EXPECT_EQ(back.units, running.units);
}

TEST(SnapshotTest, MessagesThatAreCutOrTooLongAreRefused) {
  RunningTask running;
  running.units = {model::Unit({example_tree()})};
  const Bytes bytes = running.to_bytes();
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_THROW(RunningTask::from_bytes(ByteSpan(bytes).first(n)), Error) << n;
  }
  Bytes longer = bytes;
  longer.push_back(std::byte{0});
  EXPECT_THROW(RunningTask::from_bytes(longer), Error);
}

}  // namespace
}  // namespace orchard::search
