#pragma once
// Grows one tree leaf by leaf, the leaf with the greatest gain first (best-first; Shi 2007).

#include <memory>
#include <set>
#include <span>
#include <vector>

#include "boosting/columns.hpp"
#include "boosting/gradients.hpp"
#include "boosting/histogram.hpp"
#include "boosting/loss.hpp"
#include "boosting/rows.hpp"
#include "boosting/split.hpp"
#include "boosting/subtree.hpp"
#include "boosting/sums_kernel.hpp"
#include "orchard/model/tree.hpp"
#include "orchard/options/learner_settings.hpp"
#include "peers.hpp"

namespace orchard::learn::boosting {

/// Collective over the peers; uses the pool's threads. The tree depends neither on their number nor
/// on who has which rows.
///
/// Among peers, each holds the sums over all rows for its own range of the columns, and searches
/// those. Columns of others hold nothing of use. All carry out the best split, on their own rows.
///
/// Equal gains: the node that was made first. Every side of a split has min_samples_leaf rows: the
/// search ignores that rule where h does not count rows, the partition counts exactly, and when a
/// winner is illegal the rows of that feature's bins are counted and the feature is searched again
/// with the rule; a leaf is split only when the winner is legal. A node is not searched when it has
/// fewer than twice min_samples_leaf rows or is max_depth deep.
class TreeGrower {
 public:
  /// `rows.fit`, of all peers, grows the tree. All borrowed.
  TreeGrower(const data::BinnedData& data, const options::BoostingSettings& settings,
             const TrainingRows& rows, parallel::Pool& pool, Peers peers = Peers(nullptr));
  ~TreeGrower();

  /// Leaf values are -learning_rate * G / (H + l2) in quanta of 2^value_exponent. Throws Stopped.
  model::Tree grow(const QuantisedGradients& gradients, int value_exponent);
  /// Adds the leaf values of the tree just grown to the raw predictions [n_train] of its rows.
  void add_leaf_values(const model::Tree& tree, std::span<std::int64_t> raw) const;

 private:
  struct Node;
  /// The best comes first: the greatest gain; equal gains: the node that was made first.
  struct Waiting {
    double gain = 0;
    std::int32_t node = 0;
    bool operator<(const Waiting& other) const {
      return gain != other.gain ? gain > other.gain : node < other.node;
    }
  };
  void meet_peers();
  void start(const QuantisedGradients& gradients);
  bool is_searchable(const Node& node) const;
  bool is_for_one_thread(const Node& node) const;
  bool is_split_by_one_thread(const Node& node) const;
  bool has_budget(std::int64_t n_splits) const;
  void enqueue(Node& node);
  Node& best();
  std::vector<Node*> untried_ahead();
  void try_splits(std::vector<Node*> nodes);
  void adopt_children(Node& node);
  void release(Node& node);
  void release_all();
  void release_below(Node& node);
  void grow_subtrees();
  std::vector<GrownNode*> all_nodes();

  void try_split(Node& node, const Hands& hands);
  void narrow(Node& node, const Hands& hands);
  void make_children(Node& node, const std::vector<std::uint32_t>& borders,
                     std::uint32_t n_left) const;
  void weigh_children(Node& node, std::int64_t left_weight, const Hands& hands) const;
  bool is_left_heavier(const Node& left, const Node& right) const;
  std::int64_t weight_of(const Segments& segments, const Hands& hands) const;
  void search_children(Node& parent, const Hands& hands);
  void build(Node& node, const Hands& hands);
  void build_own(Node& node, const Hands& hands);
  void search(Node* first, Node* second, Histogram* subtract_from, const Hands& hands);
  Split best_of_own(const Node& node) const;
  NodeSums sums_of(const Node& node) const;
  const Sums* slots_of(const Node& node, std::size_t feature, BundledSlots<Sums>& room) const;

  std::size_t first_column() const;
  std::size_t last_column() const;
  void pick_winners(Node* first, Node* second);
  std::pair<std::uint32_t, std::int64_t> left_of_all(const Node& node,
                                                     const std::vector<std::uint32_t>& borders,
                                                     const Hands& hands) const;
  void sum_over_peers(const Node& node);

  const data::BinnedData& data_;
  const options::BoostingSettings& settings_;
  const TrainingRows& rows_;
  parallel::Pool& pool_;
  Peers peers_;
  HistogramLayout layout_;
  HistogramStore store_;
  RowPartition partition_;
  HistogramBuilder builder_;
  const SumsKernel& kernel_;
  std::vector<std::size_t> column_borders_;  // [n_peers + 1] columns that each peer searches
  std::uint32_t n_root_rows_ = 0;            // of all peers
  bool is_weighted_ = false;
  double weight_scale_ = 0;  // weights as integers, to compare children
  std::int64_t root_weight_ = 0;
  std::vector<std::int64_t> words_;             // room for what peers sum
  std::vector<SubtreeGrower> subtree_growers_;  // one a thread

  // Of the tree under way or just grown.
  QuantisedGradients gradients_;
  SplitRules rules_;
  std::vector<std::unique_ptr<Node>> nodes_;  // in the order in which they were made
  std::set<Waiting> queue_;                   // nodes that can be split
  std::vector<Node*> subtree_roots_;          // nodes that a thread grows alone
  std::vector<Subtree> subtrees_;             // of the same; the rest is room for later trees
  std::int64_t n_leaves_ = 0;
};

}  // namespace orchard::learn::boosting
