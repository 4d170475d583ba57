// From integer sums to predictions: the only floating-point step, one expression a row.

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "orchard/base/elementary.hpp"
#include "orchard/base/error.hpp"
#include "orchard/model/ensemble.hpp"

namespace orchard::model {
namespace {

/// Fixed point to real: exact but for the rounding of sums beyond 53 bits.
class Scale {
 public:
  explicit Scale(std::int32_t exponent) : exponent_(exponent), factor_(std::ldexp(1.0, exponent)) {}
  double operator()(std::int64_t sum) const {
    // The product with a power of two is exact where no subnormal number can come in.
    if (std::abs(exponent_) < 900) return static_cast<double>(sum) * factor_;
    return std::ldexp(static_cast<double>(sum), exponent_);
  }

 private:
  std::int32_t exponent_;
  double factor_;
};

void softmax(std::span<const std::int64_t> sums, const Scale& real, std::span<double> out) {
  const auto greatest = *std::max_element(sums.begin(), sums.end());
  double total = 0;
  for (std::size_t k = 0; k < sums.size(); ++k) {
    out[k] = exact_exp(real(sums[k]) - real(greatest));
    total += out[k];
  }
  for (auto& p : out) p /= total;
}

}  // namespace

void predictions_from_sums(const Link& link, std::size_t n_trees,
                           std::span<const std::int64_t> sums, std::span<double> out) {
  const auto n_outputs = static_cast<std::size_t>(link.n_outputs);
  const bool is_classifier = link.task == Task::kClassification;
  const std::size_t width = is_classifier ? link.n_classes : 1;
  const std::size_t n_rows = sums.size() / n_outputs;
  require(out.size() == n_rows * width, "there is a prediction for each row of sums");
  const auto divisor = static_cast<double>(n_trees);
  const Scale real(link.value_exponent);
  for (std::size_t row = 0; row < n_rows; ++row) {
    const auto from = sums.subspan(row * n_outputs, n_outputs);
    const auto to = out.subspan(row * width, width);
    if (link.combine == Combine::kAverage) {
      for (std::size_t k = 0; k < width; ++k) to[k] = real(from[k]) / divisor;
    } else if (!is_classifier) {
      to[0] = real(from[0]);
    } else if (n_outputs == 1) {
      to[1] = exact_sigmoid(real(from[0]));
      to[0] = 1 - to[1];
    } else {
      softmax(from, real, to);
    }
  }
}

std::size_t most_probable(std::span<const double> probabilities) {
  std::size_t best = 0;
  for (std::size_t k = 1; k < probabilities.size(); ++k) {
    if (probabilities[k] > probabilities[best]) best = k;
  }
  return best;
}

}  // namespace orchard::model
