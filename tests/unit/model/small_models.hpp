#pragma once
// Trees small enough to be read.

#include "orchard/base/text.hpp"
#include "orchard/model/ensemble.hpp"

namespace orchard::model {

/// Root: x0 <= 1.5. Left leaf: row 0. Right: x1 in {b}, missing left; its leaves: rows 1 and 2.
/// Features: x0 numeric, x1 with levels a, b, c. Value rows have `n_values` entries.
inline Tree small_tree(std::size_t n_values) {
  Tree tree;
  tree.feature = {0, -1, 1, -1, -1};
  tree.threshold = {1.5F, 0, 0, 0, 0};
  tree.left = {1, -1, 3, -1, -1};
  tree.flags = {0, 0, Tree::kCategorical | Tree::kMissingLeft, 0, 0};
  tree.value_row = {-1, 0, -1, 1, 2};
  tree.n_samples = {10, 4, 6, 1, 5};
  tree.gain = {0.25, 0, 0.125, 0, 0};
  tree.category_begin = {-1, -1, 0, -1, -1};
  tree.category_n_words = {0, 0, 1, 0, 0};
  tree.category_words = {0b010};
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(3 * n_values); ++i) {
    tree.values.push_back(10 * (i + 1));
  }
  return tree;
}

inline Schema small_schema(Task task, std::size_t n_classes) {
  Schema schema;
  schema.features = {{"x0", FeatureKind::kNumeric, {}},
                     {"x1", FeatureKind::kCategorical, {"a", "b", "c"}}};
  schema.target = "y";
  schema.task = task;
  for (std::size_t c = 0; c < n_classes; ++c) {
    schema.classes.push_back(format("class{}", c));
  }
  return schema;
}

inline Ensemble small_forest(std::size_t n_classes) {
  Ensemble ensemble;
  ensemble.schema =
      small_schema(n_classes > 0 ? Task::kClassification : Task::kRegression, n_classes);
  ensemble.estimator = "RandomForest";
  ensemble.n_outputs = static_cast<std::int32_t>(n_classes > 0 ? n_classes : 1);
  ensemble.value_exponent = -3;
  ensemble.baseline.assign(static_cast<std::size_t>(ensemble.n_outputs), 0);
  ensemble.trees = {small_tree(ensemble.n_values())};
  return ensemble;
}

}  // namespace orchard::model
