#include "orchard/search/task_runner.hpp"

#include "orchard/learn/boosting.hpp"
#include "orchard/learn/forest.hpp"

namespace orchard::search {
namespace {

/// The rows of this rank: what it holds, or of a group's fit on whole data an even share.
data::BinnedData own_rows(const data::BinnedData& held, const TaskContext& context) {
  const auto* group = context.group;
  if (group == nullptr || context.has_shares) return held;
  const auto rank = static_cast<std::uint64_t>(group->rank());
  const auto size = static_cast<std::uint64_t>(group->size());
  const auto share = [&](std::uint64_t n) {
    return data::RowShare{static_cast<RowIndex>(n * rank / size),
                          static_cast<RowIndex>(n * (rank + 1) / size), static_cast<RowIndex>(n)};
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
        task.first_unit, task.last_unit);
    forest = fit.get();
    running = std::move(fit);
  }

  void make_boosting() {
    scores = judge.empty(family.members.size());
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
    const bool is_judged = context.group == nullptr || context.group->rank() == 0;
    if (data.test_share.n == 0 || !is_judged) return;
    for (std::size_t member = 0; member < family.members.size(); ++member) {
      if (family.members[member].stage == static_cast<std::int32_t>(index)) {
        judge.score(boosting_frame, static_cast<std::size_t>(n_rounds), sums, member, scores);
      }
    }
  }

  /// Adds trees [begin, end) of the forest at every cut to `sums`.
  void add_trees(std::int64_t begin, std::int64_t end, std::vector<std::int64_t>& sums) {
    context.pool.poll();
    sums.resize(family.cut_settings.size() * data.n_test() *
                static_cast<std::size_t>(forest->frame().n_outputs));
    forest->read_out(static_cast<std::size_t>(begin - task.first_unit),
                     static_cast<std::size_t>(end - task.first_unit), sums);
  }

  void score_whole_forest() {
    scores = judge.empty(family.members.size());
    std::vector<std::int64_t> sums;
    std::int64_t begin = 0;
    for (std::size_t stage = 0; stage < family.stages.size(); ++stage) {
      add_trees(begin, family.stages[stage], sums);
      score_stage(family, stage, forest->frame(), judge, sums, scores);
      begin = family.stages[stage];
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
  MemberScores scores;  // boosting: filled as members finish
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

bool TaskRunner::is_done() const { return state_->running->is_done(); }

void TaskRunner::step() { state_->running->advance(); }

const std::vector<model::Unit>& TaskRunner::units() const { return state_->running->units(); }

TaskResult TaskRunner::result() {
  State& state = *state_;
  TaskResult result;
  result.task = state.task.id;
  if (state.is_refit()) {
    const auto frame = state.forest != nullptr ? state.forest->frame() : state.boosting->frame();
    result.units = state.running->units();
    result.value_exponent = frame.value_exponent;
    result.baseline = frame.baseline;
  }
  if (state.data.test_share.n == 0) return result;
  if (state.forest != nullptr && !state.is_whole_fit()) {
    state.add_trees(state.task.first_unit, state.task.last_unit, result.sums);
    result.value_exponent = state.forest->frame().value_exponent;
    return result;
  }
  if (state.forest != nullptr) state.score_whole_forest();
  result.scores = state.scores.scores;
  result.reasons = state.scores.reasons;
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
