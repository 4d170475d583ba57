// Members of a family that share a fit fail as they would alone: by the trees that they need.

#include <gtest/gtest.h>

#include <cmath>

#include "boosting/table.hpp"
#include "forest/table.hpp"
#include "orchard/search/search_state.hpp"
#include "orchard/search/task_runner.hpp"

namespace orchard::search {
namespace {

using options::Estimator;
using options::ParamValue;

class SharedFailure : public ::testing::Test, private FoldSource {
 protected:
  /// With learning_rate = 2.5 the residuals grow by half in a round, until one is too great for a
  /// gradient with its weight. `table`: 80 rows, borrowed.
  void let_residuals_grow(learn::BoostingTable& table) {
    for (std::size_t row = 0; row < 80; ++row) table.target[row] = row % 2 == 0 ? 1e300 : -1e300;
    table.weight.assign(80, 5);
    table.bin();
    schema_ = &table.table.schema;
    data_ = &table.data();
  }

  /// Runs all points, one fit each or as few as possible.
  Results run(bool shares, const Cutting& cutting, int n_threads, std::uint64_t seed) {
    const auto& schema = *schema_;
    const DataShape shape{80, 3, schema.n_classes(), schema.task};
    const auto plan = make_plan(points_, shares, 1, shape, cutting);
    parallel::Pool pool(n_threads);
    const TaskContext context{plan.families, schema, scorers_, *this, seed, pool};
    Phase phase(plan.families, plan.tasks, 0, schema, scorers_, *this);
    while (const auto task = phase.next_task()) {
      TaskRunner runner(context, *task, {});
      while (!runner.is_done()) runner.step();
      phase.consume(TaskResult::from_bytes(runner.result().to_bytes()));
    }
    // Finished results alone say the same.
    Phase restored(plan.families, plan.tasks, 0, schema, scorers_, *this);
    for (const auto* result : phase.results()) restored.restore(*result);
    return make_results(plan, restored, scorers_, scorers_.front());
  }

  /// Compares both kinds of run over cuttings and threads.
  void expect_failures_of_separate_fits(std::uint64_t seed) {
    const auto alone = run(false, {}, 1, seed);
    std::size_t n_failed = 0;
    for (const auto& point : alone.points) n_failed += point.failure.empty() ? 0 : 1;
    EXPECT_GT(n_failed, 0u);
    for (const Cutting& cutting : {Cutting{}, Cutting{1, 4}}) {
      for (const int n_threads : {1, 2, 3}) {
        const auto shared = run(true, cutting, n_threads, seed);
        for (std::size_t i = 0; i < alone.points.size(); ++i) {
          ASSERT_EQ(shared.points[i].failure, alone.points[i].failure) << "point " << i;
        }
        for (std::size_t i = 0; i < alone.split_scores.size(); ++i) {
          const double score = alone.split_scores[i];
          ASSERT_TRUE(std::isnan(score) ? std::isnan(shared.split_scores[i])
                                        : shared.split_scores[i] == score);
        }
        EXPECT_EQ(shared.ranks, alone.ranks);
        EXPECT_EQ(shared.best, alone.best);
      }
    }
  }

  /// Steps units [first, last) of the only family until they are done or have failed.
  TaskResult run_task(std::int32_t fold, std::int32_t first, std::int32_t last, int n_threads) {
    const auto families = make_families(points_, true);
    EXPECT_EQ(families.size(), 1u);
    parallel::Pool pool(n_threads);
    const TaskContext context{families, *schema_, scorers_, *this, 1, pool};
    TaskRunner runner(context, {5, 0, fold, first, last, 0}, {});
    for (std::int32_t step = first; step < last && !runner.is_done(); ++step) runner.step();
    EXPECT_TRUE(runner.is_done());
    return TaskResult::from_bytes(runner.result().to_bytes());
  }

  /// Nothing comes of a task whose result is no whole cross-validated fit, but the reason.
  void expect_reason_alone(const TaskResult& result) {
    EXPECT_EQ(result.task, 5);
    EXPECT_NE(result.failure, "");
    EXPECT_TRUE(result.units.empty());
    EXPECT_TRUE(result.baseline.empty());
    EXPECT_TRUE(result.sums.empty());
    EXPECT_TRUE(result.scores.empty());
    EXPECT_TRUE(result.failures.empty());
  }

  const model::Schema* schema_ = nullptr;
  const data::BinnedData* data_ = nullptr;
  std::vector<Point> points_;
  std::vector<std::string> scorers_;

 private:
  const data::BinnedData& binned(std::int32_t, int) const override { return *data_; }
};

/// Two training rows count: about every seventh tree draws neither of them.
TEST_F(SharedFailure, OfForestsIsThatOfSeparateFits) {
  learn::ForestTable table({60, 20, 3, 0, 2, 9, false, true}, 4);
  for (std::size_t row = 0; row < 60; ++row) table.weight[row] = row < 2 ? 1 : 0;
  schema_ = &table.schema;
  data_ = &table.data;
  std::vector<ParamValue> trees, leaf_sizes, depths;
  for (std::int64_t n = 1; n <= 24; ++n) trees.emplace_back(n);
  for (const std::int64_t n : {1, 2}) leaf_sizes.emplace_back(n);
  for (const std::int64_t n : {1, 4}) depths.emplace_back(n);
  points_ = expand(
      {{"forest",
        Estimator::kRandomForestClassifier,
        {{"n_estimators", trees}, {"min_samples_leaf", leaf_sizes}, {"max_depth", depths}}}});
  scorers_ = {"accuracy", "neg_log_loss"};
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    SCOPED_TRACE(seed);
    expect_failures_of_separate_fits(seed);
  }
}

TEST_F(SharedFailure, OfBoostingIsThatOfSeparateFits) {
  learn::BoostingTable table({60, 20, 3, 0, 0, 9, 0, false, true}, 4);
  let_residuals_grow(table);
  std::vector<ParamValue> rounds;
  for (std::int64_t n = 1; n <= 24; ++n) rounds.emplace_back(n);
  points_ = expand({{"boosting",
                     Estimator::kHistGradientBoostingRegressor,
                     {{"max_iter", rounds},
                      {"learning_rate", {2.5}},
                      {"min_samples_leaf", {std::int64_t{1}}}}}});
  scorers_ = {"neg_mean_absolute_error"};
  expect_failures_of_separate_fits(1);
  const auto alone = run(false, {}, 1, 1);
  EXPECT_EQ(alone.points.front().failure, "");
  EXPECT_NE(alone.points.back().failure, "");
}

TEST_F(SharedFailure, OfARefitOrABlockLeavesTheReasonAlone) {
  learn::ForestTable table({60, 20, 3, 0, 2, 9, false, true}, 4);
  for (std::size_t row = 0; row < 60; ++row) table.weight[row] = row < 2 ? 1 : 0;
  schema_ = &table.schema;
  data_ = &table.data;
  scorers_ = {"accuracy"};
  points_ = expand({{"forest",
                     Estimator::kRandomForestClassifier,
                     {{"n_estimators", {std::int64_t{100}}},
                      {"min_samples_leaf", {std::int64_t{1}, std::int64_t{2}}}}}});
  for (const int n_threads : {1, 2, 3}) {
    const auto refit = run_task(kRefitFold, 0, 100, n_threads);
    expect_reason_alone(refit);
    expect_reason_alone(run_task(kRefitFold, 20, 90, n_threads));
    expect_reason_alone(run_task(0, 20, 90, n_threads));
    EXPECT_EQ(run_task(0, 0, 90, n_threads).failure, refit.failure);
  }
}

TEST_F(SharedFailure, OfARefitOfBoostingLeavesTheReasonAlone) {
  learn::BoostingTable table({60, 20, 3, 0, 0, 9, 0, false, true}, 4);
  let_residuals_grow(table);
  scorers_ = {"neg_mean_absolute_error"};
  points_ = expand({{"boosting",
                     Estimator::kHistGradientBoostingRegressor,
                     {{"max_iter", {std::int64_t{24}}},
                      {"learning_rate", {2.5}},
                      {"min_samples_leaf", {std::int64_t{1}}}}}});
  expect_reason_alone(run_task(kRefitFold, 0, 24, 1));
}

/// Points of different grids that have the same settings, and one that has others.
TEST_F(SharedFailure, PointsOfOneBoostingMemberHaveItsScoresEach) {
  learn::BoostingTable table({60, 20, 3, 0, 2, 9, 0, false, false}, 4);
  schema_ = &table.table.schema;
  data_ = &table.data();
  scorers_ = {"neg_log_loss", "accuracy"};
  const auto grid = [](const char* name, std::int64_t n_rounds) {
    return options::SubGrid{
        name, Estimator::kHistGradientBoostingClassifier, {{"max_iter", {n_rounds}}}};
  };
  points_ = expand({grid("a", 9), grid("b", 5), grid("c", 9), grid("d", 9)});
  ASSERT_EQ(make_families(points_, true).size(), 1u);
  const auto alone = run(false, {}, 1, 1), shared = run(true, {}, 1, 1);
  for (const double score : alone.split_scores) EXPECT_FALSE(std::isnan(score));
  EXPECT_EQ(shared.split_scores, alone.split_scores);
  EXPECT_NE(alone.mean_scores[0], alone.mean_scores[2]);
}

}  // namespace
}  // namespace orchard::search
