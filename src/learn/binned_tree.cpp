#include "binned_tree.hpp"

#include <algorithm>
#include <limits>

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::learn {
namespace {

/// How many of the ascending values lie below `value`, without a branch that depends on them: each
/// node of a tree asks for another.
std::size_t lower_bound(const std::vector<float>& ascending, float value) {
  std::size_t begin = 0;
  for (std::size_t n = ascending.size(); n > 0;) {
    const std::size_t half = (n + 1) / 2;
    begin += half * static_cast<std::size_t>(ascending[begin + half - 1] < value);
    n -= half;
  }
  return begin;
}

}  // namespace

BinnedTree::BinnedTree(const model::Tree& tree, const data::Binning& binning) {
  nodes_.resize(tree.n_nodes());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = nodes_[i];
    node.left = tree.left[i];
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
    const std::size_t found = lower_bound(bins.cuts, threshold);
    if (found == bins.cuts.size() || bins.cuts[found] != threshold) {
      throw Error(ErrorKind::kData,
                  format("a tree splits feature {} at {}, which is none of its {} cuts",
                         node.feature, print_double(threshold), bins.cuts.size()));
    }
    cut = static_cast<std::ptrdiff_t>(found);
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

}  // namespace orchard::learn
