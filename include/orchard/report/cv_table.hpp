#pragma once
// The search's table for programs (cv_results.csv) and for people (the terminal).

#include <string>

#include "orchard/search/results.hpp"

namespace orchard::report {

/// The text of cv_results.csv: exactly the columns of scikit-learn's `cv_results_`, so that code
/// written for GridSearchCV reads it unchanged. The estimator is the parameter `param_estimator`; a
/// parameter that a point's sub-grid does not have is empty; None is written as such.
std::string cv_results_csv(const search::Results& results);

/// Whether a column of cv_results.csv holds times.
bool is_timing_column(const std::string& column);

/// The best points, best first, at most `max_points`, one line each, with a header.
std::string ranking_table(const search::Results& results, std::size_t max_points);

}  // namespace orchard::report
