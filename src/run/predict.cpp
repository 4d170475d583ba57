#include "orchard/run/predict.hpp"

#include <algorithm>

namespace orchard::run {
namespace {

constexpr std::size_t kRowsPerChunk = 1024;

}  // namespace

std::vector<double> predict_rows(const model::Ensemble& ensemble, const model::FeatureColumns& data,
                                 RowIndex begin, RowIndex end, parallel::Pool& pool) {
  const auto link = model::link_of(ensemble);
  const auto n_outputs = static_cast<std::size_t>(ensemble.n_outputs);
  const std::size_t width = link.task == Task::kClassification ? link.n_classes : 1;
  std::vector<double> out((end - begin) * width);
  pool.for_chunks(end - begin, kRowsPerChunk, [&](std::size_t first, std::size_t last, int) {
    std::vector<std::int64_t> sums((last - first) * n_outputs);
    for (std::size_t row = 0; row < last - first; ++row) {
      std::copy(ensemble.baseline.begin(), ensemble.baseline.end(),
                sums.begin() + static_cast<std::ptrdiff_t>(row * n_outputs));
    }
    model::accumulate(ensemble, data, begin + static_cast<RowIndex>(first),
                      begin + static_cast<RowIndex>(last), sums);
    model::predictions_from_sums(link, ensemble.trees.size(), sums,
                                 std::span(out).subspan(first * width, (last - first) * width));
  });
  return out;
}

}  // namespace orchard::run
