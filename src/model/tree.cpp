#include "orchard/model/tree.hpp"

#include <cmath>

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::model {
namespace {

[[noreturn]] void refuse(std::string message) { throw Error(ErrorKind::kData, std::move(message)); }

[[noreturn]] void refuse_node(std::size_t node, const std::string& message) {
  refuse(format("node {} of a tree {}", node, message));
}

void check_sizes(const Tree& tree, std::size_t n_values) {
  const std::size_t n = tree.n_nodes();
  if (n == 0) refuse("a tree has no nodes");
  if (n > static_cast<std::size_t>(INT32_MAX)) refuse(format("a tree has {} nodes", n));
  const bool is_even = tree.threshold.size() == n && tree.left.size() == n &&
                       tree.flags.size() == n && tree.value_row.size() == n &&
                       tree.n_samples.size() == n && tree.gain.size() == n &&
                       (tree.category_begin.empty() || tree.category_begin.size() == n) &&
                       tree.category_n_words.size() == tree.category_begin.size() &&
                       (tree.stops.empty() || tree.stops.size() == n);
  if (!is_even) refuse(format("the arrays of a tree differ in length; expected {} entries", n));
  if (n_values == 0 || tree.values.size() % n_values != 0) {
    refuse(format("a tree holds {}: no whole rows of {}", counted(tree.values.size(), "value"),
                  n_values));
  }
}

void check_categories(const Tree& tree, std::size_t node) {
  const bool is_categorical = (tree.flags[node] & Tree::kCategorical) != 0;
  if (tree.category_begin.empty()) {
    if (is_categorical) refuse_node(node, "is categorical but has no levels");
    return;
  }
  const std::int64_t begin = tree.category_begin[node];
  const std::int64_t n_words = tree.category_n_words[node];
  if (!is_categorical) {
    if (begin != -1 || n_words != 0) refuse_node(node, "has levels but is not categorical");
    return;
  }
  const auto n_all = static_cast<std::int64_t>(tree.category_words.size());
  if (begin < 0 || n_words < 0 || begin > n_all || n_words > n_all - begin) {
    refuse_node(node, format("has levels in words {} to {} of {}", begin, begin + n_words, n_all));
  }
}

void check_node(const Tree& tree, std::size_t node, std::size_t n_features,
                std::size_t n_value_rows) {
  const std::int64_t value_row = tree.value_row[node];
  if (value_row < -1 || value_row >= static_cast<std::int64_t>(n_value_rows)) {
    refuse_node(node, format("has value row {} of {}", value_row, n_value_rows));
  }
  if ((tree.flags[node] & ~(Tree::kMissingLeft | Tree::kCategorical)) != 0) {
    refuse_node(node, format("has unknown flags {}", tree.flags[node]));
  }
  if (!std::isfinite(tree.threshold[node])) refuse_node(node, "has a threshold that is not finite");
  if (!std::isfinite(tree.gain[node])) refuse_node(node, "has a gain that is not finite");
  check_categories(tree, node);
  const bool is_stop = !tree.stops.empty() && tree.stops[node] != 0;
  const std::int64_t left = tree.left[node];
  if (left == -1) {
    if (tree.feature[node] != -1) refuse_node(node, "is a leaf but has a feature");
    if (value_row < 0) refuse_node(node, "is a leaf without a value");
    return;
  }
  if (is_stop && value_row < 0) refuse_node(node, "stops a readout but has no value");
  const std::int64_t feature = tree.feature[node];
  if (feature < 0 || feature >= static_cast<std::int64_t>(n_features)) {
    refuse_node(node, format("splits feature {} of {}", feature, n_features));
  }
  const auto n_nodes = static_cast<std::int64_t>(tree.n_nodes());
  if (left <= static_cast<std::int64_t>(node) || left + 1 >= n_nodes) {
    refuse_node(node, format("has children {} and {} of {} nodes", left, left + 1, n_nodes));
  }
}

}  // namespace

void Tree::validate(std::size_t n_features, std::size_t n_values) const {
  check_sizes(*this, n_values);
  std::vector<bool> has_parent(n_nodes());
  std::size_t n_children = 0;
  for (std::size_t node = 0; node < n_nodes(); ++node) {
    check_node(*this, node, n_features, values.size() / n_values);
    if (left[node] < 0) continue;
    const auto child = static_cast<std::size_t>(left[node]);
    if (has_parent[child] || has_parent[child + 1]) {
      refuse_node(node, "shares a child with another node");
    }
    has_parent[child] = has_parent[child + 1] = true;
    n_children += 2;
  }
  if (n_children + 1 != n_nodes()) refuse("a tree has nodes that cannot be reached");
}

}  // namespace orchard::model
