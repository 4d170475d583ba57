#include "phase_clock.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <queue>

#include "workforce.hpp"

namespace orchard::run {
namespace {

double on_groups(const std::vector<TimedTask>& tasks, const Layout& layout) {
  using Until = std::pair<double, std::size_t>;  // when a group is free
  std::priority_queue<Until, std::vector<Until>, std::greater<>> free;
  for (std::size_t group = 0; group < layout.groups.size(); ++group) free.emplace(0, group);
  double end_s = 0;
  for (const auto& task : tasks) {
    const auto [begin_s, group] = free.top();
    free.pop();
    const double until_s = begin_s + task.seconds(layout.groups[group].size());
    free.emplace(until_s, group);
    end_s = std::max(end_s, until_s);
  }
  return end_s;
}

struct Running {
  TimedTask task;
  std::vector<int> ranks;
  double left = 1;  ///< share of the task that is not done
  double seconds() const { return left * task.seconds(ranks.size()); }
};

/// The end of a phase, when all tasks are out: ranks that are free join others.
double last_tasks(std::map<std::int32_t, Running> running, std::vector<int> idle,
                  const Layout& layout) {
  double now_s = 0;
  while (!running.empty()) {
    std::map<std::int32_t, RunningFit> candidates;
    for (const auto& [id, one] : running) {
      if (one.task.may_grow) candidates[id] = {one.ranks, one.left * one.task.alone_s};
    }
    for (auto& [id, ranks] : enlarged(candidates, idle, layout)) {
      for (const int rank : ranks) std::erase(idle, rank);
      running.at(id).ranks = std::move(ranks);
    }
    double step_s = running.begin()->second.seconds();
    for (const auto& [id, one] : running) step_s = std::min(step_s, one.seconds());
    now_s += step_s;
    for (auto at = running.begin(); at != running.end();) {
      auto& one = at->second;
      if (one.seconds() <= step_s) {
        idle.insert(idle.end(), one.ranks.begin(), one.ranks.end());
        at = running.erase(at);
      } else {
        one.left -= step_s / one.task.seconds(one.ranks.size());
        ++at;
      }
    }
    std::sort(idle.begin(), idle.end());
  }
  return now_s;
}

double on_ranks(const std::vector<TimedTask>& tasks, const Layout& layout) {
  struct Busy {
    double until_s;
    int rank;
    std::size_t task;  // the last one, or tasks.size()
    bool operator>(const Busy& other) const {
      return until_s != other.until_s ? until_s > other.until_s : rank > other.rank;
    }
  };
  std::priority_queue<Busy, std::vector<Busy>, std::greater<>> busy;
  for (std::size_t rank = 0; rank < layout.node_of_rank.size(); ++rank) {
    busy.push({0, static_cast<int>(rank), tasks.size()});
  }
  const auto node_of = [&](int rank) {
    return layout.node_of_rank[static_cast<std::size_t>(rank)];
  };
  std::map<int, double> work_s;  // under way, by node
  std::deque<int> ready;
  double out_s = 0;  // when the last task is handed out
  for (std::size_t task = 0; task < tasks.size(); ++task) {
    if (ready.empty()) out_s = busy.top().until_s;
    for (; !busy.empty() && busy.top().until_s <= out_s; busy.pop()) {
      const auto& done = busy.top();
      if (done.task < tasks.size()) work_s[node_of(done.rank)] -= tasks[done.task].alone_s;
      ready.push_back(done.rank);
    }
    const int rank = first_on_least_busy_node(ready, work_s, layout.node_of_rank);
    std::erase(ready, rank);
    work_s[node_of(rank)] += tasks[task].alone_s;
    busy.push({out_s + tasks[task].alone_s, rank, task});
  }
  for (const int rank : ready) busy.push({out_s, rank, tasks.size()});
  std::map<std::int32_t, Running> running;
  std::vector<int> idle;
  for (; !busy.empty(); busy.pop()) {
    const auto& [until_s, rank, task] = busy.top();
    if (task == tasks.size() || until_s <= out_s) {
      idle.push_back(rank);
    } else {
      const double left = std::min(1.0, (until_s - out_s) / tasks[task].alone_s);
      running[static_cast<std::int32_t>(task)] = {tasks[task], {rank}, left};
    }
  }
  std::sort(idle.begin(), idle.end());
  return out_s + last_tasks(std::move(running), std::move(idle), layout);
}

}  // namespace

double phase_seconds(std::vector<TimedTask> tasks, const Layout& layout) {
  std::stable_sort(tasks.begin(), tasks.end(),
                   [](const auto& a, const auto& b) { return a.alone_s > b.alone_s; });
  return layout.groups.empty() ? on_ranks(tasks, layout) : on_groups(tasks, layout);
}

}  // namespace orchard::run
