#pragma once
// A fitted tree as flat arrays. Knows nothing of training.

#include <cstdint>
#include <vector>

#include "orchard/base/types.hpp"

namespace orchard::model {

/// All per-node arrays have n_nodes entries, but for those that may be empty; node 0 is the root
/// and children come after their parent. A row at an inner node goes to `left[node]` or to
/// `left[node] + 1`.
///
/// Values are fixed-point integers (`Ensemble::value_exponent`), so that sums over trees do not
/// depend on their order.
struct Tree {
  static constexpr std::uint8_t kMissingLeft = 1;  ///< a missing value goes left
  static constexpr std::uint8_t kCategorical = 2;  ///< split by `category_words`, not `threshold`

  std::vector<std::int32_t> feature;  ///< split feature, -1 at a leaf
  std::vector<float> threshold;       ///< numeric: left when value <= threshold; else 0
  std::vector<NodeIndex> left;        ///< left child, -1 at a leaf
  std::vector<std::uint8_t> flags;
  std::vector<std::int32_t> value_row;   ///< row of `values`, -1 when this node has no value
  std::vector<std::uint32_t> n_samples;  ///< distinct training rows that reached the node
  std::vector<double> gain;              ///< forests: weighted impurity decrease; boosting: gain
  /// Categorical: begin of the node's levels in `category_words`, else -1. Bit i of the node's
  /// words is set when level i goes left. Levels past the end go where missing goes. Both arrays
  /// may be empty where no node is categorical.
  std::vector<std::int32_t> category_begin;
  std::vector<std::int32_t> category_n_words;
  std::vector<std::uint32_t> category_words;
  /// [n_value_rows][n_values], shared by nodes with equal values.
  std::vector<std::int64_t> values;
  /// Fits for several cuts only, else empty, which means that readouts stop at the leaves: bit c is
  /// set where the readout of cut c stops.
  std::vector<std::uint64_t> stops;

  std::size_t n_nodes() const { return feature.size(); }
  bool is_leaf(NodeIndex node) const { return left[static_cast<std::size_t>(node)] < 0; }
  bool operator==(const Tree&) const = default;

  /// Throws kData unless the tree can be walked without leaving its arrays: children after their
  /// parent and inside, each with one parent, features below `n_features`, thresholds finite, value
  /// rows inside, a value at every leaf. `n_values` is the width of a value row.
  void validate(std::size_t n_features, std::size_t n_values) const;
};

}  // namespace orchard::model
