#pragma once
// Applying models to the rows of a table, split over threads. Local: ranks take row ranges of their
// own and exchange only what they predicted.

#include <vector>

#include "orchard/data/table.hpp"
#include "orchard/model/predictor.hpp"
#include "orchard/parallel/pool.hpp"

namespace orchard::run {

/// Predictions of rows [begin, end): classification, probabilities [end - begin][n_classes];
/// regression, values [end - begin]. The same bits for any range and number of threads.
std::vector<double> predict_rows(const model::Predictor& predictor,
                                 const model::FeatureColumns& data, RowIndex begin, RowIndex end,
                                 parallel::Pool& pool);

/// The same of several models that take the features of one table, in their order. A table that
/// nobody holds is read once, in blocks of rows that fit Table::kPartBytes: what it takes beside
/// the predictions does not grow with the rows. Throws kData.
std::vector<std::vector<double>> predict_rows(std::span<const model::Predictor* const> predictors,
                                              const data::Table& table, RowIndex begin,
                                              RowIndex end, parallel::Pool& pool);

}  // namespace orchard::run
