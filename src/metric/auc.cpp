// Area under the ROC curve as a count of pairs: the share of (positive, negative) pairs of rows
// in which the positive row is scored higher, ties counting half (Mann and Whitney, 1947). Pairs
// are counted in integers, so the area is rounded once, by its only division.

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "judge.hpp"
#include "orchard/base/text.hpp"

namespace orchard::metric {
namespace {

using Wide = unsigned __int128;

struct ScoredRow {
  double score;
  std::int64_t weight;  ///< negative for a row of the negative class
};

/// Bits that are ordered as the scores are: the sign bit flipped, and all others of negatives.
std::uint64_t ordered_bits(double score) {
  const auto bits = std::bit_cast<std::uint64_t>(score);
  return (bits >> 63) != 0 ? ~bits : bits | std::uint64_t{1} << 63;
}

/// Sorts ascending by score, by radix where that pays. -0.0 comes before 0.0, next to it.
void sort_by_score(std::vector<ScoredRow>& rows, std::vector<ScoredRow>& scratch) {
  constexpr int kDigitBits = 11, kDigits = 6;
  constexpr std::size_t kBuckets = std::size_t{1} << kDigitBits;
  constexpr std::size_t kWorthwhile = 8192;
  if (rows.size() < kWorthwhile) {
    std::sort(rows.begin(), rows.end(),
              [](const ScoredRow& a, const ScoredRow& b) { return a.score < b.score; });
    return;
  }
  const auto digit_of = [](const ScoredRow& row, int digit) {
    return static_cast<std::size_t>(ordered_bits(row.score) >> (digit * kDigitBits)) &
           (kBuckets - 1);
  };
  std::vector<std::size_t> starts(kDigits * kBuckets);
  for (const ScoredRow& row : rows) {
    for (int digit = 0; digit < kDigits; ++digit) {
      ++starts[static_cast<std::size_t>(digit) * kBuckets + digit_of(row, digit)];
    }
  }
  scratch.resize(rows.size());
  for (int digit = 0; digit < kDigits; ++digit) {
    std::size_t* start = starts.data() + static_cast<std::size_t>(digit) * kBuckets;
    if (start[digit_of(rows.front(), digit)] == rows.size()) continue;  // one digit for all
    std::size_t n_before = 0;
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
      n_before += std::exchange(start[bucket], n_before);
    }
    for (const ScoredRow& row : rows) scratch[start[digit_of(row, digit)]++] = row;
    rows.swap(scratch);
  }
}

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
Score area(const Truth& truth, const Probabilities& probabilities, std::size_t c,
           const std::vector<std::int64_t>& weights, std::vector<ScoredRow>& rows,
           std::vector<ScoredRow>& scratch) {
  rows.clear();
  for (std::size_t row = 0; row < truth.target.size(); ++row) {
    const bool is_positive = class_of(truth, row) == c;
    rows.push_back({probabilities(static_cast<Eigen::Index>(row), static_cast<Eigen::Index>(c)),
                    is_positive ? weights[row] : -weights[row]});
  }
  sort_by_score(rows, scratch);

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
  std::vector<ScoredRow> rows, scratch;
  return area(truth, probabilities_of(truth, predictions), 1, fixed_weights(truth), rows, scratch);
}

Score roc_auc_ovr(const Truth& truth, Predictions predictions) {
  if (truth.n_classes == 2) return roc_auc(truth, predictions);
  const auto weights = fixed_weights(truth);
  const auto probabilities = probabilities_of(truth, predictions);
  std::vector<ScoredRow> rows, scratch;
  ExactSum areas;
  for (std::size_t c = 0; c < truth.n_classes; ++c) {
    Score one = area(truth, probabilities, c, weights, rows, scratch);
    if (!one.reason.empty()) return one;
    areas.add(one.value);
  }
  return {areas.value() / static_cast<double>(truth.n_classes), {}};
}

}  // namespace orchard::metric
