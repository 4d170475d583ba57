#pragma once
// The table of a finished search: what cv_results.csv, results.h5 and the terminal show.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "orchard/options/learner_settings.hpp"

namespace orchard::search {

struct PointResult {
  std::int32_t id = 0;
  std::string grid;  ///< name of the sub-grid
  options::Estimator estimator = options::Estimator::kRandomForestClassifier;
  std::vector<options::Param> params;  ///< the axes of its sub-grid, in written order
  std::string failure;                 ///< first failed fit's reason; empty when all fits are fine
  std::string undefined{};  ///< why the first undefined score of a fine fit is NaN; or empty
};

/// Arrays are row-major.
struct Results {
  std::vector<std::string> scorers;
  std::int32_t n_splits = 0;
  std::vector<PointResult> points;
  std::vector<double> split_scores;  ///< [n_points][n_scorers][n_splits]
  std::vector<double> mean_scores;   ///< [n_points][n_scorers]
  std::vector<double> std_scores;    ///< [n_points][n_scorers], divided by n
  std::vector<std::int32_t> ranks;   ///< [n_points][n_scorers], 1 is best; ties share the least
  std::string refit;                 ///< scorer, or "none"
  std::optional<std::int32_t> best;  ///< point with the first rank 1 of `refit`
  // Timing: the only part that differs between equal runs.
  std::vector<double> fit_s;    ///< [n_points][n_splits]
  std::vector<double> score_s;  ///< [n_points][n_splits]
};

/// Mean and standard deviation (divided by n) in the order given; NaN in, NaN out.
struct MeanAndStd {
  double mean = 0, std = 0;
};
MeanAndStd mean_and_std(std::span<const double> values);

}  // namespace orchard::search
