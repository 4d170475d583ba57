#pragma once
// Predictions as HDF5: one group a model.

#include <string>
#include <vector>

#include "orchard/base/types.hpp"

namespace orchard::store {

struct PredictedColumn {
  std::string name;                  ///< the model's section name
  std::vector<std::string> classes;  ///< classification: labels, else empty
  bool is_probability = false;
  /// Probabilities [n_rows][n_classes] row-major; class indices or values [n_rows] otherwise.
  std::vector<double> values;
};

/// Writes /NAME/probability [n_rows][n_classes], /NAME/class (indices into /NAME/classes) or
/// /NAME/value [n_rows] for every column, whole or not at all. Throws kOutput.
void save_predictions(const std::string& path, const std::vector<PredictedColumn>& columns);

}  // namespace orchard::store
