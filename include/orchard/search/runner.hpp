#pragma once
// What handing out tasks needs to know of a task at work, and nothing of how it is done.

#include <functional>
#include <memory>
#include <vector>

#include "orchard/search/plan.hpp"
#include "orchard/search/snapshot.hpp"

namespace orchard::search {

/// A task at work on this rank. Local; in a group of ranks that work on it, the constructor and
/// `step` are collective. `step` and `result` may throw Stopped, after which `units` still holds
/// every finished unit.
class Runner {
 public:
  virtual ~Runner() = default;
  /// True when all units are there, or the next one cannot be grown, and nothing is left to do that
  /// takes a whole group.
  virtual bool is_done() const = 0;
  /// Grows more units, or does what is left for a group.
  virtual void step() = 0;
  virtual const std::vector<model::Unit>& units() const = 0;
  /// So many there are at most when the task is done.
  virtual std::size_t n_all_units() const = 0;
  /// Cross-validation: scores of a whole fit, or sums of a block. Refit: the units. Where a unit
  /// could not be grown, members of a whole fit that do without it have their scores.
  virtual TaskResult result() = 0;
};

/// Makes the runner of a task; `units` are what an earlier run of it has finished.
using RunnerFactory =
    std::function<std::unique_ptr<Runner>(const TaskSpec& task, std::vector<model::Unit> units)>;

}  // namespace orchard::search
