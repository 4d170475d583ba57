#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "orchard/base/text.hpp"
#include "orchard/search/search_state.hpp"

namespace orchard::search {
namespace {

using options::Estimator;
using options::ParamValue;

/// Two rows of test data with a known answer; no learner is involved.
class TwoRows : public FoldSource {
 public:
  TwoRows() {
    data_.layout.n_train = 0;
    data_.layout.n_test = 2;
    data_.test_share = data::RowShare::whole(2);
    data_.target = target_;
  }
  const data::BinnedData& binned(std::int32_t, int) const override { return data_; }

 private:
  std::vector<double> target_ = {0, 1};
  data::BinnedData data_;
};

class PhaseTest : public ::testing::Test {
 protected:
  PhaseTest() {
    schema_.task = Task::kClassification;
    schema_.classes = {"no", "yes"};
    const std::vector<ParamValue> trees = {std::int64_t{2}, std::int64_t{4}};
    plan_ = make_plan(
        expand({{"forest", Estimator::kRandomForestClassifier, {{"n_estimators", trees}}}}), true,
        1, {2, 1, 2, Task::kClassification}, {1, 1});
  }
  Phase phase() { return Phase(plan_.families, plan_.tasks, 0, schema_, scorers_, folds_); }
  /// One tree that is sure of `label` for both rows.
  static TaskResult block(std::int32_t task, int label) {
    TaskResult result;
    result.task = task;
    result.value_exponent = -30;
    const std::int64_t one = std::int64_t{1} << 30;
    result.sums = {label == 0 ? one : 0, label == 0 ? 0 : one, label == 0 ? one : 0,
                   label == 0 ? 0 : one};
    return result;
  }

  model::Schema schema_;
  std::vector<std::string> scorers_ = {"accuracy"};
  TwoRows folds_;
  Plan plan_;
};

TEST_F(PhaseTest, HandsOutEveryTaskOnceAndThenNothing) {
  auto phase = this->phase();
  std::vector<bool> seen(4, false);
  for (int i = 0; i < 4; ++i) {
    const auto task = phase.next_task();
    ASSERT_TRUE(task.has_value());
    EXPECT_FALSE(seen[static_cast<std::size_t>(task->id)]);
    seen[static_cast<std::size_t>(task->id)] = true;
  }
  EXPECT_FALSE(phase.next_task().has_value());
  EXPECT_FALSE(phase.is_done());
}

TEST_F(PhaseTest, StartedTasksComeFirst) {
  auto phase = this->phase();
  phase.prefer({2});
  EXPECT_EQ(phase.next_task()->id, 2);
}

/// What is longest shows as fits end: estimates of a family are set right by those of its own.
TEST_F(PhaseTest, MeasuredTimesDecideWhatIsLongest) {
  const std::vector<ParamValue> features = {std::int64_t{1}, std::int64_t{2}};
  plan_ = make_plan(
      expand({{"forest", Estimator::kRandomForestClassifier, {{"max_features", features}}}}), true,
      3, {2, 2, 2, Task::kClassification}, {});
  ASSERT_EQ(plan_.tasks.size(), 6u);  // of families 0 and 1 in turn
  for (auto& task : plan_.tasks) task.cost = task.family == 0 ? 10 : 9;
  auto phase = this->phase();
  EXPECT_EQ(phase.next_task()->id, 0);
  EXPECT_EQ(phase.next_task()->id, 2);
  auto first = block(0, 0), third = block(2, 0);
  first.fit_s = 1;
  third.fit_s = 2;
  first.sums = third.sums = {};
  first.scores = third.scores = {0.5};
  phase.consume(first);
  EXPECT_DOUBLE_EQ(phase.done_fraction(), 10.0 / 57) << "both families take as long as they seemed";
  EXPECT_DOUBLE_EQ(phase.expected_s(4), 1);
  phase.consume(third);
  EXPECT_DOUBLE_EQ(phase.expected_s(4), 1.5) << "ten for 1 s, and ten for 2 s";
  EXPECT_DOUBLE_EQ(phase.expected_s(1), 9 * 0.15) << "of another family of its kind";
  EXPECT_EQ(phase.next_task()->id, 4) << "so does the other family, as far as is known";
  // A tenth of task 1 has taken a second.
  phase.observe(1, 10, 1);
  EXPECT_DOUBLE_EQ(phase.done_fraction(), 20 * 0.15 / (30 * 0.15 + 27 / 0.9));
  EXPECT_EQ(phase.next_task()->id, 1);
  phase.observe(1, 50, 1);
  auto second = block(1, 0);
  second.fit_s = 0.9;
  second.sums = {};
  second.scores = {0.5};
  phase.consume(second);
  EXPECT_DOUBLE_EQ(phase.done_fraction(), (20 * 0.15 + 9 * 0.1) / (30 * 0.15 + 27 * 0.1))
      << "the end replaces what was known before";
}

TEST_F(PhaseTest, LongestFirst) {
  plan_.tasks[3].cost *= 10;
  auto phase = this->phase();
  EXPECT_EQ(phase.next_task()->id, 3);
}

TEST_F(PhaseTest, BlocksAddUpInAnyOrderOfArrival) {
  // Trees 0 and 1 say "no", 2 and 3 say "no", "no": two trees are right on half the rows.
  for (const auto& order : {std::vector<std::int32_t>{0, 1, 2, 3}, {3, 1, 0, 2}}) {
    auto phase = this->phase();
    for (const auto task : order) {
      EXPECT_FALSE(phase.is_done());
      phase.consume(block(task, task < 2 ? 0 : 1));
    }
    ASSERT_TRUE(phase.is_done());
    const auto& outcome = phase.outcome(0, 0);
    EXPECT_EQ(outcome.failure, "");
    // Two trees: "no" for both rows. Four trees: a tie, which goes to the lowest class.
    EXPECT_EQ(outcome.scores.scores, (std::vector<double>{0.5, 0.5}));
  }
}

TEST_F(PhaseTest, RestoredResultsGiveTheSameScores) {
  auto first = this->phase();
  for (std::int32_t task = 0; task < 3; ++task) first.consume(block(task, 1));
  auto second = this->phase();
  for (const auto* result : first.results()) {
    second.restore(TaskResult::from_bytes(result->to_bytes()));
  }
  EXPECT_EQ(second.n_done(), 3u);
  EXPECT_EQ(second.next_task()->id, 3);
  second.consume(block(3, 1));
  EXPECT_EQ(second.outcome(0, 0).scores.scores, (std::vector<double>{0.5, 0.5}));

  // A finished fit is restored from its scores alone.
  auto third = this->phase();
  for (const auto* result : second.results()) {
    EXPECT_TRUE(result->sums.empty());
    third.restore(*result);
  }
  EXPECT_TRUE(third.is_done());
  EXPECT_EQ(third.outcome(0, 0).scores.scores, (std::vector<double>{0.5, 0.5}));
}

TEST_F(PhaseTest, AFailedBlockFailsThoseWhoNeedIt) {
  for (const std::int32_t first_failed : {0, 1, 2, 3}) {
    auto phase = this->phase();
    for (std::int32_t task = 3; task >= 0; --task) {
      TaskResult result = block(task, 1);
      if (task == first_failed || task == 3) {
        result = {};
        result.task = task;
        result.failure = task == first_failed ? "no rows" : "no rows later";
      }
      phase.consume(result);
    }
    const auto results = make_results(plan_, phase, scorers_, "accuracy");
    const bool has_two_trees = first_failed >= 2;
    EXPECT_EQ(std::isnan(results.mean_scores[0]), !has_two_trees);
    EXPECT_EQ(results.points[0].failure, has_two_trees ? "" : "no rows");
    EXPECT_TRUE(std::isnan(results.mean_scores[1]));
    EXPECT_EQ(results.points[1].failure, "no rows");
    EXPECT_EQ(results.best.has_value(), has_two_trees);
  }
}

TEST_F(PhaseTest, AFailedBlockIsKeptAndNotFitAgain) {
  auto first = this->phase();
  EXPECT_EQ(first.next_task()->id, 0);
  TaskResult failed;
  failed.task = 1;
  failed.failure = "no rows";
  first.consume(failed);
  first.consume(block(2, 1));
  EXPECT_EQ(first.next_task()->id, 3);
  EXPECT_FALSE(first.next_task().has_value());
  // A checkpoint holds it like any other result.
  auto second = this->phase();
  ASSERT_EQ(first.results().size(), 2u);
  for (const auto* result : first.results()) {
    EXPECT_EQ(result->failure, result->task == 1 ? "no rows" : "");
    second.restore(TaskResult::from_bytes(result->to_bytes()));
  }
  second.prefer({1});
  EXPECT_EQ(second.next_task()->id, 0);
  EXPECT_EQ(second.next_task()->id, 3);
  EXPECT_FALSE(second.next_task().has_value());
  for (Phase* phase : {&first, &second}) {
    phase->consume(block(0, 1));
    phase->consume(block(3, 1));
    ASSERT_TRUE(phase->is_done());
    const auto results = make_results(plan_, *phase, scorers_, "accuracy");
    EXPECT_EQ(results.points[0].failure, "no rows");
    EXPECT_EQ(results.points[1].failure, "no rows");
  }
}

TEST_F(PhaseTest, WithoutAnyBlockNothingComesOfAFit) {
  auto phase = this->phase();
  for (std::int32_t task = 0; task < 4; ++task) {
    TaskResult failed;
    failed.task = task;
    failed.failure = format("no rows in {}", task);
    phase.consume(failed);
  }
  EXPECT_EQ(phase.outcome(0, 0).failure, "no rows in 0");
  const auto results = make_results(plan_, phase, scorers_, "accuracy");
  EXPECT_EQ(results.points[0].failure, "no rows in 0");
}

TEST(Results, MeanAndStd) {
  const auto two = mean_and_std(std::vector<double>{1, 3});
  EXPECT_EQ(two.mean, 2);
  EXPECT_EQ(two.std, 1);
  EXPECT_TRUE(std::isnan(
      mean_and_std(std::vector<double>{1, std::numeric_limits<double>::quiet_NaN()}).mean));
}

TEST(Snapshot, RoundTrip) {
  TaskResult result;
  result.task = 7;
  result.failure = "why";
  result.failures = {"", "why not"};
  result.scores = {0.5};
  result.reasons = {"r"};
  result.sums = {1, -2};
  model::Tree tree;
  tree.feature = {-1};
  tree.threshold = {0};
  tree.left = {-1};
  tree.flags = {0};
  tree.value_row = {-1};
  tree.n_samples = {1};
  tree.gain = {0};
  result.units = {model::Unit({tree})};
  result.baseline = {3};
  const auto back = TaskResult::from_bytes(result.to_bytes());
  EXPECT_EQ(back.task, 7);
  EXPECT_EQ(back.failure, "why");
  EXPECT_EQ(back.failures, result.failures);
  EXPECT_EQ(back.reasons, result.reasons);
  EXPECT_EQ(back.sums, result.sums);
  EXPECT_EQ(back.units, result.units);
  EXPECT_EQ(back.baseline, result.baseline);
}

}  // namespace
}  // namespace orchard::search
