#pragma once
// A phase over all ranks. Rank 0 hands out tasks, longest first, and works too: it answers messages
// at the polls of its own fits. Workers grow fits and answer at theirs. No collective of all ranks
// is entered between the phase's beginning and its end.
//
//   worker -> 0   ready for another task | idle | result of a task | units grown since the
//                 last pull | signal received
//   0 -> worker   task (with the units an earlier run had finished) | join or grow a group | pull
//                 | stop | end
//
// A task is one rank's, or that of a group which grows the fit in step: fixed groups where the
// layout has them; otherwise ranks of a node that have nothing left to do join a boosting fit of
// another one. Its leader then leaves the fit at a unit's border and goes on with them from the
// units that are finished.
//
// A worker says that it is ready a moment before its task ends, so that the next one is there in
// time although rank 0 looks at its messages only between slices of its own work.
//
// A periodic checkpoint needs no barrier: rank 0 pulls the new units of running fits and writes
// when the last has come, because any prefix of units is valid.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchard/comm/communicator.hpp"
#include "orchard/learn/row_group.hpp"
#include "orchard/parallel/pool.hpp"
#include "orchard/run/layout.hpp"
#include "orchard/search/progress.hpp"
#include "orchard/search/runner.hpp"
#include "orchard/search/search_state.hpp"

namespace orchard::run {

/// Where checkpoints go; rank 0 only.
class CheckpointSink {
 public:
  virtual ~CheckpointSink() = default;
  /// Publishes a snapshot and returns its bytes. Throws kOutput; what was there stays valid.
  virtual std::size_t save(const search::Snapshot& snapshot) = 0;
};

/// What a phase is given. Everything is borrowed and the same on all ranks but where said.
struct PhaseSetup {
  search::RunnerFactory make_runner;  ///< of tasks on this rank
  /// The same for tasks that this rank grows with a group; may be empty without groups.
  std::function<search::RunnerFactory(learn::RowGroup& group)> group_runners;
  Layout layout;
  /// The ranks of this rank's group, where the layout has groups.
  std::optional<comm::Communicator> group;
  parallel::Pool* pool = nullptr;            ///< whose polls the runners make; each rank's own
  search::Phase* phase = nullptr;            ///< rank 0 only
  std::vector<search::RunningTask> resumed;  ///< rank 0: tasks that were under way
  double checkpoint_interval_s = 300;
  /// Rank 0: for so long another rank may owe it an answer to a pull, a stop or the end.
  double answer_deadline_s = 3600;
  CheckpointSink* sink = nullptr;  ///< rank 0 only
  /// Rank 0: a snapshot of all phases with these running tasks.
  std::function<search::Snapshot(std::vector<search::RunningTask>)> make_snapshot;
  std::function<void(const search::Progress&)>
      on_progress;  ///< rank 0, at every poll; may be empty
};

enum class PhaseEnd { kDone, kStopped };

/// Runs all tasks of the phase. kStopped: a signal asked for it and a verified checkpoint was
/// written. A failed fit is a result with a reason; any other failure ends all ranks with that
/// rank's message. Throws kOutput on all ranks when the checkpoint of a stop cannot be written.
/// Collective.
PhaseEnd run_phase(comm::Communicator& world, const PhaseSetup& setup);

}  // namespace orchard::run
