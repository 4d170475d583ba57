#pragma once
// This rank's part in tasks, alone or in a group of ranks that grow one fit in step.

#include <optional>

#include "group_reducer.hpp"
#include "orchard/run/scheduler.hpp"
#include "task_work.hpp"

namespace orchard::run {

class Crew {
 public:
  struct Calls {
    /// The poll hook: answers what has arrived; true when this rank should stop.
    std::function<bool()> serve;
    /// The leader's fit is about to be built again: rank 0 should have its units.
    std::function<void()> hand_over;
  };

  Crew(comm::Communicator& world, const PhaseSetup& setup, Calls calls);

  /// Grows a task with `message.ranks`, this one first. Nothing when it was stopped: then `work`
  /// still has the units. To be followed by `drop`. Collective over these ranks; the others call
  /// `follow`.
  std::optional<search::TaskResult> lead(TaskMessage message);
  /// Grows the task that the first of `ranks` brings, until it is finished, stopped or left for
  /// another group. Collective over these ranks.
  void follow(const std::vector<int>& ranks);
  /// Tells the other ranks, who come to `follow`, that there is no fit left to grow. Collective
  /// over these ranks.
  void decline(const std::vector<int>& ranks);
  /// While `lead` is under way: at the next unit's border the fit goes on with these ranks.
  void grow(std::vector<int> ranks) {
    require(!next_ranks_, "a fit goes on in one group");
    next_ranks_ = std::move(ranks);
  }

  bool is_leading() const { return is_leading_; }
  /// The task under way, once its fit is built.
  std::optional<TaskWork>& work() { return work_; }
  void drop() {
    work_.reset();
    is_leading_ = false;
  }

  std::uint64_t n_bytes() const { return n_bytes_; }  ///< given to other ranks of groups
  std::uint64_t n_trees() const { return n_trees_; }  ///< grown by groups that this rank led

 private:
  enum class End { kFinished, kLeft, kStopped };
  End work_on(const search::TaskSpec& task, search::RunningTask resumed);
  bool leaves();
  bool poll();
  void gather(const std::vector<int>& ranks);
  void disperse();

  comm::Communicator& world_;
  const PhaseSetup& setup_;
  Calls calls_;
  std::optional<TaskWork> work_;
  std::optional<std::vector<int>> next_ranks_;
  std::optional<comm::Communicator> group_;  // while this rank is in one
  std::optional<GroupReducer> reducer_;
  bool is_fixed_ = false;  // the group is the layout's
  bool is_leading_ = false;
  std::uint64_t n_bytes_ = 0, n_trees_ = 0;
};

}  // namespace orchard::run
