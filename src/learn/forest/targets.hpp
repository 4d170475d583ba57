#pragma once
// What a forest learns from, as integers, scaled once a fit: sums over rows have no order.

#include <vector>

#include "orchard/learn/fit.hpp"
#include "orchard/options/learner_settings.hpp"

namespace orchard::learn {

/// Targets and weights of the own training rows, in units that the whole fold gives. Owned.
struct ForestTargets {
  std::vector<std::uint32_t> label;  ///< classification: [n_train] class index
  std::size_t n_classes = 0;

  /// Regression: [n_train]; an entry v stands for v * 2^(exponent - value_bits), with
  /// |v| <= 2^value_bits.
  std::vector<std::int64_t> value;
  int exponent = 0;
  int value_bits = 0;

  /// Whether the rows of the fold have weights: also on a rank that holds none of them.
  bool has_weights = false;
  /// [n_train] where they have; an entry w stands for w * 2^-weight_bits.
  std::vector<std::int64_t> weight;
  int weight_bits = 0;

  /// `class_weight = balanced`: [n_classes] factors of the class counts; else empty.
  std::vector<double> class_weight;

  /// What a row of weight 1 adds to a sum of weights.
  double unit_weight() const;
};

/// `n_draws` is the sum of a tree's multiplicities. Looks at all training rows of the fold. Throws
/// kData when a target or weight is not finite, a label is no class, a weight is negative or too
/// small beside the greatest.
ForestTargets make_targets(const FitContext& context, const options::ForestSettings& settings,
                           std::uint64_t n_draws);

/// Factors n / (n_present * count), 0 for a class without rows: scikit-learn's "balanced".
std::vector<double> balanced_weights(std::span<const std::uint64_t> counts);

/// Smallest b with n <= 2^b; n is at least 1.
int ceil_log2(std::uint64_t n);

}  // namespace orchard::learn
