#pragma once
// Rows to be judged, owned by the test.

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include "orchard/metric/scorer.hpp"

namespace orchard::metric {

struct Rows {
  Task task = Task::kRegression;
  std::size_t n_classes = 0;
  std::vector<double> target, predictions, weight;

  Truth truth() const { return {task, n_classes, target, weight}; }
  Score score(const std::string& scorer) const {
    return orchard::metric::score(scorer, truth(), predictions);
  }
  double value(const std::string& scorer) const { return score(scorer).value; }
};

inline Rows regression(std::vector<double> target, std::vector<double> predictions,
                       std::vector<double> weight = {}) {
  return {Task::kRegression, 0, std::move(target), std::move(predictions), std::move(weight)};
}

/// `predictions` holds the rows of probabilities one after another.
inline Rows classification(std::size_t n_classes, std::vector<double> target,
                           std::vector<double> predictions, std::vector<double> weight = {}) {
  return {Task::kClassification, n_classes, std::move(target), std::move(predictions),
          std::move(weight)};
}

/// Probabilities that some value gives class 1 of 2.
inline Rows binary(std::vector<double> target, const std::vector<double>& of_second,
                   std::vector<double> weight = {}) {
  std::vector<double> predictions;
  for (const double p : of_second) predictions.insert(predictions.end(), {1 - p, p});
  return classification(2, std::move(target), std::move(predictions), std::move(weight));
}

inline double random_real(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11) * 0x1p-53;
}

/// Every class occurs. With `n_levels`, probabilities take few values, so that many are equal.
inline Rows random_classification(std::mt19937_64& random, std::size_t n_rows,
                                  std::size_t n_classes, int n_levels, bool has_weights) {
  Rows rows = classification(n_classes, {}, {});
  for (std::size_t row = 0; row < n_rows; ++row) {
    rows.target.push_back(static_cast<double>(row < n_classes ? row : random() % n_classes));
    std::vector<double> p(n_classes);
    for (auto& value : p) {
      value = n_levels == 0 ? random_real(random)
                            : static_cast<double>(random() % static_cast<unsigned>(n_levels));
    }
    p[static_cast<std::size_t>(rows.target.back())] += n_levels == 0 ? 0.3 : 1;
    const double sum = std::accumulate(p.begin(), p.end(), 0.0);
    for (const double value : p) rows.predictions.push_back(value / sum);
    if (has_weights) rows.weight.push_back(0.1 + random_real(random));
  }
  return rows;
}

/// The same rows in another order.
inline Rows shuffled(const Rows& rows, std::mt19937_64& random) {
  std::vector<std::size_t> order(rows.target.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::shuffle(order.begin(), order.end(), random);
  const std::size_t n_columns = rows.predictions.size() / rows.target.size();
  Rows out{rows.task, rows.n_classes, {}, {}, {}};
  for (const std::size_t row : order) {
    out.target.push_back(rows.target[row]);
    for (std::size_t c = 0; c < n_columns; ++c) {
      out.predictions.push_back(rows.predictions[row * n_columns + c]);
    }
    if (!rows.weight.empty()) out.weight.push_back(rows.weight[row]);
  }
  return out;
}

}  // namespace orchard::metric
