#pragma once
// The arrays of a tree under construction.

#include <span>

#include "forest_split.hpp"
#include "forest_values.hpp"
#include "orchard/model/schema.hpp"
#include "orchard/model/tree.hpp"

namespace orchard::learn {

/// Nodes are visited depth first, left before right. `schema` is borrowed.
class TreeBuilder {
 public:
  TreeBuilder(std::size_t n_values, const model::Schema& schema)
      : schema_(schema), values_(n_values) {}

  /// A new tree that holds the root, not yet visited.
  void start();
  /// Sets what a node has whether it is split or not. `value` is stored when some cut stops here.
  void visit(NodeIndex node, std::uint32_t n_rows, std::uint64_t stops,
             std::span<const std::int64_t> value);
  /// Makes the node an inner one and appends its children; returns the left one. Throws kData when
  /// the tree would have more nodes than can be numbered.
  NodeIndex split(NodeIndex node, const Split& split, int cut, const data::FeatureBins& bins,
                  double decrease);
  model::Tree finish();

 private:
  void append_node();
  void write_levels(std::size_t node, const Split& split, const data::FeatureBins& bins);

  const model::Schema& schema_;
  model::Tree tree_;
  ValueTable values_;
};

}  // namespace orchard::learn
