#include "crew.hpp"

#include "orchard/base/fault.hpp"

namespace orchard::run {

Crew::Crew(comm::Communicator& world, const PhaseSetup& setup, Calls calls)
    : world_(world), setup_(setup), calls_(std::move(calls)) {}

std::optional<search::TaskResult> Crew::lead(TaskMessage message) {
  is_leading_ = true;
  setup_.pool->set_poll_hook([this] { return poll(); });
  End end = End::kLeft;
  for (;;) {
    if (message.ranks.size() > 1) {
      gather(message.ranks);
      group_->broadcast(message.to_bytes(), 0);
    }
    end = work_on(message.task, std::move(message.resumed));
    if (group_ && work_) n_trees_ += work_->n_new_trees();
    disperse();
    if (end != End::kLeft) break;
    message.ranks = *std::exchange(next_ranks_, std::nullopt);
    message.resumed = work_->snapshot();
    calls_.hand_over();
    work_.reset();
  }
  std::optional<search::TaskResult> result;
  if (end == End::kFinished) {
    try {
      result = work_->result();
    } catch (const Stopped&) {
    }
  }
  setup_.pool->set_poll_hook({});
  // Ranks that were to join are on their way.
  if (const auto ranks = std::exchange(next_ranks_, std::nullopt)) decline(*ranks);
  return result;
}

void Crew::follow(const std::vector<int>& ranks) {
  gather(ranks);
  if (const auto bytes = group_->broadcast({}, 0); !bytes.empty()) {
    auto message = TaskMessage::from_bytes(bytes);
    setup_.pool->set_poll_hook([this] { return poll(); });
    work_on(message.task, std::move(message.resumed));
    work_.reset();
    setup_.pool->set_poll_hook({});
  }
  disperse();
}

void Crew::decline(const std::vector<int>& ranks) {
  gather(ranks);
  group_->broadcast({}, 0);
  disperse();
}

Crew::End Crew::work_on(const search::TaskSpec& task, search::RunningTask resumed) {
  fault_point("fit", world_.rank());
  const auto make_runner = reducer_ ? setup_.group_runners(*reducer_) : setup_.make_runner;
  try {
    work_.emplace(make_runner, task, std::move(resumed));
    return work_->grow([this] { return leaves(); }) ? End::kFinished : End::kLeft;
  } catch (const Stopped&) {
    return End::kStopped;
  }
}

bool Crew::leaves() {
  return reducer_ ? reducer_->meet(next_ranks_.has_value()) : next_ranks_.has_value();
}

// In a group nobody leaves the fit alone: the leader's decision travels with what is exchanged.
bool Crew::poll() {
  const bool is_stopping = calls_.serve();
  if (!reducer_) return is_stopping;
  if (is_stopping && reducer_->rank() == 0) reducer_->stop();
  return false;
}

void Crew::gather(const std::vector<int>& ranks) {
  is_fixed_ = setup_.group.has_value();
  group_ = is_fixed_ ? *setup_.group : world_.subset(ranks);
  reducer_.emplace(*group_);
}

void Crew::disperse() {
  if (!group_) return;
  n_bytes_ += reducer_->n_bytes();
  reducer_.reset();
  if (!is_fixed_) group_->dissolve();
  group_.reset();
}

}  // namespace orchard::run
