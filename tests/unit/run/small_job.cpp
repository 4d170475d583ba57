#include "small_job.hpp"

#include "orchard/search/task_runner.hpp"
#include "phase_snapshot.hpp"

namespace orchard::run {
namespace {

class Collect : public CheckpointSink {
 public:
  explicit Collect(std::vector<search::Snapshot>* saved) : saved_(saved) {}
  std::size_t save(const search::Snapshot& snapshot) override {
    if (saved_ != nullptr) saved_->push_back(snapshot);
    return 1;
  }

 private:
  std::vector<search::Snapshot>* saved_;
};

std::vector<search::Point> points(Learners learners) {
  using options::ParamValue;
  const std::vector<ParamValue> few_and_many = {std::int64_t{20}, std::int64_t{40}};
  std::vector<options::SubGrid> grids = {
      {"boosting",
       options::Estimator::kHistGradientBoostingClassifier,
       {{"max_iter", few_and_many}, {"max_leaf_nodes", {ParamValue(std::int64_t{4})}}}}};
  if (learners == Learners::kBoth) {
    grids.insert(grids.begin(), {"forest",
                                 options::Estimator::kRandomForestClassifier,
                                 {{"n_estimators", few_and_many},
                                  {"max_depth", {ParamValue(std::int64_t{2}), {}}}}});
  }
  return search::expand(grids);
}

}  // namespace

SmallJob::SmallJob(Learners learners) {
  constexpr RowIndex kRows = 300;
  for (RowIndex row = 0; row < kRows; ++row) {
    a_.push_back(static_cast<float>(row * 37 % 101));
    b_.push_back(static_cast<float>(row * 59 % 89));
    target_.push_back(a_.back() + static_cast<float>(row % 7) > b_.back() ? 1 : 0);
  }
  table_.schema.features = {{"a", {}, {}}, {"b", {}, {}}};
  table_.schema.classes = {"no", "yes"};
  table_.n_rows = kRows;
  table_.columns = {a_.data(), b_.data()};
  table_.target = target_;
  options::CvSettings cv;
  cv.n_splits = 3;
  folds_ = data::make_folds(cv, table_, {}, 1);
  plan_ =
      search::make_plan(points(learners), true, 3, {kRows, 2, 2, Task::kClassification},
                        learners == Learners::kBoth ? search::Cutting{2, 5} : search::Cutting());
}

std::vector<FoldNeed> SmallJob::needs() const {
  std::vector<FoldNeed> needs;
  for (std::size_t fold = 0; fold < folds_.size(); ++fold) {
    needs.push_back({static_cast<std::int32_t>(fold), &folds_[fold], 255, true});
  }
  return needs;
}

void SmallJob::run_rank(comm::Communicator& world, const Layout& layout,
                        const search::Snapshot* from, std::vector<search::Snapshot>* saved,
                        std::vector<double>& scores) const {
  parallel::Pool pool(2);
  auto node = world.split_by_node();
  FoldStore store(node, table_, needs(), 1, pool);
  const search::TaskContext tasks{plan_.families, table_.schema, scorers_, store, 1, pool};
  PhaseSetup setup;
  setup.make_runner = search::task_runners(tasks);
  setup.group_runners = search::group_runners(tasks);
  setup.pool = &pool;
  setup.layout = layout;
  setup.group = own_group(world, layout);
  search::Phase phase(plan_.families, plan_.tasks, 0, table_.schema, scorers_, store);
  Collect sink(saved);
  if (world.rank() == 0) {
    if (from != nullptr) {
      for (const auto& result : from->results) phase.restore(result);
      setup.resumed = from->running;
    }
    setup.phase = &phase;
    setup.sink = &sink;
    setup.checkpoint_interval_s = 0;
    setup.make_snapshot = [&](auto running) { return snapshot_of(phase, std::move(running)); };
  }
  const auto end = run_phase(world, setup);
  require(end == PhaseEnd::kDone, "nothing asked for a stop");
  if (world.rank() == 0) {
    for (const auto& family : plan_.families) {
      for (std::int32_t fold = 0; fold < plan_.n_folds; ++fold) {
        const auto& outcome = phase.outcome(family.id, fold);
        require(outcome.failure.empty(), "every fit of the small job succeeds");
        scores.insert(scores.end(), outcome.scores.scores.begin(), outcome.scores.scores.end());
      }
    }
  }
  store.release(node);
}

std::vector<double> SmallJob::run(int n_ranks, const search::Snapshot* from,
                                  std::vector<search::Snapshot>* saved,
                                  const Layout& layout) const {
  std::vector<double> scores;
  comm::run_as_ranks(
      n_ranks, [&](comm::Communicator world) { run_rank(world, layout, from, saved, scores); });
  return scores;
}

}  // namespace orchard::run
