#pragma once
// Applying models to the rows of a table, split over threads. Local: ranks take row ranges of their
// own and exchange only what they predicted.

#include <vector>

#include "orchard/model/predictor.hpp"
#include "orchard/parallel/pool.hpp"

namespace orchard::run {

/// Predictions of rows [begin, end): classification, probabilities [end - begin][n_classes];
/// regression, values [end - begin]. The same bits for any range and number of threads.
std::vector<double> predict_rows(const model::Predictor& predictor,
                                 const model::FeatureColumns& data, RowIndex begin, RowIndex end,
                                 parallel::Pool& pool);

}  // namespace orchard::run
