#include "orchard/run/predict.hpp"

#include <gtest/gtest.h>

#include "../model/random_models.hpp"

namespace orchard::run {
namespace {

TEST(PredictRowsTest, ThreadsAndRangesGiveTheSameBits) {
  const model::RandomModel spec{.n_trees = 12, .n_leaves = 90};
  const auto ensemble = model::random_ensemble(spec, 3);
  const model::RandomRows rows(spec, 3001, 4);
  const model::Predictor predictor(ensemble);

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

}  // namespace
}  // namespace orchard::run
