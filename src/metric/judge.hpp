#pragma once
// What every scorer of this folder is made of. A judge may take for granted that sizes fit, that
// there is at least one row, that weights are finite and not negative with a positive sum, and
// that predictions are finite.

#include <Eigen/Core>

#include "orchard/base/exact_sum.hpp"
#include "orchard/metric/scorer.hpp"

namespace orchard::metric {

inline double weight_of(const Truth& truth, std::size_t row) {
  return truth.weight.empty() ? 1.0 : truth.weight[row];
}

inline std::size_t class_of(const Truth& truth, std::size_t row) {
  return static_cast<std::size_t>(truth.target[row]);
}

/// Probabilities as a matrix: a row for each row judged, a column for each class. A view: Eigen's
/// own sums over it would depend on the processor, so none are taken.
using Probabilities =
    Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

inline Probabilities probabilities_of(const Truth& truth, Predictions predictions) {
  return {predictions.data(), static_cast<Eigen::Index>(truth.target.size()),
          static_cast<Eigen::Index>(truth.n_classes)};
}

/// A score that is not defined for these rows.
Score undefined(std::string reason);

/// sum(weight * term(row)) / sum(weight), each sum rounded once.
template <class Term>
double weighted_mean(const Truth& truth, Term term) {
  ExactSum sum, weights;
  for (std::size_t row = 0; row < truth.target.size(); ++row) {
    const double weight = weight_of(truth, row);
    sum.add(weight * term(row));
    if (!truth.weight.empty()) weights.add(weight);
  }
  const auto n_rows = static_cast<double>(truth.target.size());
  return sum.value() / (truth.weight.empty() ? n_rows : weights.value());
}

Score accuracy(const Truth& truth, Predictions predictions);
/// Mean recall of the classes that occur among the rows judged.
Score balanced_accuracy(const Truth& truth, Predictions predictions);
Score neg_log_loss(const Truth& truth, Predictions predictions);

/// Two classes; the second is the positive one.
Score roc_auc(const Truth& truth, Predictions predictions);
/// Unweighted mean over the classes of each one's area against all others; with two classes the
/// same as roc_auc.
Score roc_auc_ovr(const Truth& truth, Predictions predictions);

Score r2(const Truth& truth, Predictions predictions);
Score neg_root_mean_squared_error(const Truth& truth, Predictions predictions);
Score neg_mean_absolute_error(const Truth& truth, Predictions predictions);
Score neg_half_squared_error(const Truth& truth, Predictions predictions);

}  // namespace orchard::metric
