#include "orchard/search/family.hpp"

#include <gtest/gtest.h>

#include <map>

#include "orchard/search/plan.hpp"

namespace orchard::search {
namespace {

using options::Estimator;
using options::ParamValue;
using options::SubGrid;

SubGrid forest_grid(std::vector<SubGrid::Axis> axes) {
  return {"forest", Estimator::kRandomForestClassifier, std::move(axes)};
}

std::vector<ParamValue> ints(std::initializer_list<std::int64_t> values) {
  return {values.begin(), values.end()};
}

TEST(Expand, LastAxisByNameVariesFastest) {
  const auto points = expand({forest_grid(
      {{"n_estimators", ints({10, 20})}, {"max_depth", {ParamValue(std::int64_t{3}), {}}}})});
  ASSERT_EQ(points.size(), 4u);
  const auto at = [&](std::size_t i) {
    return std::get<options::ForestSettings>(points[i].settings);
  };
  EXPECT_EQ(points[0].params[0].name, "max_depth");
  EXPECT_EQ(at(0).max_depth, 3);
  EXPECT_EQ(at(0).n_estimators, 10);
  EXPECT_EQ(at(1).max_depth, 3);
  EXPECT_EQ(at(1).n_estimators, 20);
  EXPECT_FALSE(at(2).max_depth.has_value());
  EXPECT_EQ(points[3].id, 3);
}

TEST(Expand, SubGridsFollowEachOther) {
  const auto points = expand({forest_grid({{"n_estimators", ints({10})}}),
                              {"other", Estimator::kHistGradientBoostingClassifier, {}}});
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[1].grid, "other");
  EXPECT_TRUE(points[1].params.empty());
}

std::vector<Point> shared_grid() {
  return expand({forest_grid({{"n_estimators", ints({25, 50, 100})},
                              {"max_depth", {ParamValue(std::int64_t{4}), {}}},
                              {"min_samples_split", ints({2, 10})},
                              {"min_samples_leaf", ints({1, 5})}})});
}

TEST(Families, ShareWhatNestsAndLeafSizes) {
  const auto points = shared_grid();
  const auto families = make_families(points, true);
  ASSERT_EQ(families.size(), 1u);
  const auto& family = families.front();
  EXPECT_EQ(family.members.size(), 24u);
  EXPECT_EQ(family.stages, (std::vector<std::int64_t>{25, 50, 100}));
  EXPECT_EQ(family.cut_settings.size(), 4u);
  EXPECT_EQ(family.leaf_sizes.size(), 2u);
  EXPECT_EQ(family.n_units(), 100);
  for (std::size_t i = 0; i < family.members.size(); ++i) {
    const auto& member = family.members[i];
    EXPECT_EQ(member.point, static_cast<std::int32_t>(i)) << "ascending";
    const auto& settings = std::get<options::ForestSettings>(points[i].settings);
    EXPECT_EQ(family.stages[static_cast<std::size_t>(member.stage)], settings.n_estimators);
    const auto& cut = family.cut_settings[static_cast<std::size_t>(member.cut)];
    EXPECT_EQ(cut.max_depth, settings.max_depth);
    EXPECT_EQ(cut.min_samples_split, settings.min_samples_split);
    EXPECT_EQ(family.leaf_sizes[static_cast<std::size_t>(member.leaf_size)],
              settings.min_samples_leaf);
  }
}

TEST(Families, LeafSizesWithOtherCutsOrStagesAreApart) {
  const auto with = [](const char* name, const char* other, std::int64_t value,
                       std::int64_t leaf_size) {
    return SubGrid{name,
                   Estimator::kRandomForestClassifier,
                   {{other, ints({value})}, {"min_samples_leaf", ints({leaf_size})}}};
  };
  EXPECT_EQ(make_families(expand({with("a", "max_depth", 4, 1), with("b", "max_depth", 4, 5),
                                  with("c", "max_depth", 5, 9)}),
                          true)
                .size(),
            2u);
  EXPECT_EQ(
      make_families(expand({with("a", "n_estimators", 10, 1), with("b", "n_estimators", 20, 5),
                            with("c", "n_estimators", 20, 9)}),
                    true)
          .size(),
      2u);
}

TEST(Families, SplitAtTheLimitOfLeafSizes) {
  std::vector<ParamValue> sizes;
  for (std::int64_t size = 1; size <= 40; ++size) sizes.emplace_back(size);
  const auto families = make_families(expand({forest_grid({{"min_samples_leaf", sizes}})}), true);
  ASSERT_EQ(families.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(families[i].id, static_cast<std::int32_t>(i));
    EXPECT_EQ(families[i].leaf_sizes.size(), std::min<std::size_t>(16, 40 - 16 * i));
  }
}

TEST(Families, WithoutSharingEveryPointIsAlone) {
  const auto points = shared_grid();
  const auto families = make_families(points, false);
  ASSERT_EQ(families.size(), points.size());
  for (const auto& family : families) EXPECT_EQ(family.members.size(), 1u);
}

TEST(Families, SplitAtTheLimitOfCuts) {
  std::vector<ParamValue> depths;
  for (std::int64_t depth = 1; depth <= 100; ++depth) depths.emplace_back(depth);
  const auto families = make_families(expand({forest_grid({{"max_depth", depths}})}), true);
  ASSERT_EQ(families.size(), 2u);
  EXPECT_EQ(families[0].cut_settings.size(), learn::kMaxCuts);
  EXPECT_EQ(families[1].cut_settings.size(), 100 - learn::kMaxCuts);
}

TEST(Families, BoostingSharesRoundsAndStoppingRule) {
  const auto points = expand({{"b",
                               Estimator::kHistGradientBoostingClassifier,
                               {{"max_iter", ints({50, 100})},
                                {"n_iter_no_change", ints({5, 10})},
                                {"learning_rate", {ParamValue(0.1), ParamValue(0.2)}}}}});
  const auto families = make_families(points, true);
  ASSERT_EQ(families.size(), 2u);
  EXPECT_EQ(families[0].boosting_members.size(), 4u);
  EXPECT_EQ(families[0].n_units(), 100);
}

TEST(Families, EstimatorsAreApart) {
  const auto points = expand({forest_grid({}),
                              {"again", Estimator::kRandomForestClassifier, {}},
                              {"b", Estimator::kHistGradientBoostingClassifier, {}}});
  EXPECT_EQ(make_families(points, true).size(), 2u);
}

/// Two families of 12 points.
std::vector<Point> two_families() {
  return expand({forest_grid({{"n_estimators", ints({25, 50, 100})},
                              {"max_depth", {ParamValue(std::int64_t{4}), {}}},
                              {"min_samples_split", ints({2, 10})},
                              {"bootstrap", {ParamValue(true), ParamValue(false)}}})});
}

TEST(Plan, BlocksEndAtStages) {
  const auto families = make_families(two_families(), true);
  const auto blocks = make_blocks(families[0], 3, 20);
  std::int32_t at = 0;
  for (const auto& block : blocks) {
    EXPECT_EQ(block.first_unit, at);
    EXPECT_LE(block.last_unit - block.first_unit, 20);
    for (const std::int32_t stage : {25, 50, 100}) {
      EXPECT_FALSE(block.first_unit < stage && stage < block.last_unit);
    }
    EXPECT_EQ(block.fold, 3);
    at = block.last_unit;
  }
  EXPECT_EQ(at, 100);
  EXPECT_EQ(make_blocks(families[0], 0, 0).size(), 1u);
}

TEST(Plan, TasksCoverEveryFitOnce) {
  const DataShape shape{1000, 10, 2, Task::kClassification};
  const auto plan = make_plan(two_families(), true, 5, shape, {});
  EXPECT_EQ(plan.n_fits(), 10u);
  EXPECT_EQ(plan.tasks.size(), 10u);
  for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
    EXPECT_EQ(plan.tasks[i].id, static_cast<std::int32_t>(i));
    EXPECT_GT(plan.tasks[i].cost, 0);
  }
}

TEST(Plan, FewFitsAreCutForManyRanks) {
  const DataShape shape{1000, 10, 2, Task::kClassification};
  const auto families = make_families(two_families(), true);
  EXPECT_EQ(choose_cutting(families, 5, shape, 1).n_fits, 0);
  const auto for_three = choose_cutting(families, 5, shape, 3);
  EXPECT_GE(for_three.n_fits, 1) << "ten equal fits leave one of three ranks with a fourth";
  EXPECT_LE(for_three.n_fits, 4) << "as few as possible are cut";
  EXPECT_GE(choose_cutting(families, 5, shape, 100).n_fits, 8);
  EXPECT_GE(choose_cutting(families, 5, shape, 10000).block_trees, 4);
}

TEST(Plan, CutFitsAreTheLastForests) {
  const DataShape shape{1000, 10, 2, Task::kClassification};
  const auto plan = make_plan(two_families(), true, 5, shape, {2, 10});
  std::map<std::pair<std::int32_t, std::int32_t>, int> n_tasks;
  for (const auto& task : plan.tasks) ++n_tasks[{task.fold, task.family}];
  EXPECT_EQ(n_tasks.size(), 10u);
  for (const auto& [fit, n] : n_tasks) EXPECT_EQ(n > 1, fit.first == 4) << fit.first;
}

}  // namespace
}  // namespace orchard::search
