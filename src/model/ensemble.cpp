#include "orchard/model/ensemble.hpp"

#include <algorithm>
#include <limits>

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::model {
namespace {

[[noreturn]] void refuse(std::string message) { throw Error(ErrorKind::kData, std::move(message)); }

void check_outputs(const Ensemble& ensemble) {
  const auto& schema = ensemble.schema;
  const bool is_classifier = schema.task == Task::kClassification;
  if (is_classifier ? schema.n_classes() < 2 : schema.n_classes() != 0) {
    refuse(format("a model for {} has {} classes", is_classifier ? "classification" : "regression",
                  schema.n_classes()));
  }
  std::size_t n_expected = 1;
  if (is_classifier && (ensemble.combine == Combine::kAverage || schema.n_classes() > 2)) {
    n_expected = schema.n_classes();
  }
  if (ensemble.n_outputs < 1 || static_cast<std::size_t>(ensemble.n_outputs) != n_expected) {
    refuse(
        format("a model has {}; expected {}", counted(ensemble.n_outputs, "output"), n_expected));
  }
  if (ensemble.baseline.size() != n_expected) {
    refuse(format("a model has {}; expected {}", counted(ensemble.baseline.size(), "baseline"),
                  n_expected));
  }
  if (ensemble.value_exponent < -2000 || ensemble.value_exponent > 2000) {
    refuse(format("a model has value exponent {}", ensemble.value_exponent));
  }
  if (ensemble.combine == Combine::kSum && ensemble.trees.size() % n_expected != 0) {
    refuse(format("a model has {}: no whole rounds of {}", counted(ensemble.trees.size(), "tree"),
                  n_expected));
  }
}

void check_kinds(const Ensemble& ensemble, const Tree& tree) {
  for (std::size_t node = 0; node < tree.n_nodes(); ++node) {
    if (tree.left[node] < 0) continue;
    const auto& feature = ensemble.schema.features[static_cast<std::size_t>(tree.feature[node])];
    const bool is_categorical = (tree.flags[node] & Tree::kCategorical) != 0;
    if (is_categorical != (feature.kind == FeatureKind::kCategorical)) {
      refuse(format("node {} of a tree splits the {} feature '{}' as {}", node,
                    is_categorical ? "numeric" : "categorical", escape(feature.name),
                    is_categorical ? "categorical" : "numeric"));
    }
  }
}

/// Sums of values must fit 64 bits whatever leaves are reached: a damaged model must not overflow.
void check_range(const Ensemble& ensemble) {
  using Wide = unsigned __int128;
  const auto magnitude = [](std::int64_t value) {
    return value < 0 ? Wide{0} - static_cast<Wide>(value) : static_cast<Wide>(value);
  };
  std::vector<Wide> reach;
  for (const auto value : ensemble.baseline) reach.push_back(magnitude(value));
  for (std::size_t i = 0; i < ensemble.trees.size(); ++i) {
    Wide greatest = 0;
    for (const auto value : ensemble.trees[i].values) {
      greatest = std::max(greatest, magnitude(value));
    }
    if (ensemble.combine == Combine::kSum) {
      reach[i % reach.size()] += greatest;
    } else {
      for (auto& sum : reach) sum += greatest;
    }
  }
  for (const auto sum : reach) {
    if (sum > static_cast<Wide>(std::numeric_limits<std::int64_t>::max())) {
      refuse("the values of a model are too large to be added");
    }
  }
}

/// What a row needs to know of a node, in one place: 16 bytes, four nodes a cache line.
struct WalkNode {
  float threshold;
  std::int32_t feature;  ///< leaf: the value row
  NodeIndex left;
  std::uint32_t flags;
};

void pack(const Tree& tree, std::vector<WalkNode>& nodes) {
  nodes.resize(tree.n_nodes());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const bool is_leaf = tree.left[i] < 0;
    nodes[i] = {tree.threshold[i], is_leaf ? tree.value_row[i] : tree.feature[i], tree.left[i],
                tree.flags[i]};
  }
}

bool is_level_left(const Tree& tree, std::size_t node, float value, bool is_missing_left) {
  const auto n_levels = static_cast<std::uint64_t>(tree.category_n_words[node]) * 32;
  if (!(value >= 0 && value < static_cast<float>(n_levels))) return is_missing_left;
  const auto level = static_cast<std::uint32_t>(value);
  if (level >= n_levels) return is_missing_left;
  const auto word = static_cast<std::size_t>(tree.category_begin[node]) + level / 32;
  return (tree.category_words[word] >> (level % 32) & 1) != 0;
}

/// The value row of the leaf that a row reaches.
std::int32_t walk(const Tree& tree, const std::vector<WalkNode>& nodes, const FeatureColumns& data,
                  RowIndex row) {
  std::size_t at = 0;
  while (nodes[at].left >= 0) {
    const WalkNode& node = nodes[at];
    const float value = data.columns[static_cast<std::size_t>(node.feature)][row];
    const bool is_missing_left = (node.flags & Tree::kMissingLeft) != 0;
    bool is_left;
    if ((node.flags & Tree::kCategorical) != 0) {
      is_left = is_level_left(tree, at, value, is_missing_left);
    } else {
      // Comparisons with NaN are false: each form sends a missing value to its own side.
      is_left = is_missing_left ? !(value > node.threshold) : value <= node.threshold;
    }
    at = static_cast<std::size_t>(node.left) + (is_left ? 0 : 1);
  }
  return nodes[at].feature;
}

/// Rows walked through one tree before the next: their columns and the tree stay in the cache.
constexpr RowIndex kBlock = 16384;

void add_tree(const Tree& tree, const std::vector<WalkNode>& nodes, const FeatureColumns& data,
              RowIndex begin, RowIndex end, std::size_t n_values, std::size_t stride,
              std::int64_t* out) {
  for (RowIndex row = begin; row < end; ++row, out += stride) {
    const auto value_row = static_cast<std::size_t>(walk(tree, nodes, data, row));
    const std::int64_t* values = tree.values.data() + value_row * n_values;
    for (std::size_t k = 0; k < n_values; ++k) out[k] += values[k];
  }
}

}  // namespace

void Ensemble::validate() const {
  check_outputs(*this);
  for (const auto& tree : trees) {
    tree.validate(schema.n_features(), n_values());
    check_kinds(*this, tree);
  }
  check_range(*this);
}

void accumulate(const Ensemble& ensemble, const FeatureColumns& data, RowIndex begin, RowIndex end,
                std::span<std::int64_t> sums) {
  const auto n_outputs = static_cast<std::size_t>(ensemble.n_outputs);
  require(begin <= end && end <= data.n_rows, "rows to predict lie inside the table");
  require(sums.size() == (end - begin) * n_outputs, "there is a sum for each row and output");
  require(data.columns.size() == ensemble.schema.n_features(), "there is a column each feature");
  const std::size_t n_values = ensemble.n_values();
  std::vector<WalkNode> nodes;
  for (RowIndex at = begin; at < end; at += std::min(kBlock, end - at)) {
    const RowIndex stop = at + std::min(kBlock, end - at);
    for (std::size_t i = 0; i < ensemble.trees.size(); ++i) {
      const std::size_t first = ensemble.combine == Combine::kSum ? i % n_outputs : 0;
      pack(ensemble.trees[i], nodes);
      add_tree(ensemble.trees[i], nodes, data, at, stop, n_values, n_outputs,
               sums.data() + (at - begin) * n_outputs + first);
    }
  }
}

Link link_of(const Ensemble& ensemble) {
  return {ensemble.schema.task, ensemble.combine, ensemble.n_outputs, ensemble.value_exponent,
          ensemble.schema.n_classes()};
}

}  // namespace orchard::model
