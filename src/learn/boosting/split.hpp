#pragma once
// The best split of a node from its histogram.
//
// Gain (one fixed expression, in quanta): GL^2 / (HL + l2) + GR^2 / (HR + l2) - G^2 / (H + l2).
// Ties: lower feature, then lower bin (categories: fewer levels to the left), then missing to the
// left. A side must have h of at least 1e-3, as in scikit-learn.
//
// Categories (Fisher 1958; as LightGBM and scikit-learn do): levels with a support of at least 10
// rows, estimated as h * n / H of the node, are ordered by G / (H + 10), ties by bin, and cut once
// in that order. The other levels, and missing values, form a pool that is tried on both sides.

#include <array>
#include <cstdint>
#include <span>

#include "boosting/gradients.hpp"
#include "boosting/rows.hpp"
#include "orchard/data/binning.hpp"

namespace orchard::learn::boosting {

/// What the search needs of the settings, in the quanta of one tree.
struct SplitRules {
  double l2 = 0;
  double min_h = 0;
  double cat_smooth = 0;
  std::uint32_t min_samples_leaf = 1;
  bool h_is_count = false;
};
SplitRules split_rules(const QuantisedGradients& gradients, double l2_regularization,
                       std::int64_t min_samples_leaf);

/// Best split of one feature in one node.
struct Candidate {
  double gain = 0;            ///< in quanta; 0 when there is no split
  std::int16_t boundary = 0;  ///< last occupied bin to the left; categories: levels to the left
  bool is_missing_left = false;
};

/// A split ready to be carried out.
struct Split {
  double gain = 0;  ///< in quanta
  std::int32_t feature = -1;
  bool is_categorical = false;
  /// Whether missing values, or other rows of the pool, have a say in `is_missing_left`. If not,
  /// they follow the heavier child, which the partition tells.
  bool has_missing = false;
  bool is_missing_left = false;
  float threshold = 0;
  BinSet left{};   ///< bins that go left, among them the missing bin if `is_missing_left`
  BinSet known{};  ///< categories: bins that the split itself places
  Sums left_sums;
};

/// A node as the search sees it.
struct NodeSums {
  Sums total;
  std::uint32_t n_rows = 0;
};

/// The bin s in [left_bin, right_bin - 1] whose cut lies nearest to the middle between the greatest
/// value of left_bin and the least of right_bin (ties: the lower). Both are the node's own bins.
int middle_bin(const data::FeatureBins& bins, int left_bin, int right_bin);

/// `slots`: [n_slots] of the feature. `counts`: rows of the node in each slot; when given, no side
/// may have fewer than min_samples_leaf rows. Without counts the rule is left out, unless h counts
/// rows.
Candidate best_split(const data::FeatureBins& bins, const Sums* slots, const NodeSums& node,
                     const SplitRules& rules, const std::uint32_t* counts);

/// The same without counts, for sums of packed words: `words` [n_slots].
Candidate best_split(const data::FeatureBins& bins, const std::uint64_t* words,
                     const NodeSums& node, const SplitRules& rules);

/// Sums of packed words as pairs.
using FeatureSums = std::array<Sums, 256>;
FeatureSums unpack_feature(const data::FeatureBins& bins, const std::uint64_t* words);

/// Carries out what `candidate` says, for the feature's number `feature`.
Split make_split(const data::FeatureBins& bins, std::int32_t feature, const Sums* slots,
                 const NodeSums& node, const SplitRules& rules, const Candidate& candidate);

}  // namespace orchard::learn::boosting
