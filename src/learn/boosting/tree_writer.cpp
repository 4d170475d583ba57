#include "boosting/tree_writer.hpp"

#include <algorithm>
#include <queue>
#include <vector>

#include "boosting/loss.hpp"

namespace orchard::learn::boosting {
namespace {

class Writer {
 public:
  Writer(std::span<GrownNode* const> nodes, const data::Binning& binning,
         const QuantisedGradients& gradients)
      : nodes_(nodes), binning_(binning), gradients_(gradients) {}

  model::Tree write(const options::BoostingSettings& settings, int value_exponent) {
    start();
    number(*nodes_[0]);
    while (!queue_.empty()) {
      GrownNode& node = *queue_.top().node;
      queue_.pop();
      write_split(node);
      const auto left = static_cast<std::size_t>(node.left);
      number(*nodes_[left]);
      number(*nodes_[left + 1]);
    }
    for (const GrownNode* node : by_index_) {
      if (node->left < 0) write_leaf(*node, settings, value_exponent);
    }
    return std::move(tree_);
  }

 private:
  /// Greatest gain first; equal gains: the lower number.
  struct Waiting {
    double gain;
    GrownNode* node;
    bool operator<(const Waiting& other) const {
      return gain != other.gain ? gain < other.gain : node->index > other.node->index;
    }
  };

  void start() {
    const std::size_t n = nodes_.size();
    tree_.feature.assign(n, -1);
    tree_.threshold.assign(n, 0);
    tree_.left.assign(n, -1);
    tree_.flags.assign(n, 0);
    tree_.value_row.assign(n, -1);
    tree_.n_samples.assign(n, 0);
    tree_.gain.assign(n, 0);
    tree_.category_begin.assign(n, -1);
    tree_.category_n_words.assign(n, 0);
    by_index_.reserve(n);
  }

  void number(GrownNode& node) {
    node.index = static_cast<NodeIndex>(by_index_.size());
    by_index_.push_back(&node);
    tree_.n_samples[static_cast<std::size_t>(node.index)] = node.n_rows;
    if (node.left >= 0) queue_.push({node.split.gain, &node});
  }

  void write_split(const GrownNode& node) {
    const auto at = static_cast<std::size_t>(node.index);
    const Split& split = node.split;
    tree_.feature[at] = split.feature;
    tree_.threshold[at] = split.threshold;
    tree_.left[at] = static_cast<NodeIndex>(by_index_.size());
    tree_.flags[at] =
        static_cast<std::uint8_t>((split.is_missing_left ? model::Tree::kMissingLeft : 0) |
                                  (split.is_categorical ? model::Tree::kCategorical : 0));
    tree_.gain[at] =
        split.gain * gradients_.g_quantum * gradients_.g_quantum / gradients_.h_quantum;
    if (!split.is_categorical) return;
    tree_.category_begin[at] = static_cast<std::int32_t>(tree_.category_words.size());
    write_categories(split);
    tree_.category_n_words[at] =
        static_cast<std::int32_t>(tree_.category_words.size()) - tree_.category_begin[at];
  }

  /// Levels that the split does not know go where missing goes.
  void write_categories(const Split& split) {
    const data::FeatureBins& bins = binning_.features[static_cast<std::size_t>(split.feature)];
    std::vector<std::uint32_t> words;
    for (int bin = 0; bin < bins.n_bins; ++bin) {
      if (!contains(split.known, bin)) continue;
      const std::uint32_t level = bins.level_of_bin[static_cast<std::size_t>(bin)];
      words.resize(std::max<std::size_t>(words.size(), level / 32 + 1),
                   split.is_missing_left ? ~std::uint32_t{0} : 0);
      const std::uint32_t bit = std::uint32_t{1} << (level % 32);
      words[level / 32] =
          contains(split.left, bin) ? words[level / 32] | bit : words[level / 32] & ~bit;
    }
    tree_.category_words.insert(tree_.category_words.end(), words.begin(), words.end());
  }

  void write_leaf(const GrownNode& node, const options::BoostingSettings& settings,
                  int value_exponent) {
    const double g = static_cast<double>(node.total.g) * gradients_.g_quantum;
    const double h = static_cast<double>(node.total.h) * gradients_.h_quantum;
    const double value = -settings.learning_rate * (g / (h + settings.l2_regularization));
    tree_.value_row[static_cast<std::size_t>(node.index)] =
        static_cast<std::int32_t>(tree_.values.size());
    tree_.values.push_back(leaf_value(value, value_exponent));
  }

  std::span<GrownNode* const> nodes_;
  const data::Binning& binning_;
  const QuantisedGradients& gradients_;
  model::Tree tree_;
  std::vector<const GrownNode*> by_index_;
  std::priority_queue<Waiting> queue_;
};

}  // namespace

model::Tree write_tree(std::span<GrownNode* const> nodes, const data::Binning& binning,
                       const QuantisedGradients& gradients,
                       const options::BoostingSettings& settings, int value_exponent) {
  return Writer(nodes, binning, gradients).write(settings, value_exponent);
}

}  // namespace orchard::learn::boosting
