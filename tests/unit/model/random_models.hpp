#pragma once
// Random ensembles and rows of every kind that a model file may hold.

#include <algorithm>
#include <limits>
#include <random>

#include "orchard/base/text.hpp"
#include "orchard/model/ensemble.hpp"

namespace orchard::model {

struct RandomModel {
  std::size_t n_trees = 10;
  std::size_t n_leaves = 31;
  std::size_t n_numeric = 5;
  std::size_t n_categorical = 2;
  std::uint32_t n_levels = 40;     ///< of each categorical feature
  std::size_t n_thresholds = 100;  ///< distinct ones a numeric feature
  std::size_t n_classes = 2;       ///< 0: regression
  Combine combine = Combine::kAverage;
  std::int64_t greatest_value = std::int64_t{1} << 40;
  bool has_odd_values = true;  ///< rows: missing, infinite and other values no threshold is near
  bool is_chain = false;       ///< each right child is split next: the deepest tree
};

using Random = std::mt19937_64;

inline std::uint64_t below(Random& random, std::uint64_t n) { return random() % n; }

/// Thresholds of feature f: unevenly spread, with both signs and zero.
inline float threshold(std::size_t f, std::size_t i) {
  const float x = static_cast<float>(i) - 20.0F;
  return f % 2 == 0 ? 0.37F * x : 0.01F * x * x * x;
}

inline void make_split(Tree& tree, std::size_t node, const RandomModel& spec, Random& random) {
  const auto f = below(random, spec.n_numeric + spec.n_categorical);
  tree.feature[node] = static_cast<std::int32_t>(f);
  tree.flags[node] = below(random, 2) == 0 ? Tree::kMissingLeft : 0;
  if (f < spec.n_numeric) {
    tree.threshold[node] = threshold(f, below(random, spec.n_thresholds));
    return;
  }
  tree.flags[node] |= Tree::kCategorical;
  tree.category_begin[node] = static_cast<std::int32_t>(tree.category_words.size());
  const auto n_words = below(random, (spec.n_levels + 31) / 32 + 1);
  tree.category_n_words[node] = static_cast<std::int32_t>(n_words);
  for (std::uint64_t i = 0; i < n_words; ++i) {
    tree.category_words.push_back(static_cast<std::uint32_t>(random()));
  }
}

inline void append_leaf(Tree& tree) {
  tree.feature.push_back(-1);
  tree.threshold.push_back(0);
  tree.left.push_back(-1);
  tree.flags.push_back(0);
  tree.value_row.push_back(-1);
  tree.n_samples.push_back(1);
  tree.gain.push_back(0);
  tree.category_begin.push_back(-1);
  tree.category_n_words.push_back(0);
}

inline Tree random_tree(const RandomModel& spec, std::size_t n_values, Random& random) {
  Tree tree;
  append_leaf(tree);
  std::vector<std::size_t> leaves{0};
  while (leaves.size() < spec.n_leaves) {
    const auto pick = spec.is_chain ? leaves.size() - 1 : below(random, leaves.size());
    const std::size_t node = leaves[pick];
    make_split(tree, node, spec, random);
    tree.left[node] = static_cast<NodeIndex>(tree.n_nodes());
    leaves[pick] = tree.n_nodes();
    leaves.push_back(tree.n_nodes() + 1);
    append_leaf(tree);
    append_leaf(tree);
  }
  std::int32_t n_rows = 0;
  for (std::size_t node = 0; node < tree.n_nodes(); ++node) {
    if (tree.left[node] < 0) tree.value_row[node] = n_rows++;
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(n_rows) * n_values; ++i) {
    const auto width = static_cast<std::uint64_t>(spec.greatest_value);
    tree.values.push_back(static_cast<std::int64_t>(below(random, width)) -
                          spec.greatest_value / 2);
  }
  return tree;
}

inline Ensemble random_ensemble(const RandomModel& spec, std::uint64_t seed) {
  Random random(seed);
  Ensemble ensemble;
  for (std::size_t f = 0; f < spec.n_numeric; ++f) {
    ensemble.schema.features.push_back({format("x{}", f), FeatureKind::kNumeric, {}});
  }
  for (std::size_t f = 0; f < spec.n_categorical; ++f) {
    ensemble.schema.features.push_back({format("c{}", f), FeatureKind::kCategorical, {}});
    for (std::uint32_t level = 0; level < spec.n_levels; ++level) {
      ensemble.schema.features.back().levels.push_back(format("{:04}", level));
    }
  }
  ensemble.schema.target = "y";
  ensemble.schema.task = spec.n_classes == 0 ? Task::kRegression : Task::kClassification;
  for (std::size_t c = 0; c < spec.n_classes; ++c) {
    ensemble.schema.classes.push_back(format("{}", c));
  }
  ensemble.estimator = "Random";
  ensemble.combine = spec.combine;
  const bool is_one = spec.n_classes == 0 || (spec.combine == Combine::kSum && spec.n_classes == 2);
  ensemble.n_outputs = is_one ? 1 : static_cast<std::int32_t>(spec.n_classes);
  ensemble.value_exponent = -40;
  ensemble.baseline.assign(static_cast<std::size_t>(ensemble.n_outputs), 0);
  for (std::size_t i = 0; i < spec.n_trees; ++i) {
    ensemble.trees.push_back(random_tree(spec, ensemble.n_values(), random));
  }
  ensemble.validate();
  return ensemble;
}

/// Rows as columns: thresholds themselves, values beside them, far away, infinite, missing; levels
/// known, unseen, missing, and no level at all.
struct RandomRows {
  std::vector<std::vector<float>> memory;
  FeatureColumns data;

  RandomRows(const RandomModel& spec, std::size_t n_rows, std::uint64_t seed) {
    Random random(seed);
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    for (std::size_t f = 0; f < spec.n_numeric + spec.n_categorical; ++f) {
      auto& column = memory.emplace_back();
      for (std::size_t row = 0; row < n_rows; ++row) {
        const bool is_rare = spec.has_odd_values && below(random, 16) == 0;
        const float odd[] = {std::numeric_limits<float>::quiet_NaN(),
                             kInfinity,
                             -kInfinity,
                             -1.0F,
                             300.0F,
                             3e38F,
                             -0.0F,
                             0.5F};
        if (is_rare) {
          column.push_back(odd[below(random, 8)]);
        } else if (f < spec.n_numeric) {
          const float at = threshold(f, below(random, spec.n_thresholds));
          const float near[] = {at, std::nextafter(at, kInfinity), std::nextafter(at, -kInfinity)};
          column.push_back(near[below(random, 3)]);
        } else {
          column.push_back(static_cast<float>(below(random, spec.n_levels)));
        }
      }
    }
    for (const auto& column : memory) data.columns.push_back(column.data());
    data.n_rows = static_cast<RowIndex>(n_rows);
  }
};

}  // namespace orchard::model
