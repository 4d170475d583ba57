// Rank 0 hands out tasks, and calls idle ranks to fits that still run.

#include <algorithm>

#include "coordinator.hpp"
#include "orchard/base/clock.hpp"

namespace orchard::run {

std::optional<TaskMessage> Coordinator::next_task() {
  const auto task = phase_.next_task();
  if (!task) return std::nullopt;
  TaskMessage message{*task, {}, {}};
  message.resumed.task = task->id;
  if (const auto found = resumed_.find(task->id); found != resumed_.end()) {
    message.resumed = std::move(found->second);
    resumed_.erase(found);
  }
  return message;
}

/// The layout's group that this rank leads; null where another one of its group does.
const std::vector<int>* Coordinator::group_led_by(int leader) const {
  for (const auto& group : setup_.layout.groups) {
    if (group.front() == leader) return &group;
  }
  return nullptr;
}

/// The rank that gets the next task. The longest tasks come first, and are to spread over the
/// nodes: on each of them other ranks may join them in the end.
int Coordinator::next_leader() const {
  if (ready_.empty()) return 0;
  const auto& nodes = setup_.layout.node_of_rank;
  if (ready_.size() == 1 || nodes.empty()) return ready_.front();
  std::map<int, double> work_s;
  for (const auto& [task, group] : groups_) {
    work_s[nodes[static_cast<std::size_t>(group.ranks.front())]] += phase_.expected_s(task);
  }
  return first_on_least_busy_node(ready_, std::move(work_s), nodes);
}

void Coordinator::hand_out() {
  const bool has_groups = !setup_.layout.groups.empty();
  while (!ready_.empty() || workforce_.is_idle(0)) {
    const int leader = next_leader();
    const auto* group = has_groups ? group_led_by(leader) : nullptr;
    if (has_groups && group == nullptr) {
      std::erase(ready_, leader);
      continue;
    }
    auto message = next_task();
    if (!message) return enlarge_groups();
    std::erase(ready_, leader);
    begin(std::move(*message), has_groups ? *group : std::vector<int>{leader});
  }
}

void Coordinator::begin(TaskMessage message, std::vector<int> ranks) {
  const auto id = message.task.id;
  const int leader = ranks.front();
  message.ranks = ranks;
  running_[id] = message.resumed;
  ++n_tasks_of_worker_[static_cast<std::size_t>(leader)];
  workforce_.employ(leader);
  if (leader == 0) {
    own_ = std::move(message);
  } else {
    world_.send(leader, kTask, message.to_bytes());
  }
  call_to_group(ranks);
  groups_[id] = {std::move(ranks), monotonic_s(), running_[id].fit_s};
}

/// Calls all but the first of `ranks` to a group.
void Coordinator::call_to_group(const std::vector<int>& ranks) {
  for (std::size_t i = 1; i < ranks.size(); ++i) {
    workforce_.employ(ranks[i]);
    std::erase(ready_, ranks[i]);
    if (ranks[i] == 0) {
      own_groups_.push_back(ranks);
    } else {
      world_.send(ranks[i], kJoin, ranks_to_bytes(ranks));
    }
  }
}

/// Whether a group may go on with more ranks. Not while its leader has not heard of the last ones,
/// or has more to do: others would wait for it. A follower that is idle has seen the fit's end.
bool Coordinator::may_grow(std::int32_t task, const std::vector<int>& ranks) const {
  const auto& family = phase_.family_of_task(task);
  if (family.is_forest() || setup_.layout.unjoined_families.contains(family.id)) return false;
  if (growing_.contains(task)) return false;
  const auto n_tasks = [&](int rank) { return n_tasks_of_worker_[static_cast<std::size_t>(rank)]; };
  return n_tasks(ranks.front()) == 1 && std::all_of(ranks.begin() + 1, ranks.end(), [&](int rank) {
           return n_tasks(rank) == 0 && !workforce_.is_idle(rank);
         });
}

double Coordinator::done_s(const Group& group) const {
  return group.done_s + (monotonic_s() - group.since_s) * static_cast<double>(group.ranks.size());
}

/// A fit that has taken longer than expected is taken to be in its last part.
double Coordinator::left_s(std::int32_t task, const Group& group) const {
  constexpr double kLastPart = 0.05;
  const double expected_s = phase_.expected_s(task);
  return std::max(kLastPart * expected_s, expected_s - done_s(group));
}

/// Nothing is left to hand out: ranks without work join boosting fits on their nodes.
void Coordinator::enlarge_groups() {
  if (setup_.layout.max_joined_ranks <= 1) return;
  const auto idle = workforce_.idle();
  if (idle.empty()) return;
  std::set<int> followers;
  for (const auto& [task, group] : groups_) {
    followers.insert(group.ranks.begin() + 1, group.ranks.end());
  }
  std::map<std::int32_t, RunningFit> candidates;
  for (const auto& [task, group] : groups_) {
    if (followers.contains(group.ranks.front()) || !may_grow(task, group.ranks)) continue;
    candidates[task] = {group.ranks, left_s(task, group)};
  }
  for (auto& [task, ranks] : enlarged(candidates, idle, setup_.layout)) {
    if (ranks.front() == 0) {
      crew_.grow(ranks);
    } else {
      workforce_.employ(ranks.front());
      world_.send(ranks.front(), kGrow, ranks_to_bytes(ranks));
    }
    call_to_group(ranks);
    growing_.insert(task);
    auto& group = groups_.at(task);
    group = {std::move(ranks), monotonic_s(), done_s(group)};
  }
}

}  // namespace orchard::run
