#include "orchard/search/search_state.hpp"

#include <algorithm>
#include <numeric>

#include "orchard/base/error.hpp"

namespace orchard::search {

Phase::Phase(const std::vector<Family>& families, std::vector<TaskSpec> tasks,
             std::int32_t first_id, const model::Schema& schema,
             const std::vector<std::string>& scorers, const FoldSource& folds)
    : families_(families),
      tasks_(std::move(tasks)),
      first_id_(first_id),
      schema_(schema),
      scorers_(scorers),
      folds_(folds),
      queue_(tasks_.size()),
      results_(tasks_.size()) {
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    tasks_[i].id = first_id_ + static_cast<std::int32_t>(i);
    blocks_[{tasks_[i].family, tasks_[i].fold}].push_back(i);
    cost_total_ += tasks_[i].cost;
  }
  std::iota(queue_.begin(), queue_.end(), 0);
  std::sort(queue_.begin(), queue_.end(), [&](std::size_t a, std::size_t b) {
    return tasks_[a].cost != tasks_[b].cost ? tasks_[a].cost < tasks_[b].cost : a > b;
  });
}

std::size_t Phase::index_of(std::int32_t id) const {
  require(has(id), "a task id belongs to the phase");
  return static_cast<std::size_t>(id - first_id_);
}

bool Phase::has(std::int32_t task) const {
  return task >= first_id_ && static_cast<std::size_t>(task - first_id_) < tasks_.size();
}

void Phase::prefer(const std::vector<std::int32_t>& tasks) {
  std::stable_partition(queue_.begin(), queue_.end(), [&](std::size_t place) {
    return std::find(tasks.begin(), tasks.end(), tasks_[place].id) == tasks.end();
  });
}

std::optional<TaskSpec> Phase::next_task() {
  while (!queue_.empty()) {
    const auto place = queue_.back();
    queue_.pop_back();
    if (!results_[place]) return tasks_[place];
  }
  return std::nullopt;
}

void Phase::consume(TaskResult result) {
  const auto place = index_of(result.task);
  require(!results_[place].has_value(), "a task is finished once");
  results_[place] = std::move(result);
  ++n_done_;
  cost_done_ += tasks_[place].cost;
  const FitKey key{tasks_[place].family, tasks_[place].fold};
  const auto& blocks = blocks_.at(key);
  if (std::all_of(blocks.begin(), blocks.end(), [&](auto b) { return results_[b].has_value(); })) {
    finish_fit(key);
  }
}

MemberScores Phase::scores_of_blocks(const FitKey& key) {
  const auto& family = families_[static_cast<std::size_t>(key.first)];
  const auto& blocks = blocks_.at(key);
  const auto& data = folds_.binned(key.second, family.max_bins());
  const Judge judge(data, schema_, scorers_);
  learn::ModelFrame frame;
  frame.n_outputs =
      schema_.task == Task::kClassification ? static_cast<std::int32_t>(schema_.n_classes()) : 1;
  frame.value_exponent = results_[blocks.front()]->value_exponent;

  // Members that need no tree of the first block that failed have their scores.
  auto scores = judge.empty(family.members.size());
  std::vector<std::int64_t> sums(results_[blocks.front()]->sums.size());
  std::size_t stage = 0;
  for (const auto block : blocks) {
    if (!results_[block]->failure.empty()) {
      fail_stages(family, stage, results_[block]->failure, scores);
      break;
    }
    auto& of_block = results_[block]->sums;
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += of_block[i];
    of_block = {};
    if (tasks_[block].last_unit == family.stages[stage]) {
      const std::size_t n_sums = sums.size() / family.leaf_sizes.size();
      for (std::size_t size = 0; size < family.leaf_sizes.size(); ++size) {
        score_stage(family, stage, size, frame, judge,
                    std::span(sums).subspan(size * n_sums, n_sums), scores);
      }
      ++stage;
    }
  }
  return scores;
}

void Phase::finish_fit(const FitKey& key) {
  auto& outcome = outcomes_[key];
  const auto& blocks = blocks_.at(key);
  auto& first = *results_[blocks.front()];
  bool has_sums = false;
  for (const auto block : blocks) {
    const auto& result = *results_[block];
    if (outcome.failure.empty()) outcome.failure = result.failure;
    outcome.fit_s += result.fit_s;
    outcome.score_s += result.score_s;
    has_sums = has_sums || !result.sums.empty();
  }
  if (has_sums) {
    auto scores = scores_of_blocks(key);
    first.scores = std::move(scores.scores);
    first.reasons = std::move(scores.reasons);
    first.failures = std::move(scores.failures);
    outcome.failure = {};
    for (const auto block : blocks) results_[block]->failure = {};
  }
  for (const auto block : blocks) results_[block]->sums = {};
  outcome.scores = {first.scores, first.reasons, first.failures};
}

double Phase::done_fraction() const { return cost_total_ > 0 ? cost_done_ / cost_total_ : 1.0; }

std::vector<const TaskResult*> Phase::results() const {
  std::vector<const TaskResult*> found;
  for (const auto& result : results_) {
    if (result) found.push_back(&*result);
  }
  return found;
}

const Phase::FitOutcome& Phase::outcome(std::int32_t family, std::int32_t fold) const {
  return outcomes_.at({family, fold});
}

std::vector<model::Unit> Phase::take_units(std::int32_t family, std::int32_t fold) {
  std::vector<model::Unit> units;
  for (const auto block : blocks_.at({family, fold})) {
    auto& of_block = results_[block]->units;
    std::move(of_block.begin(), of_block.end(), std::back_inserter(units));
    of_block = {};
  }
  return units;
}

learn::ModelFrame Phase::frame(std::int32_t family, std::int32_t fold) const {
  const auto& first = *results_[blocks_.at({family, fold}).front()];
  learn::ModelFrame frame;
  const bool is_forest = families_[static_cast<std::size_t>(family)].is_forest();
  const auto n_classes = static_cast<std::int32_t>(schema_.n_classes());
  frame.combine = is_forest ? model::Combine::kAverage : model::Combine::kSum;
  frame.n_outputs = 1;
  if (schema_.task == Task::kClassification && (is_forest || n_classes > 2)) {
    frame.n_outputs = n_classes;
  }
  frame.value_exponent = first.value_exponent;
  frame.baseline = first.baseline;
  frame.baseline.resize(static_cast<std::size_t>(frame.n_outputs), 0);
  return frame;
}

}  // namespace orchard::search
