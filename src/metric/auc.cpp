// Area under the ROC curve as a count of pairs: the share of (positive, negative) pairs of rows
// in which the positive row is scored higher, ties counting half (Mann and Whitney, 1947). Pairs
// are counted in integers, so the area is rounded once, by its only division.

#include <algorithm>
#include <cmath>

#include "judge.hpp"
#include "orchard/base/text.hpp"

namespace orchard::metric {
namespace {

using Wide = unsigned __int128;

struct ScoredRow {
  double score;
  std::int64_t weight;  ///< negative for a row of the negative class
};

/// Weights in fixed point whose sum stays below 2^62, so that the pairs fit 128 bits. Without
/// weights every row counts 1, exactly.
std::vector<std::int64_t> fixed_weights(const Truth& truth) {
  const std::size_t n_rows = truth.target.size();
  std::vector<std::int64_t> fixed(n_rows, 1);
  if (truth.weight.empty()) return fixed;
  ExactSum sum;
  for (const double weight : truth.weight) sum.add(weight);
  const int n_shift = 61 - std::ilogb(sum.value()) - 1;  // the sum becomes less than 2^61
  for (std::size_t row = 0; row < n_rows; ++row) {
    fixed[row] = std::llrint(std::ldexp(truth.weight[row], n_shift));
  }
  return fixed;
}

/// Area of column `c` as the score of class `c` against all others; undefined when no weight lies
/// on one side.
Score area(const Truth& truth, Predictions predictions, std::size_t c,
           const std::vector<std::int64_t>& weights, std::vector<ScoredRow>& rows) {
  rows.clear();
  for (std::size_t row = 0; row < truth.target.size(); ++row) {
    const bool is_positive = class_of(truth, row) == c;
    rows.push_back(
        {predictions[row * truth.n_classes + c], is_positive ? weights[row] : -weights[row]});
  }
  std::sort(rows.begin(), rows.end(),
            [](const ScoredRow& a, const ScoredRow& b) { return a.score < b.score; });

  Wide twice_won = 0;
  std::uint64_t positive = 0, negative = 0;
  for (std::size_t begin = 0; begin < rows.size();) {
    std::uint64_t tied_positive = 0, tied_negative = 0;
    const double score = rows[begin].score;
    for (; begin < rows.size() && rows[begin].score == score; ++begin) {
      const std::int64_t weight = rows[begin].weight;
      (weight > 0 ? tied_positive : tied_negative) +=
          static_cast<std::uint64_t>(weight > 0 ? weight : -weight);
    }
    twice_won += static_cast<Wide>(tied_positive) * (2 * negative + tied_negative);
    positive += tied_positive;
    negative += tied_negative;
  }
  if (positive == 0) return undefined(format("no test row with a weight is of class {}", c));
  if (negative == 0) return undefined(format("every test row with a weight is of class {}", c));
  const Wide twice_pairs = 2 * static_cast<Wide>(positive) * negative;
  return {static_cast<double>(twice_won) / static_cast<double>(twice_pairs), {}};
}

}  // namespace

Score roc_auc(const Truth& truth, Predictions predictions) {
  if (truth.n_classes != 2) {
    return undefined(
        format("roc_auc judges two classes, there are {}; roc_auc_ovr judges any number",
               truth.n_classes));
  }
  std::vector<ScoredRow> rows;
  return area(truth, predictions, 1, fixed_weights(truth), rows);
}

Score roc_auc_ovr(const Truth& truth, Predictions predictions) {
  if (truth.n_classes == 2) return roc_auc(truth, predictions);
  const auto weights = fixed_weights(truth);
  std::vector<ScoredRow> rows;
  ExactSum areas;
  for (std::size_t c = 0; c < truth.n_classes; ++c) {
    Score one = area(truth, predictions, c, weights, rows);
    if (!one.reason.empty()) return one;
    areas.add(one.value);
  }
  return {areas.value() / static_cast<double>(truth.n_classes), {}};
}

}  // namespace orchard::metric
