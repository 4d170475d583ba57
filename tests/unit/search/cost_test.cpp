// What forests of several leaf sizes are expected to take.

#include "orchard/search/cost.hpp"

#include <gtest/gtest.h>

namespace orchard::search {
namespace {

Family forest_of(std::vector<options::CountOrFraction> leaf_sizes, bool is_regression) {
  options::ForestSettings settings;
  settings.n_estimators = 10;
  if (is_regression) settings.criterion = options::Criterion::kSquaredError;
  Family family;
  family.estimator = is_regression ? options::Estimator::kRandomForestRegressor
                                   : options::Estimator::kRandomForestClassifier;
  family.settings = settings;
  family.stages = {settings.n_estimators};
  family.cut_settings = {settings};
  family.leaf_sizes = std::move(leaf_sizes);
  return family;
}

class CostTest : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  Family forest(std::vector<options::CountOrFraction> leaf_sizes) const {
    return forest_of(std::move(leaf_sizes), GetParam() == 0);
  }
  DataShape shape(std::uint64_t n_rows = 10'000) const {
    return {n_rows, 20, GetParam(), GetParam() == 0 ? Task::kRegression : Task::kClassification};
  }
};

TEST_P(CostTest, LeafSizesTogetherTakeLessTimeThanApart) {
  const std::int64_t sizes[] = {1, 2, 5, 10};
  double apart = 0;
  for (const auto size : sizes) apart += estimate_cost(forest({size}), 10, shape());
  const double first = estimate_cost(forest({std::int64_t{1}}), 10, shape());
  const double together = estimate_cost(
      forest({std::int64_t{5}, std::int64_t{1}, std::int64_t{10}, std::int64_t{2}}), 10, shape());
  EXPECT_GT(together, 1.2 * first);
  EXPECT_LT(together, 0.75 * apart);
}

TEST_P(CostTest, NodesAreThoseOfAllLeafSizes) {
  const double both = expected_nodes(forest({std::int64_t{3}, 0.01}), shape());
  const double apart =
      expected_nodes(forest({0.01}), shape()) + expected_nodes(forest({std::int64_t{3}}), shape());
  EXPECT_DOUBLE_EQ(both, apart);
  EXPECT_LT(expected_nodes(forest({0.01}), shape()),
            expected_nodes(forest({std::int64_t{3}}), shape()));
}

TEST_P(CostTest, LeafSizesTogetherHoldTheirTreesAndBuilders) {
  const auto bytes = [&](std::vector<options::CountOrFraction> leaf_sizes, int n_threads) {
    return static_cast<double>(
        working_bytes(forest(std::move(leaf_sizes)), 10, shape(), 0, n_threads));
  };
  const double one = bytes({std::int64_t{5}}, 1);
  const double two = bytes({std::int64_t{5}, std::int64_t{6}}, 1);
  EXPECT_GT(two, one);
  EXPECT_LT(two, one + bytes({std::int64_t{6}}, 1) + 64 * 6 * 22);
  EXPECT_GT(bytes({std::int64_t{5}, std::int64_t{6}}, 2) - two, bytes({std::int64_t{5}}, 2) - one);
}

INSTANTIATE_TEST_SUITE_P(Classes, CostTest, ::testing::Values(0, 2, 5));

}  // namespace
}  // namespace orchard::search
