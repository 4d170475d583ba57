#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>

#include "awaited.hpp"
#include "crew.hpp"
#include "orchard/base/pulse.hpp"
#include "orchard/run/scheduler.hpp"
#include "orchard/run/signals.hpp"
#include "rank_use.hpp"
#include "workforce.hpp"

namespace orchard::run {

/// Rank 0 for the time of a phase: hands out tasks, collects results, writes checkpoints, and works
/// on tasks of its own in between.
class Coordinator {
 public:
  Coordinator(comm::Communicator& world, const PhaseSetup& setup);
  PhaseEnd run();
  const RankUse& use() const { return use_; }

 private:
  /// Answers all messages, hands tasks to workers that are ready, looks at signals and the
  /// checkpoint clock. Also the poll hook of rank 0's own fits; true when those should be dropped.
  bool serve();
  /// Who grows a task.
  struct Group {
    std::vector<int> ranks;  // the leader first
    double since_s = 0;      // when it was called
    double done_s = 0;       // that ranks had spent on the task before
  };

  void take(const comm::Message& message);
  void take_units(const UnitsMessage& message);
  void keep_own_units();
  void hand_over_own_units();
  void take_result(search::TaskResult result);
  void hand_out();
  int next_leader() const;
  std::optional<TaskMessage> next_task();
  const std::vector<int>* group_led_by(int leader) const;
  void begin(TaskMessage message, std::vector<int> ranks);
  void call_to_group(const std::vector<int>& ranks);
  bool may_grow(std::int32_t task, const std::vector<int>& ranks) const;
  double done_s(const Group& group) const;
  double left_s(std::int32_t task, const Group& group) const;
  void enlarge_groups();
  void work();
  void lead_own_task();
  void look_at_signals();
  void look_at_clock();

  void begin_stop();
  void end_phase();
  /// The other ranks, or those of them that lead tasks; ascending.
  std::vector<int> workers(bool with_tasks_only = false) const;

  void begin_checkpoint();
  void save_checkpoint();
  void show_progress();
  void tell_of_waiting();
  void tell_of_groups() const;

  comm::Communicator& world_;
  const PhaseSetup& setup_;
  search::Phase& phase_;
  std::map<std::int32_t, search::RunningTask> resumed_;  // not handed out again yet
  std::vector<int> n_tasks_of_worker_;                   // at work or waiting there; by rank
  std::map<std::int32_t, search::RunningTask> running_;  // as far as pulled
  std::map<std::int32_t, Group> groups_;                 // of the same
  std::set<std::int32_t> growing_;  // tasks whose leaders are to go on with more ranks
  std::deque<int> ready_;
  Workforce workforce_;
  Crew crew_;
  // What rank 0 does next: a fit to lead, or groups to follow, in the order of their calls.
  std::optional<TaskMessage> own_;
  std::deque<std::vector<int>> own_groups_;
  RankUse use_;

  Request request_ = Request::kNone;
  bool is_stopping_ = false;
  bool is_pulling_ = false;
  Awaited awaited_;        // answers to the pull, the stop or the end, whichever is the last
  bool has_news_ = false;  // since the last checkpoint
  std::optional<Doing> waiting_;
  std::size_t n_told_ = 0;  // tasks of others, as told last
  double began_s_, last_save_s_, next_save_s_, last_cost_s_ = 0;
};

}  // namespace orchard::run
