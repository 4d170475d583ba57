#include "orchard/run/predict.hpp"

#include <gtest/gtest.h>

#include "../model/random_models.hpp"

namespace orchard::run {
namespace {

TEST(PredictRowsTest, ThreadsAndRangesGiveTheSameBits) {
  const model::RandomModel spec{.n_trees = 12, .n_leaves = 90};
  const auto ensemble = model::random_ensemble(spec, 3);
  const model::RandomRows rows(spec, 3001, 4);
  parallel::Pool maker(1);
  const model::Predictor predictor(ensemble, maker);

  std::vector<std::int64_t> sums(rows.data.n_rows * 2);
  model::accumulate(ensemble, rows.data, 0, rows.data.n_rows, sums);
  std::vector<double> expected(sums.size());
  model::predictions_from_sums(model::link_of(ensemble), ensemble.trees.size(), sums, expected);
  for (int n_threads = 1; n_threads <= 3; ++n_threads) {
    parallel::Pool pool(n_threads);
    EXPECT_EQ(predict_rows(predictor, rows.data, 0, rows.data.n_rows, pool), expected);
    EXPECT_EQ(predict_rows(predictor, rows.data, 100, 2777, pool),
              std::vector<double>(expected.begin() + 200, expected.begin() + 2 * 2777));
    EXPECT_TRUE(predict_rows(predictor, rows.data, 7, 7, pool).empty());
  }
}

/// Columns in memory that pretend to lie in a file.
class Source : public data::ColumnSource {
 public:
  explicit Source(const model::FeatureColumns& data) : data_(data) {}
  void read(std::size_t first_feature, std::size_t last_feature, RowIndex first_row,
            RowIndex last_row, std::span<float* const> out, parallel::Pool&) const override {
    for (std::size_t f = first_feature; f < last_feature; ++f) {
      std::copy(data_.columns[f] + first_row, data_.columns[f] + last_row, out[f - first_feature]);
    }
    n_most_rows = std::max(n_most_rows, last_row - first_row);
  }
  mutable RowIndex n_most_rows = 0;

 private:
  const model::FeatureColumns& data_;
};

TEST(PredictRowsTest, ATableThatNobodyHoldsIsReadInBlocks) {
  const model::RandomModel spec{.n_trees = 5, .n_numeric = 4000};
  const model::RandomRows rows(spec, 4001, 4);
  const model::RandomModel other{.n_trees = 3, .n_numeric = 4000, .n_classes = 0};
  const auto a = model::random_ensemble(spec, 3), b = model::random_ensemble(other, 5);
  parallel::Pool pool(2);
  const model::Predictor first(a, pool), second(b, pool);
  const std::vector<const model::Predictor*> predictors = {&first, &second};
  data::Table held;
  held.schema = a.schema;
  held.n_rows = rows.data.n_rows;
  held.columns.assign(rows.data.columns.begin(), rows.data.columns.end());
  const auto source = std::make_shared<Source>(rows.data);
  data::Table read = held;
  read.columns.assign(held.columns.size(), nullptr);
  read.source = source;
  const auto expected = predict_rows(predictors, held, 3, 4001, pool);
  EXPECT_EQ(expected[0], predict_rows(first, rows.data, 3, 4001, pool));
  EXPECT_EQ(expected[1], predict_rows(second, rows.data, 3, 4001, pool));
  EXPECT_EQ(predict_rows(predictors, read, 3, 4001, pool), expected);
  EXPECT_LE(source->n_most_rows * a.schema.n_features() * sizeof(float), data::Table::kPartBytes);
  EXPECT_LT(source->n_most_rows, 3998);
  EXPECT_TRUE(predict_rows(predictors, read, 7, 7, pool)[1].empty());
}

}  // namespace
}  // namespace orchard::run
