#pragma once
// Random forests on binned data (Breiman 2001), with scikit-learn's counting and the rules of
// docs/rules.md: integer counts, addressed bootstrap and feature order, learned missing direction,
// categorical splits by sorted statistic.

#include <algorithm>

#include "orchard/learn/fit.hpp"
#include "orchard/options/learner_settings.hpp"

namespace orchard::learn {

/// A way to stop earlier than the grown tree does. The readout of a cut stops at the first node on
/// the path that is max_depth deep, has fewer than min_samples_split rows, or whose split gains
/// less than min_impurity_decrease. Members of a family differ in nothing else but the number of
/// trees.
struct Cut {
  std::optional<std::int64_t> max_depth;
  std::int64_t min_samples_split = 2;
  double min_impurity_decrease = 0;
  bool operator==(const Cut&) const = default;
};
inline constexpr std::size_t kMaxCuts = 64;
/// Leaf sizes (min_samples_leaf) whose trees are grown side by side: one is no pruning of another,
/// but most of their nodes are the same.
inline constexpr std::size_t kMaxLeafSizes = 16;

/// Cut of one setting, with fractions resolved against the number of training rows.
Cut cut_of(const options::ForestSettings& settings, RowIndex n_train);

/// Trees, of one leaf size or several, that a group of `n_threads` threads in all grows side by
/// side between two ends of units: enough to occupy them, few enough that a stop is near. Their
/// rows lie with the ranks twice meanwhile.
inline std::size_t trees_a_group_step(std::size_t n_rows, std::size_t n_features,
                                      std::size_t n_threads) {
  // Of a thread.
  constexpr std::size_t kRowsAStep = std::size_t{1} << 20;
  constexpr std::size_t kBytesAStep = std::size_t{64} << 20;
  const std::size_t n_bytes = n_rows * (n_features + sizeof(RowIndex));
  return std::max<std::size_t>(
      1, std::min(n_threads * kRowsAStep / n_rows, n_threads * kBytesAStep / n_bytes));
}

class ForestFit : public Fit {
 public:
  /// Grows trees [first_tree, last_tree) of one forest a leaf size; a tree depends on its number
  /// and its leaf size, not on the range nor on other leaf sizes. `settings` gives everything but
  /// what the cuts and the leaf sizes say; a node where every cut has stopped is a leaf. `cuts`: 1
  /// .. kMaxCuts. `leaf_sizes`: at most kMaxLeafSizes, in any order; none: that of `settings`.
  ForestFit(const FitContext& context, const options::ForestSettings& settings,
            std::vector<Cut> cuts, int first_tree, int last_tree,
            const std::vector<options::CountOrFraction>& leaf_sizes = {});
  ~ForestFit() override;

  bool is_done() const override;
  void advance() override;
  /// A unit is one tree: those of one number side by side, one a leaf size in the order given.
  const std::vector<model::Unit>& units() const override;
  /// Leaves out the units at the end whose number is not there for every leaf size.
  void restore(std::vector<model::Unit> units) override;
  /// Tree numbers that are finished.
  std::size_t n_trees() const;

  ModelFrame frame() const;

  /// Adds the values of a leaf size's finished trees [first, last) (numbers within this range) at
  /// every cut, for every own test row: `sums` has shape [n_cuts][n_test][n_outputs]. One walk a
  /// tree and row.
  void read_out(std::size_t leaf_size, std::size_t first, std::size_t last,
                std::span<std::int64_t> sums);
  /// What read_out gives for all test rows of the fold, [n_cuts][test_share.n][n_outputs], from the
  /// `sums` of each member's own ones. Collective over the context's group.
  std::vector<std::int64_t> sums_of_group(std::span<const std::int64_t> sums) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The tree as cut `cut` reads it: nodes below its stops removed, no `stops` array. What a separate
/// fit with that cut alone would have grown, bit for bit.
model::Tree apply_cut(const model::Tree& tree, std::size_t cut);

}  // namespace orchard::learn
