#pragma once
// A tree whose thresholds are bins, for walking rows of the fit's own binned data.

#include <array>
#include <vector>

#include "orchard/data/binning.hpp"
#include "orchard/model/tree.hpp"

namespace orchard::learn {

/// Sends a binned row where the tree sends the raw row. Built from any tree that was grown on
/// `binning`: a numeric threshold is one of the feature's cuts (cut b: bins <= b go left) or the
/// greatest float (all but missing go left); the missing bin follows Tree::kMissingLeft. Owns its
/// arrays. Construction throws kData when a threshold is no cut.
class BinnedTree {
 public:
  BinnedTree() = default;
  BinnedTree(const model::Tree& tree, const data::Binning& binning);

  std::size_t n_nodes() const { return nodes_.size(); }
  bool is_leaf(NodeIndex node) const { return at(node).left < 0; }

  /// Numeric inner node: the last bin that goes left, but for missing.
  Bin last_left(NodeIndex node) const { return static_cast<Bin>(at(node).first_right - 1); }
  /// Categorical inner node: bit b is set where bin b goes right, bits past the bins as missing.
  const std::array<std::uint64_t, 4>& right_bins(NodeIndex node) const {
    return sets_[static_cast<std::size_t>(at(node).set)];
  }

  /// The child of an inner node for the own training row at `position`.
  NodeIndex child(NodeIndex node, const data::BinnedData& data, RowIndex position) const {
    const Node& here = at(node);
    const Bin bin = data.column(static_cast<std::size_t>(here.feature))[position];
    return here.left + static_cast<NodeIndex>(goes_right(here, bin));
  }

  /// The leaf that the own training row at `position` reaches.
  NodeIndex leaf(const data::BinnedData& data, RowIndex position) const {
    NodeIndex node = 0;
    while (!is_leaf(node)) node = child(node, data, position);
    return node;
  }

 private:
  using BinSet = std::array<std::uint64_t, 4>;  ///< bit b: bin b goes right

  /// A numeric split sends a range of bins to the right, whatever missing does: the missing bin is
  /// the last one, and the range ends before it or with it.
  struct Node {
    std::int32_t feature = -1;
    NodeIndex left = -1;
    std::int32_t set = 0;  ///< categorical: index into sets_; numeric: the empty set
    Bin first_right = 0;
    Bin n_right = 0;
  };

  const Node& at(NodeIndex node) const { return nodes_[static_cast<std::size_t>(node)]; }
  /// A node of either kind has an empty range or the empty set of the other: no branch on the kind,
  /// which no processor could foresee.
  bool goes_right(const Node& node, Bin bin) const {
    const bool is_in_range = static_cast<Bin>(bin - node.first_right) < node.n_right;
    const auto word = sets_[static_cast<std::size_t>(node.set)][bin / 64];
    return static_cast<bool>(static_cast<unsigned>(is_in_range) |
                             static_cast<unsigned>(word >> (bin % 64) & 1));
  }
  void set_numeric(Node& node, float threshold, bool is_missing_left,
                   const data::FeatureBins& bins);
  void set_categorical(Node& node, const model::Tree& tree, std::size_t index,
                       const data::FeatureBins& bins);

  std::vector<Node> nodes_;
  std::vector<BinSet> sets_ = {BinSet{}};
};

}  // namespace orchard::learn
