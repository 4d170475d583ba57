// The parts of a forest: drawing rows and features, cuts, values, targets, binned trees.

#include <gtest/gtest.h>

#include <numeric>

#include "binned_tree.hpp"
#include "forest/feature_order.hpp"
#include "forest/plan.hpp"
#include "forest/split.hpp"
#include "forest/table.hpp"
#include "forest/values.hpp"
#include "orchard/base/error.hpp"

namespace orchard::learn {
namespace {

using options::ForestSettings;

ForestPlan plan_for(const ForestTable& table, const ForestSettings& settings,
                    parallel::Pool& pool) {
  return make_plan({table.data, table.schema, 11, pool}, settings, {Cut{}});
}

TEST(ForestDrawTest, EveryRowIsDrawnEquallyOften) {
  const ForestTable table({100, 0, 1, 0, 2, 4, false, false}, 1);
  parallel::Pool pool(1);
  const auto plan = plan_for(table, {}, pool);
  std::vector<std::uint32_t> multiplicity;
  std::vector<double> total(100);
  double n_absent = 0;
  const int n_trees = 2000;
  for (int tree = 0; tree < n_trees; ++tree) {
    count_rows(plan, {static_cast<std::uint64_t>(tree)}, multiplicity);
    ASSERT_EQ(std::accumulate(multiplicity.begin(), multiplicity.end(), 0U), 100U);
    for (std::size_t i = 0; i < 100; ++i) {
      total[i] += multiplicity[i];
      n_absent += multiplicity[i] == 0 ? 1 : 0;
    }
  }
  // Six standard deviations of a count of 2,000 expected draws.
  for (const double n : total) EXPECT_NEAR(n, 2000, 6 * std::sqrt(2000.0));
  EXPECT_NEAR(n_absent / (100.0 * n_trees), std::pow(0.99, 100), 0.005);
}

TEST(ForestDrawTest, TheNumberOfDrawsIsScikitLearns) {
  const ForestTable table({50, 0, 1, 0, 2, 4, false, false}, 1);
  parallel::Pool pool(1);
  ForestSettings settings;
  const auto n_draws = [&] { return plan_for(table, settings, pool).n_draws; };
  EXPECT_EQ(n_draws(), 50U);
  settings.max_samples = std::int64_t{7};
  EXPECT_EQ(n_draws(), 7U);
  settings.max_samples = 0.25;  // 12.5: to the even neighbour
  EXPECT_EQ(n_draws(), 12U);
  settings.max_samples = 0.001;
  EXPECT_EQ(n_draws(), 1U);
  settings.bootstrap = false;
  EXPECT_EQ(n_draws(), 50U);
}

TEST(ForestDrawTest, FractionsAreRoundedUp) {
  const ForestTable table({50, 0, 1, 0, 2, 4, false, false}, 1);
  parallel::Pool pool(1);
  ForestSettings settings;
  settings.min_samples_leaf = 0.05;
  settings.min_samples_split = 0.001;
  EXPECT_EQ(plan_for(table, settings, pool).leaf_rows.front(), 3U);
  EXPECT_EQ(cut_of(settings, 50).min_samples_split, 2);
  settings.min_samples_split = 0.25;
  EXPECT_EQ(cut_of(settings, 50).min_samples_split, 13);
}

TEST(FeatureOrderTest, IsTheBeginningOfTheShuffle) {
  FeatureOrder order(13);
  random::NodeKey key;
  for (const std::size_t n_drawn : {13, 1, 5, 12, 13}) {
    key = key.child(1);
    const random::Stream stream(3, random::Purpose::kFeatures, 9, key);
    std::vector<std::uint32_t> expected(13);
    std::iota(expected.begin(), expected.end(), 0U);
    stream.shuffle(expected);
    order.start(stream);
    for (std::size_t i = 0; i < n_drawn; ++i) EXPECT_EQ(order.next(), expected[i]) << i;
  }
}

TEST(ValueTableTest, EqualRowsShareANumber) {
  ValueTable table(2);
  const auto row = [&](std::int64_t a, std::int64_t b) {
    const std::array<std::int64_t, 2> value{a, b};
    return table.row(value);
  };
  EXPECT_EQ(row(1, 2), 0);
  EXPECT_EQ(row(2, 1), 1);
  EXPECT_EQ(row(1, 2), 0);
  for (std::int64_t i = 0; i < 1000; ++i) EXPECT_EQ(row(i, 7), i + 2);
  for (std::int64_t i = 0; i < 1000; ++i) EXPECT_EQ(row(i, 7), i + 2);
  EXPECT_EQ(row(2, 1), 1);
  EXPECT_EQ(table.values().size(), 2004U);
}

data::FeatureBins numeric_bins() {
  data::FeatureBins bins;
  bins.n_bins = 5;
  bins.bin_min = {0, 1, 2, 8, 10};
  bins.bin_max = {0, 1, 2, 8, 10};
  bins.cuts = {0.5F, 1.5F, 5.0F, 9.0F};
  return bins;
}

TEST(ChooseCutTest, TakesTheCutNearestToTheMiddle) {
  const auto bins = numeric_bins();
  const auto cut = [&](int left, int right) {
    Split split;
    split.left_bin = left;
    split.right_bin = right;
    return choose_cut(split.left_bin, split.right_bin, bins);
  };
  EXPECT_EQ(cut(0, 1), 0);
  EXPECT_EQ(cut(0, 4), 2);  // middle 5
  EXPECT_EQ(cut(0, 2), 0);  // middle 1, two equally near: the lower
  EXPECT_EQ(cut(1, 4), 2);  // middle 5.5
  EXPECT_EQ(cut(3, 5), 4);  // only missing at the right
}

TEST(BalancedWeightsTest, AreScikitLearns) {
  const std::vector<std::uint64_t> counts{30, 0, 10};
  const auto weights = balanced_weights(counts);
  EXPECT_DOUBLE_EQ(weights[0], 40.0 / 60);
  EXPECT_EQ(weights[1], 0.0);
  EXPECT_DOUBLE_EQ(weights[2], 2.0);
}

TEST(CeilLog2Test, IsTheSmallestPower) {
  EXPECT_EQ(ceil_log2(1), 0);
  EXPECT_EQ(ceil_log2(2), 1);
  EXPECT_EQ(ceil_log2(3), 2);
  EXPECT_EQ(ceil_log2(1024), 10);
  EXPECT_EQ(ceil_log2(1025), 11);
}

/// A root over two leaves.
model::Tree stump() {
  model::Tree tree;
  tree.feature = {0, -1, -1};
  tree.threshold = {0, 0, 0};
  tree.left = {1, -1, -1};
  tree.flags = {0, 0, 0};
  tree.value_row = {-1, 0, 1};
  tree.n_samples = {2, 1, 1};
  tree.gain = {0, 0, 0};
  tree.category_begin = {-1, -1, -1};
  tree.category_n_words = {0, 0, 0};
  tree.values = {0, 1};
  return tree;
}

/// One column that holds the bins 0, 1, ...
struct Column {
  explicit Column(const data::FeatureBins& bins) {
    binning.features.push_back(bins);
    for (int b = 0; b <= bins.n_bins; ++b) memory.push_back(static_cast<std::byte>(b));
    data.binning = &binning;
    data.memory = memory.data();
    data.layout.n_features = 1;
    data.layout.column_stride = 64;
  }
  data::Binning binning;
  std::vector<std::byte> memory;
  data::BinnedData data;
};

std::string sides(const model::Tree& tree, const Column& column) {
  const BinnedTree binned(tree, column.binning);
  std::string out;
  for (RowIndex i = 0; i < column.memory.size(); ++i) {
    out += binned.leaf(column.data, i) == 1 ? 'L' : 'R';
  }
  return out;
}

TEST(BinnedTreeTest, SplitsNumbersAtTheirCut) {
  const Column column(numeric_bins());
  auto tree = stump();
  tree.threshold[0] = 1.5F;
  EXPECT_EQ(sides(tree, column), "LLRRRR");
  tree.flags[0] = model::Tree::kMissingLeft;
  EXPECT_EQ(sides(tree, column), "LLRRRL");
  tree.threshold[0] = std::numeric_limits<float>::max();
  EXPECT_EQ(sides(tree, column), "LLLLLL");
  tree.flags[0] = 0;
  EXPECT_EQ(sides(tree, column), "LLLLLR");
  tree.threshold[0] = 1.25F;
  EXPECT_THROW(sides(tree, column), Error);
}

TEST(BinnedTreeTest, SplitsLevelsByTheirBit) {
  data::FeatureBins bins;
  bins.kind = model::FeatureKind::kCategorical;
  bins.n_bins = 4;
  bins.level_of_bin = {0, 3, 31, 40};
  const Column column(bins);
  auto tree = stump();
  tree.flags[0] = model::Tree::kCategorical;
  tree.category_begin[0] = 0;
  tree.category_n_words[0] = 1;
  tree.category_words = {std::uint32_t{1} << 3 | std::uint32_t{1} << 31};
  EXPECT_EQ(sides(tree, column), "RLLRR");
  tree.flags[0] |= model::Tree::kMissingLeft;
  EXPECT_EQ(sides(tree, column), "RLLLL");
}

TEST(BinnedTreeTest, HoldsTheWidestFeature) {
  data::FeatureBins bins;
  bins.n_bins = 255;
  for (int b = 0; b < 255; ++b) {
    bins.bin_min.push_back(static_cast<float>(b));
    bins.bin_max.push_back(static_cast<float>(b));
    if (b < 254) bins.cuts.push_back(static_cast<float>(b) + 0.5F);
  }
  const Column column(bins);
  auto tree = stump();
  tree.threshold[0] = 253.5F;
  EXPECT_EQ(sides(tree, column), std::string(254, 'L') + "RR");
  tree.threshold[0] = 0.5F;
  tree.flags[0] = model::Tree::kMissingLeft;
  EXPECT_EQ(sides(tree, column), "L" + std::string(254, 'R') + "L");
}

}  // namespace
}  // namespace orchard::learn
