#include "forest/tree_builder.hpp"

#include <limits>

#include "orchard/base/error.hpp"

namespace orchard::learn {

void TreeBuilder::start() {
  nodes_.assign(1, {});
  waiting_.assign(1, 0);
  category_words_.clear();
  has_categories_ = false;
  values_.clear();
}

void TreeBuilder::visit(std::uint32_t n_rows, std::uint64_t stops,
                        std::span<const std::int64_t> value) {
  visit(n_rows, stops, stops != 0 ? values_.row(value) : -1);
}

void TreeBuilder::visit(std::uint32_t n_rows, std::uint64_t stops, std::int32_t value_row) {
  visited_ = waiting_.back();
  waiting_.pop_back();
  Node& here = visited();
  here.n_samples = n_rows;
  here.stops = stops;
  here.value_row = value_row;
}

void TreeBuilder::split(const Split& split, int cut, const data::FeatureBins& bins,
                        double decrease) {
  if (!split.is_categorical) {
    return split_numeric(split.feature, cut, bins, split.is_missing_left, decrease);
  }
  Node& here = visited();
  here.feature = static_cast<std::int32_t>(split.feature);
  here.gain = decrease;
  here.flags = model::Tree::kCategorical;
  has_categories_ = true;
  if (split.is_missing_left) here.flags |= model::Tree::kMissingLeft;
  write_levels(here, split, bins);
  append_children();
}

void TreeBuilder::split_numeric(FeatureIndex feature, int cut, const data::FeatureBins& bins,
                                bool is_missing_left, double decrease) {
  Node& here = visited();
  here.feature = static_cast<std::int32_t>(feature);
  here.gain = decrease;
  here.flags = is_missing_left ? model::Tree::kMissingLeft : 0;
  here.threshold = cut < bins.n_bins - 1 ? bins.cuts[static_cast<std::size_t>(cut)]
                                         : std::numeric_limits<float>::max();
  append_children();
}

void TreeBuilder::append_children() {
  if (nodes_.size() + 2 > static_cast<std::size_t>(std::numeric_limits<NodeIndex>::max())) {
    throw Error(ErrorKind::kData, "a tree has too many nodes; set max_depth or min_samples_leaf");
  }
  const auto left = static_cast<NodeIndex>(nodes_.size());
  visited().left = left;
  waiting_.push_back(left + 1);
  waiting_.push_back(left);
  nodes_.resize(nodes_.size() + 2);
}

/// One bit a level; words at the end in which all levels follow missing are left out.
void TreeBuilder::write_levels(Node& node, const Split& split, const data::FeatureBins& bins) {
  const std::size_t n_levels = schema_.features[split.feature].levels.size();
  const std::uint32_t others = split.is_missing_left ? ~std::uint32_t{0} : 0;
  std::vector<std::uint32_t> words((n_levels + 31) / 32, others);
  for (int bin = 0; bin < bins.n_bins; ++bin) {
    const std::uint32_t level = bins.level_of_bin[static_cast<std::size_t>(bin)];
    const std::uint32_t bit = std::uint32_t{1} << (level % 32);
    if (split.left.contains(static_cast<Bin>(bin))) words[level / 32] |= bit;
    if (split.right.contains(static_cast<Bin>(bin))) words[level / 32] &= ~bit;
  }
  while (!words.empty() && words.back() == others) words.pop_back();
  node.category_begin = static_cast<std::int32_t>(category_words_.size());
  node.category_n_words = static_cast<std::int32_t>(words.size());
  category_words_.insert(category_words_.end(), words.begin(), words.end());
}

void TreeBuilder::graft(const model::Tree& tree) {
  std::vector<NodeIndex> waiting = {0};
  while (!waiting.empty()) {
    const auto node = static_cast<std::size_t>(waiting.back());
    waiting.pop_back();
    const std::uint64_t stops = tree.stops.empty() ? 0 : tree.stops[node];
    visit(tree.n_samples[node], stops, values_.row_of(tree.values, tree.value_row[node]));
    if (tree.left[node] < 0) continue;
    Node& here = visited();
    here.feature = tree.feature[node];
    here.threshold = tree.threshold[node];
    here.flags = tree.flags[node];
    here.gain = tree.gain[node];
    if ((here.flags & model::Tree::kCategorical) != 0) graft_levels(tree, node, here);
    append_children();
    waiting.push_back(tree.left[node] + 1);
    waiting.push_back(tree.left[node]);
  }
}

void TreeBuilder::graft_levels(const model::Tree& tree, std::size_t from, Node& to) {
  const auto words = tree.category_words.begin() + tree.category_begin[from];
  const auto begin = category_words_.size();
  category_words_.insert(category_words_.end(), words, words + tree.category_n_words[from]);
  to.category_begin = static_cast<std::int32_t>(begin);
  to.category_n_words = tree.category_n_words[from];
  has_categories_ = true;
}

model::PackedTree TreeBuilder::finish() {
  model::PackedTree tree(nodes_, has_stops_, has_categories_);
  if (has_categories_) tree.category_words = category_words_;
  tree.values = values_.values();
  return tree;
}

}  // namespace orchard::learn
