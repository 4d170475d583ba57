#include "forest_tree_builder.hpp"

#include "orchard/base/error.hpp"

namespace orchard::learn {

void TreeBuilder::start() {
  tree_ = {};
  values_.clear();
  append_node();
}

void TreeBuilder::append_node() {
  tree_.feature.push_back(-1);
  tree_.threshold.push_back(0);
  tree_.left.push_back(-1);
  tree_.flags.push_back(0);
  tree_.value_row.push_back(-1);
  tree_.n_samples.push_back(0);
  tree_.gain.push_back(0);
  tree_.category_begin.push_back(-1);
  tree_.category_n_words.push_back(0);
  tree_.stops.push_back(0);
}

void TreeBuilder::visit(NodeIndex node, std::uint32_t n_rows, std::uint64_t stops,
                        std::span<const std::int64_t> value) {
  const auto i = static_cast<std::size_t>(node);
  tree_.n_samples[i] = n_rows;
  tree_.stops[i] = stops;
  if (stops != 0) tree_.value_row[i] = values_.row(value);
}

NodeIndex TreeBuilder::split(NodeIndex node, const Split& split, int cut,
                             const data::FeatureBins& bins, double decrease) {
  if (tree_.n_nodes() + 2 > static_cast<std::size_t>(std::numeric_limits<NodeIndex>::max())) {
    throw Error(ErrorKind::kData, "a tree has too many nodes; set max_depth or min_samples_leaf");
  }
  const auto i = static_cast<std::size_t>(node);
  const auto left = static_cast<NodeIndex>(tree_.n_nodes());
  tree_.feature[i] = static_cast<std::int32_t>(split.feature);
  tree_.left[i] = left;
  tree_.gain[i] = decrease;
  if (split.is_missing_left) tree_.flags[i] |= model::Tree::kMissingLeft;
  if (split.is_categorical) {
    tree_.flags[i] |= model::Tree::kCategorical;
    write_levels(i, split, bins);
  } else {
    tree_.threshold[i] = cut < bins.n_bins - 1 ? bins.cuts[static_cast<std::size_t>(cut)]
                                               : std::numeric_limits<float>::max();
  }
  append_node();
  append_node();
  return left;
}

/// One bit a level; words at the end in which all levels follow missing are left out.
void TreeBuilder::write_levels(std::size_t node, const Split& split,
                               const data::FeatureBins& bins) {
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
  tree_.category_begin[node] = static_cast<std::int32_t>(tree_.category_words.size());
  tree_.category_n_words[node] = static_cast<std::int32_t>(words.size());
  tree_.category_words.insert(tree_.category_words.end(), words.begin(), words.end());
}

model::Tree TreeBuilder::finish() {
  tree_.values = values_.values();
  return std::move(tree_);
}

}  // namespace orchard::learn
