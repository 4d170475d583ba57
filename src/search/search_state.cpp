#include "orchard/search/search_state.hpp"

#include <algorithm>

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
      queues_(families.size()),
      scale_(families),
      known_(tasks_.size()),
      results_(tasks_.size()),
      cost_done_(families.size()),
      cost_total_(families.size()) {
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    tasks_[i].id = first_id_ + static_cast<std::int32_t>(i);
    blocks_[{tasks_[i].family, tasks_[i].fold}].push_back(i);
    const auto family = static_cast<std::size_t>(tasks_[i].family);
    queues_[family].push_back(i);
    cost_total_[family] += tasks_[i].cost;
  }
  for (auto& queue : queues_) {
    std::sort(queue.begin(), queue.end(), [&](std::size_t a, std::size_t b) {
      return tasks_[a].cost != tasks_[b].cost ? tasks_[a].cost < tasks_[b].cost : a > b;
    });
  }
}

std::size_t Phase::index_of(std::int32_t id) const {
  require(has(id), "a task id belongs to the phase");
  return static_cast<std::size_t>(id - first_id_);
}

bool Phase::has(std::int32_t task) const {
  return task >= first_id_ && static_cast<std::size_t>(task - first_id_) < tasks_.size();
}

void Phase::prefer(const std::vector<std::int32_t>& tasks) {
  for (auto& queue : queues_) {
    const auto others = std::stable_partition(queue.begin(), queue.end(), [&](std::size_t place) {
      return std::find(tasks.begin(), tasks.end(), tasks_[place].id) == tasks.end();
    });
    preferred_.insert(preferred_.end(), others, queue.end());
    queue.erase(others, queue.end());
  }
  std::sort(preferred_.begin(), preferred_.end(), [&](std::size_t a, std::size_t b) {
    return tasks_[a].cost != tasks_[b].cost ? tasks_[a].cost < tasks_[b].cost : a > b;
  });
}

/// The place of the next task in some order of the families; a family's own tasks keep theirs.
std::optional<std::size_t> Phase::take_place() {
  if (!preferred_.empty()) {
    const auto place = preferred_.back();
    preferred_.pop_back();
    return place;
  }
  std::vector<std::size_t>* longest = nullptr;
  double longest_s = 0;
  for (std::size_t family = 0; family < queues_.size(); ++family) {
    auto& queue = queues_[family];
    if (queue.empty()) continue;
    const double seconds =
        tasks_[queue.back()].cost * scale_.factor(static_cast<std::int32_t>(family));
    const bool is_next = longest == nullptr || seconds > longest_s ||
                         (seconds == longest_s && queue.back() < longest->back());
    if (!is_next) continue;
    longest = &queue;
    longest_s = seconds;
  }
  if (longest == nullptr) return std::nullopt;
  const auto place = longest->back();
  longest->pop_back();
  return place;
}

std::optional<TaskSpec> Phase::next_task() {
  while (const auto place = take_place()) {
    if (!results_[*place]) return tasks_[*place];
  }
  return std::nullopt;
}

void Phase::observe(std::int32_t id, std::size_t n_units, double fit_s) {
  const auto place = index_of(id);
  const auto& task = tasks_[place];
  const auto& family = families_[static_cast<std::size_t>(task.family)];
  const auto n_all = static_cast<std::size_t>(task.last_unit - task.first_unit) *
                     (family.is_forest() ? std::max<std::size_t>(1, family.leaf_sizes.size()) : 1);
  if (n_units == 0 || results_[place]) return;
  note_seconds(place, task.cost * static_cast<double>(n_units) / static_cast<double>(n_all), fit_s);
}

void Phase::note_seconds(std::size_t place, double cost, double seconds) {
  auto& known = known_[place];
  scale_.add(tasks_[place].family, cost - known.cost, seconds - known.seconds);
  known = {cost, seconds};
}

void Phase::consume(TaskResult result) {
  const auto place = index_of(result.task);
  require(!results_[place].has_value(), "a task is finished once");
  results_[place] = std::move(result);
  ++n_done_;
  cost_done_[static_cast<std::size_t>(tasks_[place].family)] += tasks_[place].cost;
  // A fit that failed tells nothing of the others.
  const auto& taken = *results_[place];
  if (taken.failure.empty() && taken.fit_s > 0)
    note_seconds(place, tasks_[place].cost, taken.fit_s);
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

double Phase::expected_s(std::int32_t id) const {
  return task(id).cost * scale_.factor(task(id).family);
}

double Phase::done_fraction() const {
  double done = 0, total = 0;
  for (std::size_t family = 0; family < cost_total_.size(); ++family) {
    const double factor = scale_.factor(static_cast<std::int32_t>(family));
    done += factor * cost_done_[family];
    total += factor * cost_total_[family];
  }
  return total > 0 ? done / total : 1.0;
}

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
