#pragma once
// What a job knows at any instant: finished task results, and the units of running fits. Nothing
// about ranks or threads. This is what a checkpoint holds.

#include <string>
#include <vector>

#include "orchard/base/bytes.hpp"
#include "orchard/model/unit.hpp"
#include "orchard/search/plan.hpp"

namespace orchard::search {

/// The outcome of one task. Which parts are filled depends on the task: scores for a whole
/// cross-validated fit, sums for a block of a forest's trees, units for a refit.
struct TaskResult {
  std::int32_t task = -1;
  std::string failure;                ///< why nothing came of the task; empty when something did
  std::vector<double> scores;         ///< [n_members][n_scorers], NaN where undefined
  std::vector<std::string> reasons;   ///< as scores: why one is undefined; or empty
  std::vector<std::string> failures;  ///< as MemberScores: members that need what failed
  std::vector<std::int64_t> sums;     ///< [n_leaf_sizes][n_cuts][n_test][n_outputs]
  std::vector<model::Unit> units;
  /// Refits: value exponent and baseline of the model (learn::ModelFrame).
  std::int32_t value_exponent = 0;
  std::vector<std::int64_t> baseline;
  double fit_s = 0, score_s = 0;  ///< timing, never part of a result

  Bytes to_bytes() const;
  static TaskResult from_bytes(ByteSpan bytes);
};

/// A task that was under way, with the units it had finished.
struct RunningTask {
  std::int32_t task = -1;
  double fit_s = 0;
  std::vector<model::Unit> units;

  Bytes to_bytes() const;
  static RunningTask from_bytes(ByteSpan bytes);
};

struct Snapshot {
  std::vector<TaskResult> results;   ///< ascending by task
  std::vector<RunningTask> running;  ///< ascending by task
  Cutting cutting;                   ///< which the numbers of tasks go by
  double elapsed_s = 0;              ///< work time of all runs so far
  std::int32_t n_restarts = 0;
};

Bytes units_to_bytes(const std::vector<model::Unit>& units);
std::vector<model::Unit> units_from_bytes(ByteSpan bytes);

}  // namespace orchard::search
