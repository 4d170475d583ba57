#include "orchard/data/binning.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <set>

#include "columns.hpp"
#include "cut_points.hpp"
#include "first_bins.hpp"

namespace orchard::data {
namespace {

using model::FeatureKind;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Lt;

FeatureBins bins_of(const std::vector<float>& column, int max_bins) {
  Columns columns;
  columns.add(column);
  parallel::Pool pool(1);
  return make_binning(columns.table, whole_table(columns.table.n_rows).train, max_bins, 1, pool)
      .features[0];
}

/// The contract of a numeric feature, over its training values.
void check_invariants(const FeatureBins& bins, const std::vector<float>& column) {
  const auto n_bins = static_cast<std::size_t>(bins.n_bins);
  ASSERT_EQ(bins.cuts.size() + 1, n_bins);
  ASSERT_EQ(bins.bin_min.size(), n_bins);
  ASSERT_EQ(bins.bin_max.size(), n_bins);
  std::vector<std::vector<float>> members(n_bins);
  for (const float value : column) {
    const Bin bin = bins.bin(value);
    if (std::isnan(value)) {
      EXPECT_EQ(bin, bins.missing_bin());
      continue;
    }
    ASSERT_LT(bin, n_bins);
    for (std::size_t b = 0; b < bins.cuts.size(); ++b) {
      ASSERT_EQ(value <= bins.cuts[b], bin <= b) << value;
    }
    members[bin].push_back(value);
  }
  for (std::size_t bin = 0; bin < n_bins; ++bin) {
    ASSERT_FALSE(members[bin].empty()) << bin;
    EXPECT_EQ(bins.bin_min[bin], *std::min_element(members[bin].begin(), members[bin].end()));
    EXPECT_EQ(bins.bin_max[bin], *std::max_element(members[bin].begin(), members[bin].end()));
    if (bin == 0) continue;
    EXPECT_EQ(bins.cuts[bin - 1], cut_between(bins.bin_max[bin - 1], bins.bin_min[bin]));
  }
}

TEST(Bins, EveryDistinctValueIsABin) {
  const auto bins = bins_of({3, 1, kNaN, 2, 1, 3, -1}, 4);
  EXPECT_EQ(bins.n_bins, 4);
  EXPECT_THAT(bins.cuts, ElementsAre(0, 1.5f, 2.5f));
  EXPECT_THAT(bins.bin_min, ElementsAre(-1, 1, 2, 3));
  EXPECT_EQ(bins.bin(1.5f), 1);
  EXPECT_EQ(bins.bin(1.50001f), 2);
  EXPECT_EQ(bins.bin(-1e30f), 0);
  EXPECT_EQ(bins.bin(1e30f), 3);
  EXPECT_EQ(bins.bin(kNaN), 4);
  EXPECT_EQ(bins.n_slots(), 5);
}

TEST(Bins, CutsLieInFloat32BetweenNeighbours) {
  const float one = 1.0f, next = std::nextafter(1.0f, 2.0f);
  EXPECT_EQ(cut_between(one, next), one);
  EXPECT_EQ(cut_between(-next, -one), -next);
  EXPECT_EQ(cut_between(-3e38f, 3e38f), 0.0f);
  EXPECT_EQ(cut_between(3e38f, 3.2e38f), 3.1e38f);
  const float tiny = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(cut_between(-tiny, 0.0f), -tiny);
  EXPECT_EQ(cut_between(0.0f, tiny), 0.0f);
  check_invariants(bins_of({one, next, -one, -next, tiny, -tiny, 0}, 255),
                   {one, next, -one, -next, tiny, -tiny, 0});
}

TEST(Bins, ConstantAndMissingFeatures) {
  const auto constant = bins_of({5, 5, 5}, 255);
  EXPECT_EQ(constant.n_bins, 1);
  EXPECT_THAT(constant.cuts, ElementsAre());
  const auto missing = bins_of({kNaN, kNaN}, 255);
  EXPECT_EQ(missing.n_bins, 1);
  EXPECT_EQ(missing.bin_min.size(), 1u);
  EXPECT_EQ(missing.bin(1.0f), 0);
  EXPECT_EQ(missing.bin(kNaN), 1);
}

/// Evenly spaced ranks: cut i has i (n - 1) / max_bins of the values at or below it.
TEST(Bins, QuantilesWhenThereAreMoreValues) {
  for (const int max_bins : {1, 2, 3, 16, 255}) {
    std::vector<std::uint32_t> order(4000);
    std::iota(order.begin(), order.end(), 0u);
    random::Stream(testing::test_seed(), random::Purpose::kBootstrap, 1).shuffle(order);
    std::vector<float> column;
    for (const auto i : order) column.push_back(i % 10 == 3 ? kNaN : static_cast<float>(i) * i);
    const auto bins = bins_of(column, max_bins);
    EXPECT_EQ(bins.n_bins, max_bins);
    check_invariants(bins, column);
    column.erase(
        std::remove_if(column.begin(), column.end(), [](float x) { return std::isnan(x); }),
        column.end());
    std::sort(column.begin(), column.end());
    for (std::size_t i = 0; i < bins.cuts.size(); ++i) {
      const std::size_t rank = (i + 1) * (column.size() - 1) / static_cast<std::size_t>(max_bins);
      EXPECT_LE(column[rank], bins.cuts[i]);
      EXPECT_GT(column[rank + 1], bins.cuts[i]);
    }
  }
}

TEST(Bins, ManyEqualValuesMergeCuts) {
  auto column = random_column(3000, 2, false);
  for (std::size_t i = 0; i < column.size(); ++i) {
    if (i % 3 != 0) column[i] = 0.25f;
  }
  const auto bins = bins_of(column, 32);
  EXPECT_LT(bins.n_bins, 32);
  EXPECT_GT(bins.n_bins, 8);
  check_invariants(bins, column);
}

TEST(Bins, ManyRowsAreSampledByPosition) {
  constexpr std::size_t kRows = 250'000;
  Columns columns;
  columns.add(random_column(kRows, 3, true));
  std::vector<float> rare(kRows, kNaN), few(kRows);
  for (std::size_t i = 0; i < 1000; ++i) rare[i * 250 + 7] = static_cast<float>(i);
  for (std::size_t i = 0; i < kRows; ++i) few[i] = static_cast<float>(i == 77 ? 1000 : i % 200);
  columns.add(rare);
  columns.add(few);
  const auto rows = whole_table(kRows).train;
  parallel::Pool pool(2), single(1);
  const auto sample = sample_positions(kRows, 5, pool);
  EXPECT_EQ(sample.size(), 200'000u);
  EXPECT_EQ(std::set<RowIndex>(sample.begin(), sample.end()).size(), sample.size());
  EXPECT_TRUE(std::is_sorted(sample.begin(), sample.end()));
  EXPECT_THAT(sample, Each(Lt(kRows)));
  EXPECT_NE(sample, sample_positions(kRows, 6, pool));

  const auto binning = make_binning(columns.table, rows, 255, 5, pool);
  const auto again = make_binning(columns.table, rows, 255, 5, single);
  for (std::size_t f = 0; f < 3; ++f) {
    check_invariants(binning.features[f], columns.values[f]);
    EXPECT_EQ(binning.features[f].cuts, again.features[f].cuts);
  }
  EXPECT_EQ(binning.features[0].n_bins, 255);
  EXPECT_EQ(binning.features[1].n_bins, 255);
  EXPECT_EQ(binning.features[2].n_bins, 201);  // a value seen in one row is a bin all the same
}

TEST(Bins, OnlyTrainingRowsCount) {
  Columns columns;
  columns.add({1, 100, 2, 200, 3});
  columns.add({0, 1, 2, 1, 2}, 4);
  const std::vector<RowIndex> rows = {0, 2, 4};
  parallel::Pool pool(1);
  const auto binning = make_binning(columns.table, rows, 255, 1, pool);
  EXPECT_THAT(binning.features[0].cuts, ElementsAre(1.5f, 2.5f));
  EXPECT_THAT(binning.features[1].level_of_bin, ElementsAre(0, 2));
  EXPECT_THAT(binning.features[1].bin_of_level, ElementsAre(0, 2, 1, 2));
}

TEST(Bins, RareLevelsGoToTheMissingBin) {
  Columns columns;
  columns.add({4, 4, 4, 0, 0, 1, 1, 3, kNaN, 2, 2, 2}, 6);
  parallel::Pool pool(1);
  const auto bins =
      make_binning(columns.table, whole_table(columns.table.n_rows).train, 3, 1, pool).features[0];
  EXPECT_EQ(bins.n_bins, 3);
  EXPECT_THAT(bins.level_of_bin, ElementsAre(0, 2, 4));  // of 0 and 1, both twice, the lower
  EXPECT_THAT(bins.bin_of_level, ElementsAre(0, 3, 1, 3, 2, 3));
  EXPECT_EQ(bins.bin(4), 2);
  EXPECT_EQ(bins.bin(kNaN), 3);
  EXPECT_EQ(bins.bin(6), 3);
}

TEST(Bins, CategoryWithoutAnyLevel) {
  Columns columns;
  columns.add({kNaN, 1, 1}, 2);
  parallel::Pool pool(1);
  const std::vector<RowIndex> rows = {0};
  const auto bins = make_binning(columns.table, rows, 255, 1, pool).features[0];
  EXPECT_EQ(bins.n_bins, 1);
  EXPECT_THAT(bins.bin_of_level, ElementsAre(1, 1));
  EXPECT_EQ(bins.level_of_bin.size(), 1u);
}

TEST(Layout, StridesAndOffsets) {
  const auto narrow = BinnedLayout::make(100, 30, 28, true);
  EXPECT_EQ(narrow.column_stride, 192u);
  EXPECT_EQ(narrow.row_stride, 32u);
  EXPECT_EQ(narrow.rows_offset, 28u * 192);
  EXPECT_EQ(narrow.n_bytes, 28u * 192 + 100 * 32);
  EXPECT_EQ(BinnedLayout::make(1, 0, 16, true).row_stride, 16u);
  EXPECT_EQ(BinnedLayout::make(1, 0, 17, true).row_stride, 32u);
  EXPECT_EQ(BinnedLayout::make(1, 0, 32, true).row_stride, 32u);
  EXPECT_EQ(BinnedLayout::make(1, 0, 33, true).row_stride, 64u);
  EXPECT_EQ(BinnedLayout::make(1, 0, 65, true).row_stride, 128u);
  EXPECT_EQ(BinnedLayout::make(64, 0, 3, false).n_bytes, 192u);
  EXPECT_EQ(BinnedLayout::make(64, 0, 3, false).row_stride, 0u);
}

TEST(Fill, ColumnsAndRowsHoldTheBins) {
  constexpr std::size_t kRows = 40'001, kFeatures = 35;
  Columns columns;
  for (std::size_t f = 0; f < kFeatures - 1; ++f) columns.add(random_column(kRows, f, f % 2 == 0));
  std::vector<float> levels;
  for (std::size_t i = 0; i < kRows; ++i) levels.push_back(static_cast<float>(i % 11));
  columns.add(levels, 11);
  Fold fold;
  for (RowIndex row = 0; row < kRows; ++row) {
    (row % 5 == 2 ? fold.test : fold.train).push_back(row);
  }
  std::vector<double> target(kRows);
  for (std::size_t i = 0; i < kRows; ++i) target[i] = static_cast<double>(i);
  columns.table.target = target;
  parallel::Pool pool(2), single(1);
  const auto owned = bin_fold(columns.table, fold, 255, 3, true, pool);
  const BinnedData& data = owned->data;
  auto order = fold.train;
  order.insert(order.end(), fold.test.begin(), fold.test.end());
  for (std::size_t f = 0; f < kFeatures; ++f) {
    for (std::size_t i = 0; i < kRows; ++i) {
      const Bin expected = owned->binning.features[f].bin(columns.values[f][order[i]]);
      ASSERT_EQ(data.column(f)[i], expected) << f << " " << i;
      if (i < data.n_train()) {
        ASSERT_EQ(data.row(static_cast<RowIndex>(i))[f], expected);
      }
    }
  }
  EXPECT_EQ(data.row(5)[kFeatures], 0);
  EXPECT_EQ(data.target[fold.train.size()], fold.test[0]);
  EXPECT_TRUE(data.weight.empty());

  // In pieces, as several ranks would, over memory that is not clean.
  std::vector<std::byte> memory(data.layout.n_bytes, std::byte{0xcd});
  const BinTask task{&fold, 255, &data.layout, memory.data()};
  bin_columns(columns.table, {&task, 1}, 3, 10, kFeatures, single);
  bin_columns(columns.table, {&task, 1}, 3, 0, 10, single);
  fill_rows(owned->binning.row_columns, data.layout, 1000, data.n_train(), memory.data(), single);
  fill_rows(owned->binning.row_columns, data.layout, 0, 1000, memory.data(), single);
  EXPECT_EQ(memory, owned->memory);
}

TEST(Shares, AreViewsOfTheWhole) {
  constexpr RowIndex kTrain = 100, kTest = 30;
  Columns columns;
  for (std::size_t f = 0; f < 3; ++f) columns.add(random_column(kTrain + kTest, f, false));
  std::vector<double> target(kTrain + kTest);
  for (std::size_t i = 0; i < target.size(); ++i) target[i] = static_cast<double>(i);
  columns.table.target = target;
  Fold fold;
  for (RowIndex row = 0; row < kTrain + kTest; ++row) {
    (row < kTrain ? fold.train : fold.test).push_back(row);
  }
  parallel::Pool pool(1);
  const auto owned = bin_fold(columns.table, fold, 255, 3, true, pool);
  const BinnedData& whole = owned->data;
  EXPECT_TRUE(whole.train_share.is_whole() && whole.test_share.is_whole());
  const RowIndex borders[] = {0, 33, 33, 100};
  for (std::size_t i = 0; i < 3; ++i) {
    const RowShare train{borders[i], borders[i + 1], kTrain};
    const RowShare test{borders[i] / 4, borders[i + 1] / 4, kTest};
    const BinnedData share = share_of(whole, train, test);
    ASSERT_EQ(share.n_train(), train.size());
    ASSERT_EQ(share.n_test(), test.size());
    EXPECT_EQ(share.train_target().size(), kTrain);
    EXPECT_EQ(share.test_target()[0], kTrain);
    EXPECT_TRUE(share.train_weight().empty() && share.test_weight().empty());
    for (RowIndex row = 0; row < share.n_train(); ++row) {
      EXPECT_EQ(share.own_train_target()[row], train.begin + row);
      EXPECT_EQ(share.row(row), whole.row(train.begin + row));
      for (std::size_t f = 0; f < 3; ++f) {
        EXPECT_EQ(share.column(f) + row, whole.column(f) + train.begin + row);
      }
    }
    for (std::size_t f = 0; f < 3; ++f) {
      EXPECT_EQ(share.test_column(f), whole.test_column(f) + test.begin);
    }
  }
}

TEST(Fill, NoTestRowsAndNoRowCopy) {
  Columns columns;
  columns.add({1, 2, 3});
  parallel::Pool pool(1);
  const auto owned = bin_fold(columns.table, whole_table(3), 255, 0, false, pool);
  EXPECT_FALSE(owned->data.has_rows());
  EXPECT_EQ(owned->data.n_test(), 0u);
  EXPECT_EQ(owned->data.column(0)[2], 2);
}

}  // namespace
}  // namespace orchard::data
