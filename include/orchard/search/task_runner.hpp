#pragma once
// One task on one rank: grows the fit unit by unit and turns it into a result. The same bytes on
// any rank.

#include <functional>
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

/// What those who hand out tasks see of one at work. Local. `step` and `result` may throw Stopped,
/// after which `units` still holds every finished unit.
class Runner {
 public:
  virtual ~Runner() = default;
  /// True when all units are there.
  virtual bool is_done() const = 0;
  /// Grows more units. Throws kData when the fit cannot succeed.
  virtual void step() = 0;
  virtual const std::vector<model::Unit>& units() const = 0;
  /// Cross-validation: scores of a whole fit, or sums of a block. Refit: the units (moved out).
  virtual TaskResult result() = 0;
};

/// Makes the runner of a task; `units` are what an earlier run of it has finished.
using RunnerFactory =
    std::function<std::unique_ptr<Runner>(const TaskSpec& task, std::vector<model::Unit> units)>;

/// Grows the fit for real, on the pool's threads.
class TaskRunner final : public Runner {
 public:
  /// `units`: what an earlier run of this task has finished.
  TaskRunner(const TaskContext& context, const TaskSpec& task, std::vector<model::Unit> units);
  ~TaskRunner() override;

  bool is_done() const override;
  void step() override;
  const std::vector<model::Unit>& units() const override;
  TaskResult result() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace orchard::search
