#pragma once
// One task on one rank: grows the fit unit by unit and turns it into a result. The same bytes on
// any rank.

#include <memory>
#include <string>
#include <vector>

#include "orchard/search/judge.hpp"
#include "orchard/search/plan.hpp"
#include "orchard/search/snapshot.hpp"

namespace orchard::search {

/// What all tasks of a job have in common. Borrowed.
struct TaskContext {
  const std::vector<Family>& families;  ///< of the phase the task belongs to
  const model::Schema& schema;
  const std::vector<std::string>& scorers;
  const FoldSource& folds;
  std::uint64_t random_state;
  parallel::Pool& pool;
};

/// Local. Uses the pool's threads inside `step` and `result`; both may throw Stopped, after which
/// `units` still holds every finished unit.
class TaskRunner {
 public:
  /// `units`: what an earlier run of this task has finished.
  TaskRunner(const TaskContext& context, const TaskSpec& task, std::vector<model::Unit> units);
  ~TaskRunner();

  /// True when all units are there, or the next one cannot be grown.
  bool is_done() const;
  /// Grows more units.
  void step();
  const std::vector<model::Unit>& units() const;
  /// Cross-validation: scores of a whole fit, or sums of a block. Refit: the units. Where a unit
  /// could not be grown, members of a whole fit that do without it have their scores.
  TaskResult result();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace orchard::search
