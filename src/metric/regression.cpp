#include <algorithm>
#include <cmath>

#include "judge.hpp"

namespace orchard::metric {
namespace {

double mean_squared_error(const Truth& truth, Predictions predictions) {
  return weighted_mean(truth, [&](std::size_t row) {
    const double error = truth.target[row] - predictions[row];
    return error * error;
  });
}

/// Whether all rows that weigh something have one value. Asked of the values themselves: a rounded
/// mean may differ from the value it is the mean of.
bool is_constant(const Truth& truth) {
  bool has_first = false;
  double first = 0;
  for (std::size_t row = 0; row < truth.target.size(); ++row) {
    if (weight_of(truth, row) == 0) continue;
    if (has_first && truth.target[row] != first) return false;
    first = truth.target[row];
    has_first = true;
  }
  return true;
}

}  // namespace

Score r2(const Truth& truth, Predictions predictions) {
  if (truth.target.size() < 2) return undefined("r2 needs at least two test rows");
  const double unexplained = mean_squared_error(truth, predictions);
  if (is_constant(truth)) return {unexplained == 0 ? 1.0 : 0.0, {}};
  const double mean = weighted_mean(truth, [&](std::size_t row) { return truth.target[row]; });
  const double variance = weighted_mean(truth, [&](std::size_t row) {
    const double deviation = truth.target[row] - mean;
    return deviation * deviation;
  });
  return {1 - unexplained / variance, {}};
}

// 0 - x, because the negative of a perfect score would print as "-0".

Score neg_root_mean_squared_error(const Truth& truth, Predictions predictions) {
  return {0 - std::sqrt(mean_squared_error(truth, predictions)), {}};
}

Score neg_mean_absolute_error(const Truth& truth, Predictions predictions) {
  return {0 - weighted_mean(
                  truth,
                  [&](std::size_t row) { return std::abs(truth.target[row] - predictions[row]); }),
          {}};
}

Score neg_half_squared_error(const Truth& truth, Predictions predictions) {
  return {0 - 0.5 * mean_squared_error(truth, predictions), {}};
}

}  // namespace orchard::metric
