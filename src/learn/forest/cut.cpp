// A shared tree as one of its cuts reads it.

#include <algorithm>

#include "forest/values.hpp"
#include "orchard/base/error.hpp"
#include "orchard/learn/forest.hpp"

namespace orchard::learn {
namespace {

/// Copies what a node has whatever becomes of it.
void append_leaf(const model::Tree& from, std::size_t node, model::Tree& to) {
  to.feature.push_back(-1);
  to.threshold.push_back(0);
  to.left.push_back(-1);
  to.flags.push_back(0);
  to.value_row.push_back(-1);
  to.n_samples.push_back(from.n_samples[node]);
  to.gain.push_back(0);
  if (from.category_begin.empty()) return;
  to.category_begin.push_back(-1);
  to.category_n_words.push_back(0);
}

void copy_split(const model::Tree& from, std::size_t node, model::Tree& to, std::size_t copy) {
  to.feature[copy] = from.feature[node];
  to.threshold[copy] = from.threshold[node];
  to.flags[copy] = from.flags[node];
  to.gain[copy] = from.gain[node];
  to.left[copy] = static_cast<NodeIndex>(to.n_nodes());
  const auto left = static_cast<std::size_t>(from.left[node]);
  append_leaf(from, left, to);
  append_leaf(from, left + 1, to);
  if ((from.flags[node] & model::Tree::kCategorical) == 0) return;
  to.category_begin[copy] = static_cast<std::int32_t>(to.category_words.size());
  to.category_n_words[copy] = from.category_n_words[node];
  const auto words = from.category_words.begin() + from.category_begin[node];
  to.category_words.insert(to.category_words.end(), words, words + from.category_n_words[node]);
}

}  // namespace

model::Tree apply_cut(const model::Tree& tree, std::size_t cut) {
  if (tree.stops.empty()) return tree;
  require(tree.stops.size() == tree.n_nodes() && cut < kMaxCuts, "a shared tree has its stops");
  std::size_t n_values = 1;
  for (const auto row : tree.value_row) {
    if (row >= 0) n_values = std::max(n_values, static_cast<std::size_t>(row) + 1);
  }
  const std::size_t width = tree.values.size() / n_values;
  ValueTable values(width);
  model::Tree out;
  append_leaf(tree, 0, out);
  struct Item {
    std::size_t node, copy;
  };
  std::vector<Item> stack{{0, 0}};
  while (!stack.empty()) {
    const auto [node, copy] = stack.back();
    stack.pop_back();
    if ((tree.stops[node] >> cut & 1) != 0) {
      const auto row = static_cast<std::size_t>(tree.value_row[node]);
      out.value_row[copy] = values.row({tree.values.data() + row * width, width});
      continue;
    }
    require(tree.left[node] >= 0, "every cut stops on every path of a shared tree");
    copy_split(tree, node, out, copy);
    const auto left = static_cast<std::size_t>(tree.left[node]);
    const auto left_copy = static_cast<std::size_t>(out.left[copy]);
    stack.push_back({left + 1, left_copy + 1});
    stack.push_back({left, left_copy});
  }
  out.values = values.values();
  if (std::none_of(out.flags.begin(), out.flags.end(),
                   [](auto flags) { return (flags & model::Tree::kCategorical) != 0; })) {
    out.category_begin = {};
    out.category_n_words = {};
  }
  return out;
}

}  // namespace orchard::learn
