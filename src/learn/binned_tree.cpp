#include "binned_tree.hpp"

#include <algorithm>
#include <limits>

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::learn {

BinnedTree::BinnedTree(const model::Tree& tree, const data::Binning& binning) {
  nodes_.resize(tree.n_nodes());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = nodes_[i];
    node.left = tree.left[i];
    node.has_stop = !tree.stops.empty() && tree.stops[i] != 0;
    if (node.left < 0) continue;
    node.feature = tree.feature[i];
    const auto& bins = binning.features.at(static_cast<std::size_t>(node.feature));
    if ((tree.flags[i] & model::Tree::kCategorical) != 0) {
      set_categorical(node, tree, i, bins);
    } else {
      set_numeric(node, tree.threshold[i], (tree.flags[i] & model::Tree::kMissingLeft) != 0, bins);
    }
  }
}

void BinnedTree::set_numeric(Node& node, float threshold, bool is_missing_left,
                             const data::FeatureBins& bins) {
  auto cut = static_cast<std::ptrdiff_t>(bins.cuts.size());  // past the last: all but missing
  if (threshold != std::numeric_limits<float>::max()) {
    const auto found = std::lower_bound(bins.cuts.begin(), bins.cuts.end(), threshold);
    if (found == bins.cuts.end() || *found != threshold) {
      throw Error(ErrorKind::kData,
                  format("a tree splits feature {} at {}, which is none of its {} cuts",
                         node.feature, print_double(threshold), bins.cuts.size()));
    }
    cut = found - bins.cuts.begin();
  }
  const int n_right = bins.missing_bin() - static_cast<int>(cut) - (is_missing_left ? 1 : 0);
  node.first_right = static_cast<Bin>(cut + 1);
  node.n_right = static_cast<Bin>(n_right);
}

void BinnedTree::set_categorical(Node& node, const model::Tree& tree, std::size_t index,
                                 const data::FeatureBins& bins) {
  const bool is_missing_left = (tree.flags[index] & model::Tree::kMissingLeft) != 0;
  const auto begin = static_cast<std::size_t>(tree.category_begin[index]);
  const auto n_levels = static_cast<std::size_t>(tree.category_n_words[index]) * 32;
  BinSet right{};
  if (!is_missing_left) right.fill(~std::uint64_t{0});
  for (int bin = 0; bin < bins.n_bins; ++bin) {
    const std::size_t level = bins.level_of_bin[static_cast<std::size_t>(bin)];
    if (level >= n_levels) continue;  // goes where missing goes
    const auto bit = std::uint64_t{1} << (bin % 64);
    auto& word = right[static_cast<std::size_t>(bin) / 64];
    const bool is_left = (tree.category_words[begin + level / 32] >> (level % 32) & 1) != 0;
    word = is_left ? word & ~bit : word | bit;
  }
  node.set = static_cast<std::int32_t>(sets_.size());
  sets_.push_back(right);
}

model::CodeTree BinnedTree::code_tree(const model::Tree& tree, const data::Binning& binning) const {
  constexpr int kMissingCode = 255;
  model::CodeTree codes(tree, binning.features.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    if (node.left < 0) continue;
    const auto feature = static_cast<std::size_t>(node.feature);
    const int missing = binning.features[feature].missing_bin();
    if (node.set == 0) {
      const bool is_missing_left = node.first_right + node.n_right == missing;
      codes.split(tree, i, feature, static_cast<Bin>(node.first_right - 1), is_missing_left);
      continue;
    }
    BinSet right = sets_[static_cast<std::size_t>(node.set)];
    auto& last_word = right[kMissingCode / 64];
    const bool is_missing_right = goes_right(node, static_cast<Bin>(missing));
    constexpr auto kMissingBit = std::uint64_t{1} << (kMissingCode % 64);
    last_word = is_missing_right ? last_word | kMissingBit : last_word & ~kMissingBit;
    codes.split(tree, i, feature, right);
  }
  return codes;
}

}  // namespace orchard::learn
