#pragma once
// Trees of a forest whose rows several ranks hold: the tops are grown in step, on sums over all
// ranks; nodes with few rows are grown each by one rank, to which their rows are sent.

#include <memory>
#include <span>
#include <vector>

#include "forest/feature_order.hpp"
#include "forest/group/node_search.hpp"
#include "forest/group/subtrees.hpp"
#include "forest/open_node.hpp"
#include "forest/plan.hpp"
#include "forest/tree_builder.hpp"
#include "orchard/model/packed_tree.hpp"
#include "peers.hpp"

namespace orchard::learn::group {

/// The trees are those of ForestGrower. The constructor and `grow` are collective over the plan's
/// group.
class GroupGrower {
 public:
  /// `plan` is borrowed; its context has a group.
  explicit GroupGrower(const ForestPlan& plan);

  /// Numbers worth growing together: see trees_a_group_step.
  std::size_t n_trees_a_step() const;
  /// Trees first, first + 1 and so on of each leaf size: `trees` is [n_trees][n_leaf_sizes,
  /// ascending]. A tree that draws no row of positive weight and those after it stay empty; throws
  /// kData on all ranks when it is the first one.
  void grow(std::uint64_t first, std::span<model::PackedTree> trees);

 private:
  static constexpr int kNone = -1;

  /// What a whole tree has.
  struct Root {
    std::uint64_t tree = 0;
    double weight = 0;
    std::vector<double> class_weight;
  };
  /// A node of the top of a tree.
  struct Node : OpenNode {
    std::size_t root = 0;  ///< place in roots_
    OwnRows rows;          ///< until it is divided or given away
    NodeSums sums;         ///< of all ranks
    std::vector<std::int64_t> value;
    Split split;
    LeafSizes takers;  ///< leaf sizes that take the split
    int cut = 0;
    double decrease = 0;
    int left = kNone, right = kNone;  ///< places in nodes_
    /// The same node once more, for leaf sizes that do not take the split.
    int parted = kNone;
    int subtree = kNone;  ///< place in subtrees_

    std::size_t n_rows() const { return static_cast<std::size_t>(sums[0]); }
  };
  /// Which features a node tries: those in `order`, as far as it goes.
  struct Trial {
    int node = kNone;
    std::vector<FeatureIndex> order;
    std::size_t n_tried = 0;
    bool is_varied = false;
  };
  /// One feature of one node, and where its bins begin among those of a batch.
  struct Request {
    Trial* trial;
    FeatureIndex feature;
    std::size_t begin;
  };

  void plant(std::uint64_t first, std::size_t n_trees);
  void sum_over_ranks(std::span<Node> nodes) const;
  void grow_level(std::vector<int>& open);
  bool visit(Node& node);
  void find_splits(const std::vector<int>& nodes);
  bool wants_more(const Trial& trial) const;
  void draw_order(Trial& trial, std::size_t n);
  void try_features(std::vector<Request> batch);
  std::vector<NodeSearch::Found> search_own(std::span<const Request> batch,
                                            std::span<const std::int64_t> bins);
  void divide(const std::vector<int>& nodes);
  void settle(int number, std::vector<int>& open);
  void write(std::size_t root, const std::vector<std::vector<model::PackedTree>>& subtrees,
             TreeBuilders& builders, std::span<model::PackedTree> trees) const;

  Node& node(int number) { return nodes_[static_cast<std::size_t>(number)]; }
  const Node& node(int number) const { return nodes_[static_cast<std::size_t>(number)]; }
  int append(Node node) {
    nodes_.push_back(std::move(node));
    return static_cast<int>(nodes_.size()) - 1;
  }
  void start_search(NodeSearch& search, const Node& node) const {
    search.start_node(node.sums, roots_[node.root].class_weight);
  }
  std::size_t n_bin_words(FeatureIndex feature) const {
    const auto& bins = plan_.context.data.binning->features[feature];
    return static_cast<std::size_t>(bins.n_slots()) * searches_.front()->n_bin_words();
  }

  const ForestPlan& plan_;
  const Peers peers_;
  std::size_t n_threads_;                              ///< of all ranks
  std::vector<std::unique_ptr<NodeSearch>> searches_;  ///< [own threads]
  FeatureOrder order_;
  std::vector<TreeBuilders> builders_;  ///< [own threads]
  std::size_t n_gathered_rows_ = 0;     ///< nodes with at most so many rows are given away
  std::vector<Root> roots_;
  std::vector<Node> nodes_;  ///< roots first
  std::vector<Subtree> subtrees_;
};

}  // namespace orchard::learn::group
