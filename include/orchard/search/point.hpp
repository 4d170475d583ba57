#pragma once

#include <string>
#include <vector>

#include "orchard/options/job.hpp"

namespace orchard::search {

/// One grid point: an estimator with one value of every axis of its sub-grid.
struct Point {
  std::int32_t id = 0;
  std::string grid;
  options::Estimator estimator = options::Estimator::kRandomForestClassifier;
  std::vector<options::Param> params;  ///< the axes of its sub-grid, sorted by name
  options::LearnerSettings settings;   ///< params over the defaults
};

/// All points of a job, ids counting from 0: sub-grids in written order; inside one, axes sorted by
/// name and the last varying fastest, as scikit-learn's ParameterGrid does.
std::vector<Point> expand(const std::vector<options::SubGrid>& grids);

}  // namespace orchard::search
