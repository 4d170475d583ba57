#pragma once
// One task on one rank: grows the fit unit by unit and turns it into a result. The same bytes on
// any rank.

#include <memory>
#include <string>
#include <vector>

#include "orchard/learn/row_group.hpp"
#include "orchard/search/judge.hpp"
#include "orchard/search/plan.hpp"
#include "orchard/search/runner.hpp"
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
  learn::RowGroup* group = nullptr;  ///< the ranks that grow the task with this one, or none
  bool has_shares = false;           ///< `folds` holds the own rows of the group; else all rows
};

/// Grows the fit for real, on the pool's threads.
class TaskRunner final : public Runner {
 public:
  /// `units`: what an earlier run of this task has finished.
  TaskRunner(const TaskContext& context, const TaskSpec& task, std::vector<model::Unit> units);
  ~TaskRunner() override;

  bool is_done() const override;
  void step() override;
  const std::vector<model::Unit>& units() const override;
  std::size_t n_all_units() const override;
  TaskResult result() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Makes runners that grow fits. What `context` refers to must outlive them.
RunnerFactory task_runners(const TaskContext& context);
/// The same for tasks that this rank grows with a group. Such runners are collective over it: each
/// of its ranks has one of the task and takes the same steps; `result` is for its rank 0 alone.
std::function<RunnerFactory(learn::RowGroup& group)> group_runners(const TaskContext& context);

}  // namespace orchard::search
