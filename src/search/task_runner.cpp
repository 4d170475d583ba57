#include "orchard/search/task_runner.hpp"

#include <algorithm>

#include "orchard/base/error.hpp"
#include "orchard/learn/boosting.hpp"
#include "orchard/learn/forest.hpp"

namespace orchard::search {
namespace {

/// The rows of this rank: what it holds, or of a group's fit on whole data an even share.
data::BinnedData own_rows(const data::BinnedData& held, const TaskContext& context) {
  const auto* group = context.group;
  if (group == nullptr || context.has_shares) return held;
  const auto share = [&](RowIndex n) {
    return data::RowShare::of_rank(n, group->rank(), group->size());
  };
  return data::share_of(held, share(held.n_train()), share(held.n_test()));
}

}  // namespace

struct TaskRunner::State {
  State(const TaskContext& task_context, const TaskSpec& spec)
      : context(task_context),
        task(spec),
        family(task_context.families[static_cast<std::size_t>(spec.family)]),
        data(own_rows(task_context.folds.binned(spec.fold, family.max_bins()), context)),
        judge(data, task_context.schema, task_context.scorers) {}

  bool is_refit() const { return task.fold == kRefitFold; }
  bool is_grown() const { return !failure.empty() || running->is_done(); }
  bool is_judge() const { return context.group == nullptr || context.group->rank() == 0; }
  bool is_whole_fit() const { return task.first_unit == 0 && task.last_unit == family.n_units(); }

  learn::FitContext fit_context() const {
    return {data, context.schema, context.random_state, context.pool, context.group};
  }

  void make_forest() {
    std::vector<learn::Cut> cuts;
    for (const auto& settings : family.cut_settings) {
      cuts.push_back(learn::cut_of(settings, data.train_share.n));
    }
    auto fit = std::make_unique<learn::ForestFit>(
        fit_context(), std::get<options::ForestSettings>(family.settings), std::move(cuts),
        task.first_unit, task.last_unit, family.leaf_sizes);
    forest = fit.get();
    running = std::move(fit);
  }

  void make_boosting() {
    scores = judge.empty(family.members.size());
    is_finished.resize(family.boosting_members.size());
    auto fit = std::make_unique<learn::BoostingFit>(
        fit_context(), std::get<options::BoostingSettings>(family.settings),
        family.boosting_members,
        [this](std::size_t index, int n_rounds, std::span<const std::int64_t> sums) {
          score_boosting(index, n_rounds, sums);
        });
    boosting = fit.get();
    running = std::move(fit);
  }

  void score_boosting(std::size_t index, int n_rounds, std::span<const std::int64_t> sums) {
    is_finished[index] = true;
    if (data.test_share.n == 0 || !is_judge()) return;
    for (std::size_t member = 0; member < family.members.size(); ++member) {
      if (family.members[member].stage == static_cast<std::int32_t>(index)) {
        judge.score(boosting_frame, static_cast<std::size_t>(n_rounds), sums, member, scores);
      }
    }
  }

  /// Sums of a leaf size at every cut, of own rows: [n_cuts][n_test][n_outputs].
  std::size_t n_sums() const {
    return family.cut_settings.size() * data.n_test() *
           static_cast<std::size_t>(forest->frame().n_outputs);
  }

  /// Adds trees [begin, end) of a leaf size at every cut to `sums`.
  void add_trees(std::size_t leaf_size, std::int64_t begin, std::int64_t end,
                 std::span<std::int64_t> sums) {
    context.pool.poll();
    forest->read_out(leaf_size, static_cast<std::size_t>(begin - task.first_unit),
                     static_cast<std::size_t>(end - task.first_unit), sums);
  }

  /// Stages that have all their trees.
  std::size_t n_grown_stages() const {
    const auto n_trees = static_cast<std::int64_t>(forest->n_trees());
    return static_cast<std::size_t>(
        std::upper_bound(family.stages.begin(), family.stages.end(), n_trees) -
        family.stages.begin());
  }

  /// Says of the members that miss a unit why there is none.
  void fail_unfinished() {
    if (forest != nullptr) return fail_stages(family, n_grown_stages(), failure, scores);
    for (std::size_t member = 0; member < family.members.size(); ++member) {
      const auto index = static_cast<std::size_t>(family.members[member].stage);
      if (!is_finished[index]) fail_member(family, member, failure, scores);
    }
  }

  /// Scores a whole forest, or sums up a block of its trees. Collective over a group.
  void read_forest() {
    is_read = true;
    if (data.test_share.n == 0) return;
    is_whole_fit() ? score_whole_forest() : sum_block();
  }

  void score_whole_forest() {
    scores = judge.empty(family.members.size());
    for (std::size_t leaf_size = 0; leaf_size < family.leaf_sizes.size(); ++leaf_size) {
      std::vector<std::int64_t> sums(n_sums());
      std::int64_t begin = 0;
      for (std::size_t stage = 0; stage < n_grown_stages(); ++stage) {
        add_trees(leaf_size, begin, family.stages[stage], sums);
        score_stage_of_all(stage, leaf_size, sums);
        begin = family.stages[stage];
      }
    }
  }

  void score_stage_of_all(std::size_t stage, std::size_t leaf_size,
                          std::span<const std::int64_t> own_sums) {
    std::vector<std::int64_t> of_group;
    if (context.group != nullptr) of_group = forest->sums_of_group(own_sums);
    if (!is_judge()) return;
    score_stage(family, stage, leaf_size, forest->frame(), judge,
                context.group != nullptr ? of_group : own_sums, scores);
  }

  void sum_block() {
    if (!failure.empty()) return;
    for (std::size_t leaf_size = 0; leaf_size < family.leaf_sizes.size(); ++leaf_size) {
      std::vector<std::int64_t> sums(n_sums());
      add_trees(leaf_size, task.first_unit, task.last_unit, sums);
      if (context.group != nullptr) sums = forest->sums_of_group(sums);
      block_sums.insert(block_sums.end(), sums.begin(), sums.end());
    }
  }

  TaskContext context;
  TaskSpec task;
  const Family& family;
  const data::BinnedData data;
  Judge judge;
  std::unique_ptr<learn::Fit> running;
  learn::ForestFit* forest = nullptr;  // one of these two is `running`
  learn::BoostingFit* boosting = nullptr;
  learn::ModelFrame boosting_frame;
  MemberScores scores;                   // boosting: filled as members finish
  std::vector<std::int64_t> block_sums;  // forests: [n_leaf_sizes][n_cuts][n_test][n_outputs]
  bool is_read = false;                  // forests
  std::vector<bool> is_finished;         // boosting: by index of boosting_members
  std::string failure;                   // why the next unit cannot be grown; or empty
};

TaskRunner::TaskRunner(const TaskContext& context, const TaskSpec& task,
                       std::vector<model::Unit> units)
    : state_(std::make_unique<State>(context, task)) {
  if (state_->family.is_forest()) {
    state_->make_forest();
  } else {
    state_->make_boosting();
    state_->boosting_frame = state_->boosting->frame();
  }
  if (!units.empty()) state_->running->restore(std::move(units));
}

TaskRunner::~TaskRunner() = default;

// With a group, the reading of a forest is the last step, since all of it must take part.
bool TaskRunner::is_done() const {
  const bool is_read = state_->forest == nullptr || state_->is_read;
  return state_->is_grown() && (state_->context.group == nullptr || is_read);
}

void TaskRunner::step() {
  if (state_->is_grown()) return state_->read_forest();
  try {
    state_->running->advance();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kData) throw;
    state_->failure = error.what();
  }
}

const std::vector<model::Unit>& TaskRunner::units() const { return state_->running->units(); }

std::size_t TaskRunner::n_all_units() const {
  const State& state = *state_;
  const auto n_units = static_cast<std::size_t>(state.task.last_unit - state.task.first_unit);
  return state.family.is_forest() ? n_units * state.family.leaf_sizes.size() : n_units;
}

TaskResult TaskRunner::result() {
  State& state = *state_;
  TaskResult result;
  result.task = state.task.id;
  const bool is_cut = state.forest != nullptr && !state.is_whole_fit();
  if (!state.failure.empty() && (state.is_refit() || is_cut)) {
    result.failure = state.failure;
    return result;
  }
  if (state.is_refit()) {
    const auto frame = state.forest != nullptr ? state.forest->frame() : state.boosting->frame();
    result.units = state.running->units();
    result.value_exponent = frame.value_exponent;
    result.baseline = frame.baseline;
  }
  if (state.data.test_share.n == 0) return result;
  if (state.forest != nullptr && !state.is_read) state.read_forest();
  if (is_cut) {
    result.sums = state.block_sums;
    result.value_exponent = state.forest->frame().value_exponent;
    return result;
  }
  if (!state.failure.empty()) state.fail_unfinished();
  result.scores = state.scores.scores;
  result.reasons = state.scores.reasons;
  result.failures = state.scores.failures;
  return result;
}

RunnerFactory task_runners(const TaskContext& context) {
  return [context](const TaskSpec& task, std::vector<model::Unit> units) {
    return std::make_unique<TaskRunner>(context, task, std::move(units));
  };
}

std::function<RunnerFactory(learn::RowGroup& group)> group_runners(const TaskContext& context) {
  return [context](learn::RowGroup& group) {
    TaskContext with_group = context;
    with_group.group = &group;
    return task_runners(with_group);
  };
}

}  // namespace orchard::search
