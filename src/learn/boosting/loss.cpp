#include "boosting/loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "orchard/base/elementary.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/exact_sum.hpp"
#include "orchard/base/text.hpp"

namespace orchard::learn::boosting {
namespace {

constexpr int kLogLossExponent = -44;
constexpr int kTargetBits = 50;
constexpr double kMaxLeafQuanta = 0x1p52;

std::size_t class_of(double target) { return static_cast<std::size_t>(target); }

/// Sum of weights of the rows that grow the trees, by class.
std::vector<double> class_weights(const FitContext& context, const TrainingRows& rows) {
  std::vector<double> sums(context.schema.n_classes());
  if (rows.weight.empty()) {
    for (const RowIndex row : rows.fit) sums[class_of(context.data.target[row])] += 1;
    return sums;
  }
  std::vector<ExactSum> exact(sums.size());
  for (const RowIndex row : rows.fit) {
    exact[class_of(context.data.target[row])].add(rows.weight[row]);
  }
  std::transform(exact.begin(), exact.end(), sums.begin(),
                 [](const ExactSum& sum) { return sum.value(); });
  return sums;
}

double weighted_mean(const FitContext& context, const TrainingRows& rows) {
  ExactSum sum, total;
  for (const RowIndex row : rows.fit) {
    const double weight = rows.weight_of(row);
    sum.add(weight * context.data.target[row]);
    total.add(weight);
  }
  return sum.value() / total.value();
}

/// Class shares kept away from 0 and 1, so that their logarithms are finite.
std::vector<double> class_shares(const FitContext& context, const TrainingRows& rows) {
  auto shares = class_weights(context, rows);
  double total = 0;
  for (const double weight : shares) total += weight;
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  for (double& share : shares) share = std::clamp(share / total, kEpsilon, 1 - kEpsilon);
  return shares;
}

std::vector<double> real_baseline(const FitContext& context, LossKind kind,
                                  const TrainingRows& rows) {
  if (kind == LossKind::kSquaredError) return {weighted_mean(context, rows)};
  auto values = class_shares(context, rows);
  if (kind == LossKind::kBinary) return {exact_log(values[1] / (1 - values[1]))};
  double mean = 0;
  for (double& value : values) {
    value = exact_log(value);
    mean += value / static_cast<double>(values.size());
  }
  for (double& value : values) value -= mean;
  return values;
}

}  // namespace

TrainingRows TrainingRows::share(const data::RowShare& of_fold) && {
  if (of_fold.is_whole()) return std::move(*this);
  TrainingRows own;
  own.first = of_fold.begin;
  const auto take = [&](const std::vector<RowIndex>& from, std::vector<RowIndex>& to) {
    const auto begin = std::lower_bound(from.begin(), from.end(), of_fold.begin);
    const auto end = std::lower_bound(begin, from.end(), of_fold.end);
    for (auto row = begin; row != end; ++row) to.push_back(*row - of_fold.begin);
  };
  take(fit, own.fit);
  take(validation, own.validation);
  if (!weight.empty()) {
    own.weight.assign(weight.begin() + of_fold.begin, weight.begin() + of_fold.end);
  }
  return own;
}

LossKind loss_of(const model::Schema& schema) {
  if (schema.task == Task::kRegression) return LossKind::kSquaredError;
  return schema.n_classes() > 2 ? LossKind::kMultinomial : LossKind::kBinary;
}

int n_outputs_of(const model::Schema& schema) {
  return loss_of(schema) == LossKind::kMultinomial ? static_cast<int>(schema.n_classes()) : 1;
}

std::vector<double> row_weights(const FitContext& context, options::ClassWeight class_weight) {
  const std::size_t n = context.data.train_share.n;
  const auto given = context.data.train_weight();
  std::vector<double> weight(given.begin(), given.end());
  if (class_weight == options::ClassWeight::kNone) return weight;
  require(class_weight == options::ClassWeight::kBalanced &&
              context.schema.task == Task::kClassification,
          "boosting takes the class weight 'balanced' only, and for classes only");
  std::vector<std::size_t> counts(context.schema.n_classes());
  for (std::size_t row = 0; row < n; ++row) ++counts[class_of(context.data.target[row])];
  const auto n_present = counts.size() - std::count(counts.begin(), counts.end(), 0U);
  if (weight.empty()) weight.assign(n, 1.0);
  for (std::size_t row = 0; row < n; ++row) {
    weight[row] *= static_cast<double>(n) /
                   static_cast<double>(n_present * counts[class_of(context.data.target[row])]);
  }
  return weight;
}

int value_exponent(LossKind kind, std::span<const double> training_targets) {
  if (kind != LossKind::kSquaredError) return kLogLossExponent;
  double greatest = 0;
  for (const double target : training_targets) greatest = std::max(greatest, std::abs(target));
  if (!(greatest > 0)) return -kTargetBits;
  int exponent = 0;
  const double fraction = std::frexp(greatest, &exponent);
  if (fraction == 0.5) --exponent;
  // Below this a quantum would be no normal number.
  return std::max(exponent - kTargetBits, -1000);
}

std::int64_t leaf_value(double value, int exponent) {
  const double quanta = std::ldexp(value, -exponent);
  return std::llrint(std::clamp(quanta, -kMaxLeafQuanta, kMaxLeafQuanta));
}

std::vector<std::int64_t> baseline(const FitContext& context, LossKind kind,
                                   const TrainingRows& rows, int exponent) {
  const bool has_weight = std::any_of(rows.fit.begin(), rows.fit.end(),
                                      [&](RowIndex row) { return rows.weight_of(row) > 0; });
  if (!has_weight) {
    throw Error(
        ErrorKind::kData,
        format("all {} training rows have weight 0; at least one must count", rows.fit.size()));
  }
  std::vector<std::int64_t> fixed;
  for (const double value : real_baseline(context, kind, rows)) {
    if (!std::isfinite(value)) {
      throw Error(ErrorKind::kData,
                  "the weighted mean of the training target is not finite; targets or weights are "
                  "too great");
    }
    fixed.push_back(leaf_value(value, exponent));
  }
  return fixed;
}

}  // namespace orchard::learn::boosting
