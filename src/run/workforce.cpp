#include "workforce.hpp"

#include <algorithm>

namespace orchard::run {

Workforce::Workforce(int n_ranks) : ranks_(static_cast<std::size_t>(n_ranks)) {
  set_idle(ranks_.front());
}

void Workforce::set_idle(Rank& rank) {
  if (rank.is_idle) return;
  rank.is_idle = true;
  ++n_idle_;
}

void Workforce::employ(int number) {
  auto& rank = ranks_[static_cast<std::size_t>(number)];
  ++rank.n_commands;
  if (!rank.is_idle) return;
  rank.is_idle = false;
  --n_idle_;
}

void Workforce::release(int rank) { set_idle(ranks_[static_cast<std::size_t>(rank)]); }

void Workforce::take(int number, const IdleMessage& message) {
  auto& rank = ranks_[static_cast<std::size_t>(number)];
  rank.last = message;
  if (message.n_done == rank.n_commands) set_idle(rank);
}

std::vector<int> Workforce::idle() const {
  std::vector<int> out;
  for (std::size_t rank = 0; n_idle_ > 0 && rank < ranks_.size(); ++rank) {
    if (ranks_[rank].is_idle) out.push_back(static_cast<int>(rank));
  }
  return out;
}

std::vector<int> Workforce::unused() const {
  std::vector<int> out;
  for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
    if (ranks_[rank].n_commands == 0) out.push_back(static_cast<int>(rank));
  }
  return out;
}

std::uint64_t Workforce::n_group_bytes() const {
  std::uint64_t n_bytes = 0;
  for (const auto& rank : ranks_) n_bytes += rank.last.n_group_bytes;
  return n_bytes;
}

std::uint64_t Workforce::n_group_trees() const {
  std::uint64_t n_trees = 0;
  for (const auto& rank : ranks_) n_trees += rank.last.n_group_trees;
  return n_trees;
}

int first_on_least_busy_node(const std::deque<int>& ready, std::map<int, double> work_s,
                             const std::vector<int>& node_of_rank) {
  const auto work_of = [&](int rank) {
    return work_s[node_of_rank[static_cast<std::size_t>(rank)]];
  };
  return *std::min_element(ready.begin(), ready.end(),
                           [&](int a, int b) { return work_of(a) < work_of(b); });
}

std::map<std::int32_t, std::vector<int>> enlarged(const std::map<std::int32_t, RunningFit>& running,
                                                  const std::vector<int>& idle,
                                                  const Layout& layout) {
  const auto node_of = [&](int rank) {
    return layout.node_of_rank[static_cast<std::size_t>(rank)];
  };
  const auto lasts_s = [](const RunningFit& fit) {
    return fit.left_s / static_cast<double>(fit.ranks.size());
  };
  auto grown = running;
  for (const int rank : idle) {
    RunningFit* longest = nullptr;
    for (auto& [task, fit] : grown) {
      if (node_of(fit.ranks.front()) != node_of(rank)) continue;
      if (static_cast<int>(fit.ranks.size()) >= layout.max_joined_ranks) continue;
      if (longest == nullptr || lasts_s(fit) > lasts_s(*longest)) longest = &fit;
    }
    if (longest != nullptr) longest->ranks.push_back(rank);
  }
  std::map<std::int32_t, std::vector<int>> out;
  for (auto& [task, fit] : grown) {
    if (2 * fit.ranks.size() >= 3 * running.at(task).ranks.size()) out[task] = std::move(fit.ranks);
  }
  return out;
}

}  // namespace orchard::run
