#pragma once
// The arrays of a tree under construction.

#include <span>

#include "forest/plan.hpp"
#include "forest/split.hpp"
#include "forest/values.hpp"
#include "orchard/model/packed_tree.hpp"
#include "orchard/model/schema.hpp"

namespace orchard::learn {

/// Nodes are visited depth first, left before right. `plan` is borrowed. Aligned, since a thread
/// writes to it at every node, beside those of other threads.
class alignas(64) TreeBuilder {
 public:
  explicit TreeBuilder(const ForestPlan& plan)
      : schema_(plan.context.schema), has_stops_(plan.cuts.size() > 1), values_(plan.n_values()) {}

  /// A new tree that holds the root, not yet visited.
  void start();
  /// Goes on to the next node and sets what it has whether it is split or not. `value` is stored
  /// when some cut stops here.
  void visit(std::uint32_t n_rows, std::uint64_t stops, std::span<const std::int64_t> value);
  /// The number of the row of values that equals `value`; for nodes to come with the same.
  std::int32_t value_row(std::span<const std::int64_t> value) { return values_.row(value); }
  void visit(std::uint32_t n_rows, std::uint64_t stops, std::int32_t value_row);
  /// Makes the node visited last an inner one and appends its children. Throws kData when the tree
  /// would have more nodes than can be numbered.
  void split(const Split& split, int cut, const data::FeatureBins& bins, double decrease);
  /// The same for a split of a numeric feature.
  void split_numeric(FeatureIndex feature, int cut, const data::FeatureBins& bins,
                     bool is_missing_left, double decrease);
  /// Goes on to the next node and what is below it: a tree of the same forest that begins there.
  void graft(const model::Tree& tree);
  model::PackedTree finish();

 private:
  using Node = model::Node;

  Node& visited() { return nodes_[static_cast<std::size_t>(visited_)]; }
  void append_children();
  void graft_levels(const model::Tree& tree, std::size_t from, Node& to);
  void write_levels(Node& node, const Split& split, const data::FeatureBins& bins);

  const model::Schema& schema_;
  bool has_stops_;  ///< else all readouts stop at the leaves
  bool has_categories_ = false;
  std::vector<Node> nodes_;
  NodeIndex visited_ = 0;           ///< last
  std::vector<NodeIndex> waiting_;  ///< nodes to visit, the next one at the back
  std::vector<std::uint32_t> category_words_;
  ValueTable values_;
};

/// One tree a leaf size: what a node of several of them holds is written to the tree of each.
class TreeBuilders {
 public:
  explicit TreeBuilders(const ForestPlan& plan)
      : builders_(plan.leaf_rows.size(), TreeBuilder(plan)) {}

  void start() {
    for (auto& builder : builders_) builder.start();
  }
  TreeBuilder& operator[](std::size_t leaf_size) { return builders_[leaf_size]; }
  /// Calls write(builder) for each of `sizes`.
  template <class Write>
  void for_each(LeafSizes sizes, Write write) {
    for (auto size = sizes.first; size < sizes.last; ++size) write(builders_[size]);
  }
  /// `trees`: [sizes], of these leaf sizes.
  void finish(LeafSizes sizes, std::span<model::PackedTree> trees) {
    for (auto size = sizes.first; size < sizes.last; ++size) {
      trees[size - sizes.first] = builders_[size].finish();
    }
  }

 private:
  std::vector<TreeBuilder> builders_;
};

}  // namespace orchard::learn
