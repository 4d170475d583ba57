#include <algorithm>

#include "judge.hpp"
#include "orchard/base/elementary.hpp"

namespace orchard::metric {
namespace {

/// The most probable class; of equals the lowest.
std::size_t predicted_class(const Probabilities& probabilities, std::size_t row) {
  const auto of_row = probabilities.row(static_cast<Eigen::Index>(row));
  return static_cast<std::size_t>(std::max_element(of_row.begin(), of_row.end()) - of_row.begin());
}

}  // namespace

Score accuracy(const Truth& truth, Predictions predictions) {
  const auto probabilities = probabilities_of(truth, predictions);
  return {weighted_mean(truth,
                        [&](std::size_t row) {
                          const auto predicted = predicted_class(probabilities, row);
                          return predicted == class_of(truth, row) ? 1.0 : 0.0;
                        }),
          {}};
}

Score balanced_accuracy(const Truth& truth, Predictions predictions) {
  const auto probabilities = probabilities_of(truth, predictions);
  std::vector<ExactSum> present(truth.n_classes), found(truth.n_classes);
  for (std::size_t row = 0; row < truth.target.size(); ++row) {
    const std::size_t true_class = class_of(truth, row);
    const double weight = weight_of(truth, row);
    present[true_class].add(weight);
    if (predicted_class(probabilities, row) == true_class) found[true_class].add(weight);
  }
  ExactSum recalls;
  std::size_t n_present = 0;
  for (std::size_t c = 0; c < truth.n_classes; ++c) {
    const double weight = present[c].value();
    if (weight == 0) continue;
    recalls.add(found[c].value() / weight);
    ++n_present;
  }
  return {recalls.value() / static_cast<double>(n_present), {}};
}

Score neg_log_loss(const Truth& truth, Predictions predictions) {
  constexpr double kLowest = 0x1p-52, kHighest = 1 - 0x1p-52;
  const auto probabilities = probabilities_of(truth, predictions);
  const double loss = weighted_mean(truth, [&](std::size_t row) {
    const auto of_row = probabilities.row(static_cast<Eigen::Index>(row));
    double sum = 0;
    for (const double probability : of_row) sum += std::clamp(probability, kLowest, kHighest);
    const auto true_class = static_cast<Eigen::Index>(class_of(truth, row));
    const double of_truth = std::clamp(of_row[true_class], kLowest, kHighest);
    return -exact_log(of_truth / sum);
  });
  return {0 - loss, {}};
}

}  // namespace orchard::metric
