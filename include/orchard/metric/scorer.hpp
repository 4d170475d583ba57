#pragma once
// Scorers by scikit-learn's names. Greater is better for every one of them. Sums over rows are
// exact, so a score does not depend on how rows are ordered or split.

#include <span>
#include <string>
#include <vector>

#include "orchard/base/types.hpp"

namespace orchard::metric {

/// What is true of the rows judged.
struct Truth {
  Task task = Task::kClassification;
  std::size_t n_classes = 0;
  std::span<const double> target;  ///< [n_rows]: class index, or value
  std::span<const double> weight;  ///< [n_rows] or empty: all one
};

/// What was predicted: probabilities [n_rows][n_classes] row-major, or values [n_rows].
using Predictions = std::span<const double>;

struct Score {
  double value = 0;    ///< NaN when undefined
  std::string reason;  ///< why it is undefined, else empty
};

/// Names in the order of `orchard list scorers`.
const std::vector<std::string>& scorer_names();
/// Names that judge `task`.
std::vector<std::string> scorer_names(Task task);
bool judges(const std::string& scorer, Task task);

/// Score of `predictions` by the scorer of that name. A test set without rows, or without a class
/// that the scorer needs, gives NaN and a reason. Local. Throws kInternal for an unknown name.
Score score(const std::string& scorer, const Truth& truth, Predictions predictions);

/// Mean loss that boosting minimises, negated so that greater is better: neg_log_loss or half the
/// squared error. Same conventions.
Score negative_loss(const Truth& truth, Predictions predictions);

}  // namespace orchard::metric
