#pragma once
// Finding the split of a node whose rows move.

#include <algorithm>
#include <vector>

#include "forest/feature_order.hpp"
#include "forest/open_node.hpp"
#include "forest/row_poll.hpp"

namespace orchard::learn::moving {

/// A node of one or several leaf sizes.
struct Node : OpenNode {
  std::uint32_t n_rows = 0;   ///< distinct ones
  std::uint32_t n_tried = 0;  ///< features, where it has parted from smaller leaf sizes; else 0
};

/// The features that nodes try, in each one's order, a few at a time. For one thread.
class FeatureTrials {
 public:
  /// `plan` and `poll` are borrowed.
  FeatureTrials(const ForestPlan& plan, std::size_t n_a_pass, RowPoll& poll)
      : plan_(plan), n_a_pass_(n_a_pass), poll_(poll), order_(plan.context.data.n_features()) {}

  void start_tree(std::uint64_t tree) { tree_ = tree; }
  /// The node's order, from its beginning.
  FeatureOrder& start(const Node& node) {
    order_.start({plan_.context.random_state, random::Purpose::kFeatures, tree_, node.key});
    return order_;
  }

  /// Finds the node's split under the least of its inner leaf sizes; returns the distinct rows at
  /// the left, 0 when there is no split. start(n_leaf_rows) begins a search among the splits that
  /// leave so many rows at each side; offer(features, n) offers those of a few features and says
  /// whether one of them has two bins (asked with n_leaf_rows == 1); divide() says what the best
  /// split does to the rows and returns those at the left, 0 when there is no split.
  template <class Start, class Offer, class Divide>
  std::size_t find(const Node& node, Start start, Offer offer, Divide divide);
  /// Features that the last node of `find` has tried.
  std::uint32_t n_tried() const { return static_cast<std::uint32_t>(tried_.size()); }

 private:
  const ForestPlan& plan_;
  std::size_t n_a_pass_;
  RowPoll& poll_;
  FeatureOrder order_;
  std::vector<FeatureIndex> tried_;  ///< in their order
  std::uint64_t tree_ = 0;
};

template <class Start, class Offer, class Divide>
std::size_t FeatureTrials::find(const Node& node, Start start, Offer offer, Divide divide) {
  // Where leaf sizes have parted, the best of all splits is known to leave a side too small.
  const bool has_parted = node.n_tried != 0;
  const std::uint32_t n_leaf_rows = plan_.leaf_rows[node.inner_sizes.first];
  const std::size_t n_features = plan_.context.data.n_features();
  const std::size_t n_least = has_parted ? node.n_tried : plan_.n_tried;
  this->start(node);
  tried_.clear();
  start(has_parted ? n_leaf_rows : 1);
  for (bool is_varied = has_parted;
       tried_.size() < n_features && (tried_.size() < n_least || !is_varied);) {
    const std::size_t begin = tried_.size();
    const std::size_t n = std::min(begin < n_least ? n_least - begin : 1, n_a_pass_);
    tried_.resize(begin + n);
    order_.draw(n, tried_.data() + begin);
    is_varied |= offer(tried_.data() + begin, n);
    poll_(node.n_rows * n);
  }
  const std::size_t n_left = divide();
  if (n_left == 0 || has_parted) return n_left;
  if (n_left >= n_leaf_rows && node.n_rows - n_left >= n_leaf_rows) return n_left;
  // The best of all splits leaves a side too small: look again, among those that do not.
  start(n_leaf_rows);
  for (std::size_t i = 0; i < tried_.size(); i += n_a_pass_) {
    const std::size_t n = std::min(n_a_pass_, tried_.size() - i);
    offer(tried_.data() + i, n);
    poll_(node.n_rows * n);
  }
  return divide();
}

}  // namespace orchard::learn::moving
