// Members of a family that share a fit fail as they would alone: by the trees that they need.

#include <gtest/gtest.h>

#include <cmath>

#include "forest/table.hpp"
#include "orchard/search/search_state.hpp"
#include "orchard/search/task_runner.hpp"

namespace orchard::search {
namespace {

using options::Estimator;
using options::ParamValue;

/// Two training rows count: about every seventh tree draws neither of them.
class SharedFailure : public ::testing::Test, private FoldSource {
 protected:
  SharedFailure() : table_({60, 20, 3, 0, 2, 9, false, true}, 4) {
    for (std::size_t row = 0; row < 60; ++row) table_.weight[row] = row < 2 ? 1 : 0;
    std::vector<ParamValue> trees, leaf_sizes, depths;
    for (std::int64_t n = 1; n <= 24; ++n) trees.emplace_back(n);
    for (const std::int64_t n : {1, 2}) leaf_sizes.emplace_back(n);
    for (const std::int64_t n : {1, 4}) depths.emplace_back(n);
    points_ = expand(
        {{"forest",
          Estimator::kRandomForestClassifier,
          {{"n_estimators", trees}, {"min_samples_leaf", leaf_sizes}, {"max_depth", depths}}}});
  }
  const data::BinnedData& binned(std::int32_t, int) const override { return table_.data; }

  Results run(bool shares, const Cutting& cutting, int n_threads, std::uint64_t seed) {
    const DataShape shape{80, 3, 2, Task::kClassification};
    const auto plan = make_plan(points_, shares, 1, shape, cutting);
    parallel::Pool pool(n_threads);
    const TaskContext context{plan.families, table_.schema, scorers_, *this, seed, pool};
    Phase phase(plan.families, plan.tasks, 0, table_.schema, scorers_, *this);
    while (const auto task = phase.next_task()) {
      TaskRunner runner(context, *task, {});
      while (!runner.is_done()) runner.step();
      phase.consume(TaskResult::from_bytes(runner.result().to_bytes()));
    }
    // Finished results alone say the same.
    Phase restored(plan.families, plan.tasks, 0, table_.schema, scorers_, *this);
    for (const auto* result : phase.results()) restored.restore(*result);
    return make_results(plan, restored, scorers_, "accuracy");
  }

  learn::ForestTable table_;
  std::vector<Point> points_;
  std::vector<std::string> scorers_ = {"accuracy", "neg_log_loss"};
};

TEST_F(SharedFailure, IsThatOfSeparateFits) {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    SCOPED_TRACE(seed);
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
}

}  // namespace
}  // namespace orchard::search
