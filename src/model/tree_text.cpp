#include "orchard/model/tree_text.hpp"

#include <cmath>

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::model {
namespace {

constexpr std::size_t kMaxNames = 8;  ///< levels or classes named on one line

std::string print_levels(const Tree& tree, std::size_t node, const Feature& feature) {
  std::vector<std::string> names;
  const auto n_bits = static_cast<std::size_t>(tree.category_n_words[node]) * 32;
  const bool is_missing_left = (tree.flags[node] & Tree::kMissingLeft) != 0;
  std::size_t n_left = 0;
  for (std::size_t level = 0; level < feature.levels.size(); ++level) {
    bool is_left = is_missing_left;
    if (level < n_bits) {
      const auto word = static_cast<std::size_t>(tree.category_begin[node]) + level / 32;
      is_left = (tree.category_words[word] >> (level % 32) & 1) != 0;
    }
    if (!is_left) continue;
    if (++n_left <= kMaxNames) names.push_back(escape(feature.levels[level]));
  }
  if (n_left > kMaxNames) names.push_back(format("{} more", n_left - kMaxNames));
  return format("{{{}}}", join(names, ", "));
}

std::string print_split(const Ensemble& ensemble, const Tree& tree, std::size_t node) {
  const Feature& feature = ensemble.schema.features[static_cast<std::size_t>(tree.feature[node])];
  const char* missing = (tree.flags[node] & Tree::kMissingLeft) != 0 ? "left" : "right";
  const std::string test = (tree.flags[node] & Tree::kCategorical) != 0
                               ? format("in {}", print_levels(tree, node, feature))
                               : format("<= {}", tree.threshold[node]);
  return format("{} {}, missing {}  (rows {}, gain {:.6g})", escape(feature.name), test, missing,
                tree.n_samples[node], tree.gain[node]);
}

std::string print_value(const Ensemble& ensemble, const Tree& tree, std::size_t node) {
  const std::size_t n_values = ensemble.n_values();
  const auto first = static_cast<std::size_t>(tree.value_row[node]) * n_values;
  std::vector<std::string> parts;
  std::size_t n_parts = 0;
  for (std::size_t k = 0; k < n_values; ++k) {
    const std::int64_t value = tree.values[first + k];
    const double number = std::ldexp(static_cast<double>(value), ensemble.value_exponent);
    if (n_values == 1) return format("{:.6g}  (rows {})", number, tree.n_samples[node]);
    if (value == 0 || ++n_parts > kMaxNames) continue;
    parts.push_back(format("{}: {:.4g}", escape(ensemble.schema.classes[k]), number));
  }
  if (n_parts > kMaxNames) parts.push_back(format("{} more", n_parts - kMaxNames));
  return format("{}  (rows {})", join(parts, ", "), tree.n_samples[node]);
}

}  // namespace

std::string print_tree(const Ensemble& ensemble, std::size_t tree, int max_depth) {
  if (tree >= ensemble.trees.size()) {
    throw Error(ErrorKind::kUsage, format("there is no tree {}; the model has {}, counted from 0",
                                          tree, ensemble.trees.size()));
  }
  const Tree& nodes = ensemble.trees[tree];
  struct Item {
    std::size_t node;
    int depth;
  };
  std::vector<Item> stack{{0, 0}};
  std::string text;
  while (!stack.empty()) {
    const auto [node, depth] = stack.back();
    stack.pop_back();
    text += std::string(static_cast<std::size_t>(depth) * 2, ' ');
    if (nodes.left[node] < 0) {
      text += print_value(ensemble, nodes, node);
    } else {
      text += print_split(ensemble, nodes, node);
      const auto left = static_cast<std::size_t>(nodes.left[node]);
      if (depth >= max_depth) {
        text += " ...";
      } else {
        stack.push_back({left + 1, depth + 1});
        stack.push_back({left, depth + 1});
      }
    }
    text += '\n';
  }
  return text;
}

}  // namespace orchard::model
