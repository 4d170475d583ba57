// Which features share a column of the row-major copy, and that the copy still says their bins.

#include "orchard/data/row_columns.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "orchard/data/binning.hpp"

namespace orchard::data {
namespace {

using ::testing::ElementsAre;

using Value = std::function<float(RowIndex)>;

/// Features given as value(row); the last of every seven rows is a test row.
class RowColumnsTest : public ::testing::Test {
 protected:
  const BinnedData& bin(const std::vector<Value>& features, RowIndex n_rows, int n_threads = 2) {
    Table table;
    table.n_rows = n_rows;
    columns_.clear();
    for (const Value& value : features) {
      auto& column = columns_.emplace_back();
      for (RowIndex row = 0; row < n_rows; ++row) column.push_back(value(row));
      table.schema.features.push_back({"f" + std::to_string(columns_.size()), {}, {}});
    }
    for (const auto& column : columns_) table.columns.push_back(column.data());
    Fold fold;
    for (RowIndex row = 0; row < n_rows; ++row) {
      (row % 7 == 6 ? fold.test : fold.train).push_back(row);
    }
    parallel::Pool pool(n_threads);
    owned_ = bin_fold(table, fold, 255, 1, true, pool);
    return owned_->data;
  }
  const RowColumns& columns() const { return owned_->binning.row_columns; }

  /// Every byte of the copy against the columns.
  void expect_rows() const {
    const BinnedData& data = owned_->data;
    for (RowIndex row = 0; row < data.n_train(); ++row) {
      for (std::size_t f = 0; f < data.n_features(); ++f) {
        const RowPlace& place = columns().places[f];
        const Bin byte = data.row(row)[place.column];
        const int bin = !place.is_bundled() ? byte : byte == place.code ? place.rare : !place.rare;
        ASSERT_EQ(bin, data.column(f)[row]) << row << ' ' << f;
      }
      for (std::size_t at = columns().n_columns(); at < data.layout.row_stride; ++at) {
        ASSERT_EQ(data.row(row)[at], 0);
      }
    }
  }

  std::vector<std::vector<float>> columns_;
  std::unique_ptr<OwnedBinned> owned_;
};

Value level(RowIndex of, RowIndex n, float on = 1, float off = 0) {
  return [=](RowIndex row) { return row % n == of ? on : off; };
}

TEST_F(RowColumnsTest, FeaturesThatExcludeEachOtherShareAColumn) {
  const Value number = [](RowIndex row) { return static_cast<float>(row % 100); };
  bin({number, level(0, 5), number, level(1, 5), level(2, 5, -3, 8), level(3, 5), number}, 4001);
  ASSERT_EQ(columns().n_columns(), 4U);
  EXPECT_THAT(columns().features[0], ElementsAre(0));
  EXPECT_THAT(columns().features[1], ElementsAre(1, 3, 4, 5));
  EXPECT_THAT(columns().features[2], ElementsAre(2));
  EXPECT_EQ(columns().places[3], (RowPlace{1, 2, 1}));
  EXPECT_EQ(columns().places[4], (RowPlace{1, 3, 0}));  // usually the greater value
  expect_rows();
}

TEST_F(RowColumnsTest, OneRowInCommonKeepsFeaturesApart) {
  const auto first = level(0, 5);
  const Value other = [](RowIndex row) { return row % 5 == 1 || row == 4000 ? 1.0F : 0.0F; };
  bin({first, other}, 4003);
  EXPECT_EQ(columns(), RowColumns::plain(2));
  expect_rows();
  // In a test row it does not matter.
  bin({first, [](RowIndex row) { return row % 5 == 1 || row == 3905 ? 1.0F : 0.0F; }}, 4003);
  EXPECT_EQ(3905 % 7, 6);
  EXPECT_EQ(columns().n_columns(), 1U);
  expect_rows();
}

TEST_F(RowColumnsTest, OtherFeaturesStayAlone) {
  const Value constant = [](RowIndex) { return 4.0F; };
  const Value gap = [](RowIndex row) {
    return row == 50 ? std::nanf("") : row % 5 == 2 ? 1.0F : 0.0F;
  };
  const Value three = [](RowIndex row) { return row % 5 == 2 ? 1.0F : row % 5 == 3 ? 2.0F : 0.0F; };
  const Value common = [](RowIndex row) { return row % 5 != 4 ? 1.0F : 0.0F; };
  bin({constant, gap, three, level(0, 5), level(1, 5), common, level(4, 5)}, 1000);
  EXPECT_EQ(columns().n_columns(), 5U);
  EXPECT_THAT(columns().features[3], ElementsAre(3, 4, 5));
  EXPECT_THAT(columns().features[4], ElementsAre(6));
  expect_rows();
}

TEST_F(RowColumnsTest, ABundleHoldsAtMost254Features) {
  constexpr RowIndex kLevels = 600;
  std::vector<Value> features;
  for (RowIndex k = 0; k < kLevels; ++k) {
    features.push_back(k % 2 == 0 ? level(k, kLevels) : level(k, kLevels, 0, 1));
  }
  for (const int n_threads : {1, 3}) {
    bin(features, 5 * kLevels + 3, n_threads);
    ASSERT_EQ(columns().n_columns(), 3U);
    EXPECT_EQ(columns().features[0].size(), 254U);
    EXPECT_EQ(columns().features[2].size(), kLevels - 2 * 254U);
    EXPECT_EQ(owned_->data.layout.row_stride, 16U);
    expect_rows();
  }
}

TEST_F(RowColumnsTest, GroupsAreFoundBetweenFeaturesOfNone) {
  std::vector<Value> features;
  for (RowIndex k = 0; k < 40; ++k) {
    features.push_back(
        [=](RowIndex row) { return (row * 2654435761U >> (k % 20)) & 1U ? 1.F : 0.F; });
    features.push_back(level(k, 41));
  }
  bin(features, 3000);
  EXPECT_EQ(columns().n_columns(), 41U);
  EXPECT_EQ(columns().places[79].column, 1U);
  expect_rows();
}

}  // namespace
}  // namespace orchard::data
