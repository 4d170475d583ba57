#pragma once
// What boosting minimises: the kinds of loss, the constant model they start from, the weights of
// rows and the derivatives with respect to the raw predictions (Friedman 2001).

#include <cstdint>
#include <span>
#include <vector>

#include "orchard/learn/fit.hpp"
#include "orchard/options/learner_settings.hpp"

namespace orchard::learn::boosting {

enum class LossKind : std::uint8_t {
  kBinary,        ///< log loss of two classes, one output: the log odds of class 1
  kMultinomial,   ///< log loss of K classes, K outputs
  kSquaredError,  ///< half the squared error, one output
};

LossKind loss_of(const model::Schema& schema);
int n_outputs_of(const model::Schema& schema);

/// The rows of a fit: who grows the trees and who judges them. Positions in the training rows, of
/// the fold or of a share of it.
struct TrainingRows {
  std::vector<RowIndex> fit;         ///< ascending; none whose weight is 0
  std::vector<RowIndex> validation;  ///< ascending; held out of the trees
  /// [n_train] sample weight times class weight; empty: all one.
  std::vector<double> weight;
  RowIndex first = 0;  ///< where the share begins in the fold

  /// The rows of a share, counted from its beginning. Of all rows of a fold.
  TrainingRows share(const data::RowShare& of_fold) &&;
  double weight_of(RowIndex position) const { return weight.empty() ? 1.0 : weight[position]; }
};

/// Sample weights times class weights ("balanced": n / (classes present * rows of the class), over
/// all training rows); empty when every weight is one.
std::vector<double> row_weights(const FitContext& context, options::ClassWeight class_weight);

/// A raw prediction of v stands for v * 2^exponent. Log loss: 2^-44. Squared error: the greatest
/// |target| of the training rows takes 50 bits.
int value_exponent(LossKind kind, std::span<const double> training_targets);

/// Fixed-point number nearest to `value`, clamped to 2^52 quanta: a leaf of log loss never says
/// more than 2^8, one of regression no more than four times the greatest |target|.
std::int64_t leaf_value(double value, int exponent);

/// The constant model that minimises the loss on the rows of `rows.fit`, as scikit-learn has it:
/// log odds, centred log priors, weighted mean. Exact sums. Throws kData when all weights are zero
/// or the result is not finite.
std::vector<std::int64_t> baseline(const FitContext& context, LossKind kind,
                                   const TrainingRows& rows, int exponent);

}  // namespace orchard::learn::boosting
