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

std::vector<std::vector<double>> predict_rows(std::span<const model::Predictor* const> predictors,
                                              const data::Table& table, RowIndex begin,
                                              RowIndex end, parallel::Pool& pool) {
  std::vector<std::vector<double>> out(predictors.size());
  const auto predict = [&](const model::FeatureColumns& data, RowIndex first, RowIndex last) {
    for (std::size_t i = 0; i < predictors.size(); ++i) {
      const auto some = predict_rows(*predictors[i], data, first, last, pool);
      out[i].insert(out[i].end(), some.begin(), some.end());
    }
  };
  if (table.source == nullptr) {
    predict(table.features(), begin, end);
    return out;
  }
  const std::size_t n_features = table.schema.n_features();
  const auto n_block = static_cast<RowIndex>(std::clamp<std::size_t>(
      data::Table::kPartBytes / (std::max<std::size_t>(1, n_features) * sizeof(float)), 1,
      std::max<std::size_t>(1, end - begin)));
  std::vector<float> block(n_features * n_block);
  std::vector<float*> columns;
  for (std::size_t f = 0; f < n_features; ++f) columns.push_back(block.data() + f * n_block);
  const std::vector<const float*> read(columns.begin(), columns.end());
  for (std::uint64_t at = begin; at < end; at += n_block) {
    const auto first = static_cast<RowIndex>(at);
    const auto last = static_cast<RowIndex>(std::min<std::uint64_t>(end, at + n_block));
    table.source->read(0, n_features, first, last, columns, pool);
    predict({read, last - first}, 0, last - first);
  }
  return out;
}

}  // namespace orchard::run
