#pragma once
// Random tables, settings and cuts.

#include <array>
#include <random>

#include "forest/table.hpp"
#include "orchard/learn/forest.hpp"

namespace orchard::learn {

inline std::vector<Cut> random_cuts(std::mt19937_64& random, std::size_t n_cuts,
                                    bool is_regression) {
  std::vector<Cut> cuts;
  for (std::size_t i = 0; i < n_cuts; ++i) {
    Cut cut;
    if (random() % 2) cut.max_depth = static_cast<std::int64_t>(random() % 9);
    if (random() % 2) cut.min_samples_split = static_cast<std::int64_t>(2 + random() % 30);
    if (random() % 2) {
      const double scale = is_regression ? 0.02 : 0.004;
      cut.min_impurity_decrease = scale * static_cast<double>(random() % 10);
    }
    cuts.push_back(cut);
  }
  return cuts;
}

inline TableSpec random_spec(std::mt19937_64& random) {
  TableSpec spec;
  spec.n_train = static_cast<RowIndex>(60 + random() % 200);
  spec.n_numeric = 2 + random() % 3;
  spec.n_categorical = random() % 3;
  spec.n_classes = std::array<std::size_t, 4>{0, 2, 3, 6}[random() % 4];
  spec.max_bins = static_cast<int>(2 + random() % 20);
  spec.has_missing = random() % 2;
  spec.has_weights = random() % 2;
  return spec;
}

inline options::ForestSettings random_settings(std::mt19937_64& random, const TableSpec& spec) {
  options::ForestSettings settings;
  settings.bootstrap = random() % 4 != 0;
  settings.min_samples_leaf = static_cast<std::int64_t>(1 + random() % 3);
  if (spec.n_classes == 0) {
    settings.criterion = options::Criterion::kSquaredError;
    return settings;
  }
  if (random() % 3 == 0) settings.criterion = options::Criterion::kEntropy;
  settings.class_weight = static_cast<options::ClassWeight>(random() % 3);
  return settings;
}

}  // namespace orchard::learn
