#include "orchard/run/forecast.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "orchard/run/calibration.hpp"
#include "small_job.hpp"

namespace orchard::run {
namespace {

using options::ParamValue;

search::Plan plan_of(std::int32_t n_folds, const search::DataShape& shape) {
  auto points = search::expand({{"forest",
                                 options::Estimator::kRandomForestClassifier,
                                 {{"n_estimators", {std::int64_t{50}, std::int64_t{100}}},
                                  {"max_depth", {ParamValue(std::int64_t{8})}}}},
                                {"boosting",
                                 options::Estimator::kHistGradientBoostingClassifier,
                                 {{"max_iter", {std::int64_t{200}}}}}});
  return search::make_plan(std::move(points), true, n_folds, shape, {});
}

class ForecastTest : public testing::Test {
 protected:
  ForecastTest() {
    work_.plan = &plan_;
    work_.shape = shape_;
    work_.has_refit = true;
    work_.n_train = 80'000;
    work_.n_test = 20'000;
    work_.n_refit = 100'000;
    work_.table_bytes = 100;
    work_.search_bins.of_node = 500;
    work_.refit_bins.of_node = 200;
  }
  Forecast on(int n_ranks, int n_nodes, int n_threads) const {
    Allocation allocation;
    allocation.n_ranks = n_ranks;
    allocation.n_nodes = n_nodes;
    allocation.n_threads = n_threads;
    allocation.n_cores = 8;
    return make_forecast(work_, allocation);
  }
  static std::string refusal(const Forecast& forecast, const NodeLimits& limits) {
    const auto error = refuse(forecast, limits);
    if (!error) return "";
    EXPECT_EQ(error->kind(), ErrorKind::kResources);
    return error->what();
  }

  search::DataShape shape_{100'000, 28, 2, Task::kClassification};
  search::Plan plan_ = plan_of(5, shape_);
  Workload work_;
};

TEST_F(ForecastTest, SharedMemoryDoesNotDependOnTheNumberOfRanks) {
  EXPECT_EQ(on(1, 1, 1).shared_bytes(), 600u);
  EXPECT_EQ(on(8, 1, 1).shared_bytes(), 600u);
  work_.refit_bins.of_node = 900;
  EXPECT_EQ(on(8, 1, 1).shared_bytes(), 1000u) << "folds are given back before the refit";
}

TEST_F(ForecastTest, ANodeHoldsSharedDataOnceAndTheModelOnOneRank) {
  work_.refit_bins.of_node = 900;
  const auto forecast = on(8, 2, 1);
  EXPECT_EQ(forecast.search.root_bytes, 0u);
  const auto of_search = 500 + 3 * forecast.search.rank_bytes() + forecast.search.root_rank_bytes();
  const auto of_refit = 900 + 3 * forecast.refit.rank_bytes() + forecast.refit.root_rank_bytes();
  EXPECT_EQ(forecast.node_bytes(),
            100 + 4 * forecast.program_bytes + std::max(of_search, of_refit));
}

TEST_F(ForecastTest, TreesOfTheRefitComeToRankZeroInMessages) {
  const auto& family = plan_.families.front();
  const auto model = search::tree_bytes(family, 100, shape_, 1);
  const auto held = search::held_bytes(family, 100, shape_, 1);
  const auto block = search::held_bytes(family, 8, shape_, 1);
  const auto alone = on(1, 1, 1).refit, shared = on(2, 1, 1).refit;
  EXPECT_EQ(alone.root_bytes, held - block);
  EXPECT_EQ(alone.message_bytes, 0u);
  EXPECT_EQ(shared.root_bytes, held - block);
  EXPECT_EQ(shared.message_bytes, block);
  EXPECT_EQ(on(1, 1, 1).model_bytes, model + 16 * 1024);
}

TEST_F(ForecastTest, RankZeroKeepsWhatItPullsForCheckpoints) {
  work_.checkpoint_interval_s = 1e9;
  EXPECT_EQ(on(4, 1, 1).search.root_bytes, 0u);
  work_.checkpoint_interval_s = 1e-9;
  EXPECT_EQ(on(1, 1, 1).search.root_bytes, 0u);
  const auto& forest = plan_.families.front();
  const search::DataShape fold{80'000, 28, 2, Task::kClassification};
  EXPECT_EQ(on(4, 1, 1).search.root_bytes,
            3 * search::held_bytes(forest, 100, fold, forest.cut_settings.size()));
}

TEST_F(ForecastTest, ListsOfRowsAreThereWhileBinsAreMade) {
  const auto forecast = on(1, 1, 1);
  EXPECT_EQ(forecast.search.list_bytes, 6u * 100'000 * 4) << "five folds and the refit";
  EXPECT_EQ(forecast.search.kept_list_bytes, 1u * 100'000 * 4);
  EXPECT_EQ(forecast.refit.list_bytes, 1u * 100'000 * 4);
  EXPECT_EQ(forecast.refit.kept_list_bytes, 0u);

  PhaseMemory phase;
  phase.bins.making = 1000;
  phase.list_bytes = 100;
  phase.kept_list_bytes = 10;
  phase.working_bytes = 500;
  EXPECT_EQ(phase.rank_bytes(), 1100u) << "while bins are made";
  phase.working_bytes = 2000;
  EXPECT_EQ(phase.rank_bytes(), 2010u) << "while fits are grown";
  phase.message_bytes = 1500;
  EXPECT_EQ(phase.rank_bytes(), 3010u) << "trees and their message";
  phase.root_bytes = 5000;
  EXPECT_EQ(phase.root_rank_bytes(), 10u + 2000 + 5000 + 1500);
}

TEST_F(ForecastTest, SaysHowManyRanksJoinAFit) {
  EXPECT_EQ(on(8, 1, 1).max_joined_ranks, 1) << "100,000 rows are split in no time";
  work_.shape.n_rows = 1'000'000;
  EXPECT_EQ(on(8, 1, 1).max_joined_ranks, 8);
  EXPECT_EQ(on(8, 2, 1).max_joined_ranks, 4) << "those of a node";
  EXPECT_EQ(on(8, 1, 1000).max_joined_ranks, 1) << "or by so many threads";
  work_.parallel.layout = options::Layout::kReplicated;
  EXPECT_EQ(on(8, 1, 1).max_joined_ranks, 1);
}

TEST_F(ForecastTest, TimeIsThatOfTheTasksOnTheirThreads) {
  work_.calibrations.assign(plan_.families.size(), {3, 1, true});
  double all_s = 0;
  const search::DataShape fold{80'000, 28, 2, Task::kClassification};
  for (const auto& family : plan_.families) {
    all_s += 5 * 3 * search::estimate_cost(family, family.n_units(), fold) /
             search::thread_speedup(family, 2);
  }
  EXPECT_NEAR(on(1, 1, 2).search_s, all_s, 1e-9 * all_s);
  // The refit is that of the point that takes longest, on all rows.
  const auto& boosting = plan_.families.back();
  EXPECT_NEAR(on(1, 1, 1).refit_s,
              3 * std::max(search::estimate_cost(boosting, 200, shape_),
                           search::estimate_cost(plan_.families.front(), 100, shape_)),
              1e-9);
}

TEST_F(ForecastTest, GroupsShareTheRowsAndExchangeSums) {
  auto points = search::expand({{"boosting",
                                 options::Estimator::kHistGradientBoostingClassifier,
                                 {{"max_iter", {std::int64_t{50}}}}}});
  const auto plan = search::make_plan(std::move(points), true, 2, shape_, {});
  work_.plan = &plan;
  const auto& family = plan.families.front();
  const auto seconds = [&](std::uint64_t n_rows, double n_ranks) {
    const search::DataShape shape{n_rows, 28, 2, Task::kClassification};
    return search::estimate_cost(family, 50, shape) / n_ranks +
           (n_ranks > 1 ? search::exchange_seconds(family, 50, shape) : 0);
  };
  work_.parallel.layout = options::Layout::kReplicated;
  EXPECT_NEAR(on(4, 1, 1).search_s, seconds(80'000, 1), 1e-9);
  EXPECT_NEAR(on(4, 1, 1).refit_s, seconds(100'000, 1), 1e-9);
  work_.parallel.layout = options::Layout::kRows;
  work_.parallel.ranks_per_fit = 2;
  const auto rows = on(4, 1, 1);
  EXPECT_NEAR(rows.search_s, seconds(80'000, 2), 1e-9) << "one fold on each pair";
  EXPECT_NEAR(rows.refit_s, seconds(100'000, 2), 1e-9);
  work_.parallel.ranks_per_fit = {};
  EXPECT_NEAR(on(4, 1, 1).search_s, 2 * seconds(80'000, 4), 1e-9) << "one after the other";
  EXPECT_NEAR(on(4, 4, 1).search_s, 2 * seconds(80'000, 4), 1e-9) << "fits are fewer than nodes";
  EXPECT_LT(on(4, 1, 1).refit.working_bytes, rows.refit.working_bytes);
  EXPECT_EQ(rows.refit.working_bytes, search::working_bytes(family, 50, shape_, 0, 1, 2));
  // Of three ranks in pairs one is alone, and holds all rows.
  work_.parallel.ranks_per_fit = 2;
  EXPECT_EQ(on(3, 1, 1).refit.working_bytes, search::working_bytes(family, 50, shape_, 0, 1, 1));
}

TEST_F(ForecastTest, SharesOfTheRowsArePrivate) {
  const auto without = on(8, 2, 1);
  constexpr std::size_t kShare = std::size_t{1} << 30;
  work_.search_bins = work_.refit_bins = {300, kShare, 3 * kShare};
  const auto forecast = on(8, 2, 1);
  EXPECT_EQ(forecast.shared_bytes(), 400u);
  EXPECT_EQ(forecast.private_bytes(), without.private_bytes() + kShare);
  EXPECT_GT(forecast.node_bytes(), 3 * kShare);
  EXPECT_LT(forecast.node_bytes(), 4 * kShare) << "not every rank holds the most";
  const auto bins = forecast.bins_alone();
  EXPECT_EQ(bins.node_bytes(), 300 + 3 * kShare);

  NodeLimits limits;
  limits.shared_bytes = 400;
  EXPECT_EQ(refusal(forecast, limits), "");
  limits.memory_bytes = 300 + 3 * kShare - 1;
  EXPECT_NE(refusal(bins, limits).find("ranks_per_fit"), std::string::npos);
  limits.memory_bytes = *limits.memory_bytes + 1;
  EXPECT_EQ(refusal(bins, limits), "");
}

TEST(Allocation, RanksLieOnNodesInTheirOrder) {
  Allocation allocation;
  allocation.n_ranks = 5;
  allocation.n_nodes = 2;
  EXPECT_EQ(allocation.node_of_rank(), (std::vector<int>{0, 0, 0, 3, 3}));
  allocation.n_nodes = 1;
  EXPECT_EQ(allocation.node_of_rank(), (std::vector<int>{0, 0, 0, 0, 0}));
  allocation.n_ranks = 4;
  allocation.n_nodes = 3;
  EXPECT_EQ(allocation.node_of_rank(), (std::vector<int>{0, 0, 2, 3}));
}

TEST_F(ForecastTest, MoreRanksAndThreadsTakeLessTime) {
  EXPECT_LT(on(4, 1, 1).search_s, on(1, 1, 1).search_s);
  EXPECT_LT(on(1, 1, 4).search_s, on(1, 1, 1).search_s);
  EXPECT_GE(4.001 * on(4, 1, 1).search_s, on(1, 1, 1).search_s);
}

TEST_F(ForecastTest, CalibrationScalesTheTimeAndTheSizeOfItsFamily) {
  const auto before = on(1, 1, 1);
  work_.calibrations.assign(plan_.families.size(), {2, 3, true});
  const auto after = on(1, 1, 1);
  EXPECT_DOUBLE_EQ(after.search_s, 2 * before.search_s);
  EXPECT_DOUBLE_EQ(after.refit_s, 2 * before.refit_s);
  EXPECT_GT(after.model_bytes, 2 * before.model_bytes);
}

TEST_F(ForecastTest, CountsRanksWithoutATask) {
  Forecast grouped;
  grouped.allocation.n_ranks = 8;
  grouped.n_groups = 2;
  grouped.n_tasks = 1;
  EXPECT_EQ(grouped.n_idle_ranks(), 4) << "a group has nothing to do";
  grouped.n_tasks = 5;
  EXPECT_EQ(grouped.n_idle_ranks(), 0) << "groups are few, not ranks";
  EXPECT_EQ(on(4, 1, 1).n_idle_ranks(), 0);
  EXPECT_EQ(on(500, 1, 1).n_idle_ranks(),
            500 - static_cast<int>(std::max(plan_.tasks.size(), std::size_t{13})));
}

TEST_F(ForecastTest, NothingKnownRefusesNothing) { EXPECT_EQ(refusal(on(4, 1, 2), {}), ""); }

TEST_F(ForecastTest, RefusesMoreRanksOrThreadsThanCores) {
  EXPECT_NE(refusal(on(9, 1, 1), {}).find("9 ranks on a node of 8 cores"), std::string::npos);
  EXPECT_NE(refusal(on(9, 1, 1), {}).find("At most 8 ranks"), std::string::npos);
  const auto text = refusal(on(3, 1, 4), {});
  EXPECT_NE(text.find("3 ranks x 4 threads need 12 cores"), std::string::npos) << text;
  EXPECT_NE(text.find("--n-jobs=2"), std::string::npos) << text;
  auto insisted = on(9, 1, 4);
  insisted.allocation.may_oversubscribe = true;
  EXPECT_EQ(refusal(insisted, {}), "");
}

TEST_F(ForecastTest, RefusesWhatMemoryCannotHoldAndNamesWhatCan) {
  const auto forecast = on(4, 1, 1);
  NodeLimits limits;
  limits.memory_origin = "control group";
  limits.memory_bytes = forecast.node_bytes();
  EXPECT_EQ(refusal(forecast, limits), "");
  limits.memory_bytes = forecast.shared_bytes() + 2 * forecast.private_bytes();
  auto text = refusal(forecast, limits);
  EXPECT_NE(text.find("control group"), std::string::npos) << text;
  EXPECT_NE(text.find("2 ranks on a node fit"), std::string::npos) << text;
  limits.memory_bytes = 10;
  text = refusal(forecast, limits);
  EXPECT_NE(text.find("Ask for nodes with at least"), std::string::npos) << text;
}

TEST_F(ForecastTest, SharedMemoryCountsOnlyWhereRanksShare) {
  NodeLimits limits;
  limits.shared_bytes = 599;
  EXPECT_EQ(refusal(on(1, 1, 1), limits), "");
  EXPECT_EQ(refusal(on(4, 4, 1), limits), "");
  const auto text = refusal(on(2, 1, 1), limits);
  EXPECT_NE(text.find("/dev/shm"), std::string::npos) << text;
  EXPECT_NE(text.find("one rank on each node"), std::string::npos) << text;
}

TEST_F(ForecastTest, DeeperAndLargerFitsHoldMore) {
  const auto& boosting = plan_.families.back();
  const auto bytes = [&](std::uint64_t n_rows, int n_threads) {
    return search::working_bytes(boosting, 10, {n_rows, 28, 2, Task::kClassification}, 0,
                                 n_threads);
  };
  EXPECT_LT(bytes(1000, 1), bytes(1'000'000, 1));
  EXPECT_LT(bytes(1000, 1), bytes(1000, 8));
}

/// Families of boosting with trees of one split, and one of forests.
search::Plan plan_of_kinds() {
  return search::make_plan(search::expand({{"boosting",
                                            options::Estimator::kHistGradientBoostingClassifier,
                                            {{"max_leaf_nodes", {std::int64_t{2}}},
                                             {"min_samples_leaf", {std::int64_t{1}}},
                                             {"learning_rate", {0.1, 0.2, 0.3}},
                                             {"max_iter", {std::int64_t{50}}},
                                             {"early_stopping", {false}}}},
                                           {"forest",
                                            options::Estimator::kRandomForestClassifier,
                                            {{"n_estimators", {std::int64_t{2}}}}}}),
                           true, 3, {300, 2, 2, Task::kClassification}, {});
}

TEST(Calibration, WithoutTimeTheHeaviestFamilySpeaksForItsKind) {
  const SmallJob job;
  const auto plan = plan_of_kinds();
  ASSERT_EQ(plan.families.size(), 4u);
  parallel::Pool pool(1);
  const auto calibrations = calibrate(plan.families, job.table(), job.folds().front(), 1, 0, pool);
  const auto n_measured = std::count_if(calibrations.begin(), calibrations.end(),
                                        [](const auto& each) { return each.is_measured; });
  EXPECT_EQ(n_measured, 1);
  EXPECT_TRUE(calibrations[0].is_measured) << "the first of equals";
  for (const int other : {1, 2}) {
    const auto& of_kind = calibrations[static_cast<std::size_t>(other)];
    EXPECT_NEAR(of_kind.time_factor, calibrations[0].time_factor,
                1e-9 * calibrations[0].time_factor);
    EXPECT_NEAR(of_kind.size_factor, calibrations[0].size_factor, 1e-9);
  }
  EXPECT_EQ(calibrations[3].time_factor, 1) << "nothing is known of forests";
  EXPECT_EQ(calibrations[3].size_factor, 1);
}

TEST(Calibration, OneOfEachKindComesFirst) {
  const SmallJob job;
  auto plan = plan_of_kinds();
  parallel::Pool pool(1);
  // The forest is lightest, and second all the same.
  const auto calibrations = calibrate(plan.families, job.table(), job.folds().front(), 1, 5, pool);
  EXPECT_TRUE(calibrations[3].is_measured);
  EXPECT_TRUE(calibrate({}, job.table(), job.folds().front(), 1, 5, pool).empty());
}

TEST(Calibration, SizesAreThoseOfTheTreesThatGrew) {
  const SmallJob job;
  const auto plan = plan_of_kinds();
  parallel::Pool pool(2);
  const auto calibrations =
      calibrate(plan.families, job.table(), job.folds().front(), 1, 0.2, pool);
  // A split and two leaves: three nodes of 29 bytes and two values, against half a value a node.
  EXPECT_NEAR(calibrations[0].size_factor, (3 * 29 + 2 * 8) / (3 * (29 + 4.0)), 1e-9);
}

TEST(Calibration, MeasuresOneFamilyOfEachKindAtLeast) {
  const SmallJob job;
  const auto plan = plan_of(3, {300, 2, 2, Task::kClassification});
  parallel::Pool pool(2);
  const auto calibrations =
      calibrate(plan.families, job.table(), job.folds().front(), 1, 0.2, pool);
  ASSERT_EQ(calibrations.size(), plan.families.size());
  for (const auto& each : calibrations) {
    EXPECT_TRUE(each.is_measured);
    EXPECT_GT(each.time_factor, 0);
    EXPECT_GT(each.size_factor, 0);
  }
}

}  // namespace
}  // namespace orchard::run
