#include "orchard/run/predict.hpp"

#include <algorithm>

namespace orchard::run {
namespace {

/// Large chunks read the trees less often, small ones keep all threads busy where rows are few.
/// What is predicted does not depend on them.
std::size_t rows_per_chunk(std::size_t n_rows, int n_threads) {
  return std::clamp<std::size_t>(n_rows / (4 * static_cast<std::size_t>(n_threads)), 256,
                                 model::Predictor::kRowsAtOnce);
}

}  // namespace

std::vector<double> predict_rows(const model::Predictor& predictor,
                                 const model::FeatureColumns& data, RowIndex begin, RowIndex end,
                                 parallel::Pool& pool) {
  const model::Ensemble& ensemble = predictor.ensemble();
  const auto link = model::link_of(ensemble);
  const auto n_outputs = static_cast<std::size_t>(ensemble.n_outputs);
  const std::size_t width = link.task == Task::kClassification ? link.n_classes : 1;
  std::vector<double> out((end - begin) * width);
  const std::size_t n_rows = end - begin;
  pool.for_chunks(n_rows, rows_per_chunk(n_rows, pool.n_threads()),
                  [&](std::size_t first, std::size_t last, int) {
                    std::vector<std::int64_t> sums((last - first) * n_outputs);
                    for (std::size_t row = 0; row < last - first; ++row) {
                      std::copy(ensemble.baseline.begin(), ensemble.baseline.end(),
                                sums.begin() + static_cast<std::ptrdiff_t>(row * n_outputs));
                    }
                    predictor.accumulate(data, begin + static_cast<RowIndex>(first),
                                         begin + static_cast<RowIndex>(last), sums);
                    model::predictions_from_sums(
                        link, ensemble.trees.size(), sums,
                        std::span(out).subspan(first * width, (last - first) * width));
                  });
  return out;
}

}  // namespace orchard::run
