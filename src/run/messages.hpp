#pragma once
// The words that ranks exchange inside a phase.

#include "orchard/base/bytes.hpp"
#include "orchard/search/plan.hpp"
#include "orchard/search/snapshot.hpp"

namespace orchard::run {

enum Tag : int {
  kReady = 1,  ///< worker: has nothing to do, or soon will
  kIdle,       ///< worker: IdleMessage, has carried out all that came
  kResult,     ///< worker: TaskResult
  kUnits,      ///< worker: UnitsMessage, the answer to kPull and the last word before kStopped
  kRegrouped,  ///< worker: UnitsMessage, before its fit goes on with more ranks
  kSignal,     ///< worker: a signal asks for Request
  kStopped,    ///< worker: has stopped, the answer to kStop
  kGone,       ///< worker: its last word of the phase, the answer to kEnd
  kTask,       ///< rank 0: TaskMessage, to the rank that leads the fit
  kJoin,       ///< rank 0: the ranks of a group, to all but its leader, who knows what to do there
  kGrow,       ///< rank 0: the same to its leader: go on in it at the next unit's border
  kPull,       ///< rank 0: send the units grown since the last pull
  kStop,       ///< rank 0: drop the unit under way, send the rest, wait
  kEnd,        ///< rank 0: the phase is over
};

/// Units of a running task, from number `first_unit` of the task's units on; they replace what was
/// there.
struct UnitsMessage {
  std::int32_t task = -1;  ///< -1: nothing was running
  std::uint64_t first_unit = 0;
  double fit_s = 0;
  std::vector<model::Unit> units;

  Bytes to_bytes() const {
    ByteWriter writer;
    writer.put(task);
    writer.put(first_unit);
    writer.put(fit_s);
    writer.put(search::units_to_bytes(units));
    return writer.take();
  }
  static UnitsMessage from_bytes(ByteSpan bytes) {
    ByteReader reader(bytes);
    UnitsMessage message;
    message.task = reader.get<std::int32_t>();
    message.first_unit = reader.get<std::uint64_t>();
    message.fit_s = reader.get<double>();
    message.units = search::units_from_bytes(reader.get_vector<std::byte>());
    return message;
  }
};

/// Of a rank that waits, since the phase began.
struct IdleMessage {
  std::int64_t n_done = 0;          ///< kTask, kJoin and kGrow that it has carried out
  std::uint64_t n_group_bytes = 0;  ///< that it gave to others of its groups
  std::uint64_t n_group_trees = 0;  ///< grown by groups that it led

  Bytes to_bytes() const {
    ByteWriter writer;
    writer.put(*this);
    return writer.take();
  }
  static IdleMessage from_bytes(ByteSpan bytes) { return ByteReader(bytes).get<IdleMessage>(); }
};

/// A task, what an earlier run had finished of it, and who grows it.
struct TaskMessage {
  search::TaskSpec task;
  search::RunningTask resumed;
  std::vector<int> ranks;  ///< the leader first; one rank: it alone

  Bytes to_bytes() const {
    ByteWriter writer;
    writer.put(task);
    writer.put(resumed.to_bytes());
    writer.put(ranks);
    return writer.take();
  }
  static TaskMessage from_bytes(ByteSpan bytes) {
    ByteReader reader(bytes);
    TaskMessage message;
    message.task = reader.get<search::TaskSpec>();
    message.resumed = search::RunningTask::from_bytes(reader.get_vector<std::byte>());
    message.ranks = reader.get_vector<int>();
    return message;
  }
};

inline Bytes ranks_to_bytes(const std::vector<int>& ranks) {
  ByteWriter writer;
  writer.put(ranks);
  return writer.take();
}
inline std::vector<int> ranks_from_bytes(ByteSpan bytes) {
  return ByteReader(bytes).get_vector<int>();
}

}  // namespace orchard::run
