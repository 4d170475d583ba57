#pragma once
// What a model expects of its inputs: the agreement between a table and the trees grown on it.

#include <string>
#include <vector>

#include "orchard/base/types.hpp"

namespace orchard::model {

enum class FeatureKind : std::uint8_t { kNumeric = 0, kCategorical = 1 };

struct Feature {
  std::string name;
  FeatureKind kind = FeatureKind::kNumeric;
  /// Categorical: the level texts, sorted bytewise; a level's id is its place here.
  std::vector<std::string> levels;
  bool operator==(const Feature&) const = default;
};

struct Schema {
  std::vector<Feature> features;
  std::string target;
  Task task = Task::kClassification;
  /// Classification: class labels in order (numerically when all are numbers, else bytewise). For
  /// two classes the second is the positive one.
  std::vector<std::string> classes;
  bool operator==(const Schema&) const = default;

  std::size_t n_features() const { return features.size(); }
  std::size_t n_classes() const { return classes.size(); }
};

}  // namespace orchard::model
