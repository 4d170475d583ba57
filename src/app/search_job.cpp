#include "search_job.hpp"

#include <algorithm>
#include <set>

#include "orchard/base/clock.hpp"
#include "orchard/base/file.hpp"
#include "orchard/base/instruction_set.hpp"
#include "orchard/base/log.hpp"
#include "orchard/base/pulse.hpp"
#include "orchard/base/text.hpp"
#include "orchard/report/cv_table.hpp"
#include "orchard/report/progress.hpp"
#include "orchard/search/task_runner.hpp"
#include "orchard/store/model_file.hpp"
#include "orchard/store/result_file.hpp"

namespace orchard::app {
namespace {

/// Connects the scheduler, which knows no files, with the store, which knows no schedule.
class StoreSink : public run::CheckpointSink {
 public:
  explicit StoreSink(store::CheckpointStore& store) : store_(store) {}
  std::size_t save(const search::Snapshot& snapshot) override {
    const double begin_s = monotonic_s();
    const auto n_bytes = save_or_leave(snapshot);
    log::info(format("checkpoint {} ({}, {:.2f} s)", store_.last_path(), print_bytes(n_bytes),
                     monotonic_s() - begin_s));
    return n_bytes;
  }
  void refresh() override { store_.refresh(); }

 private:
  /// A job that has lost its place to another must end, not try again.
  std::size_t save_or_leave(const search::Snapshot& snapshot) {
    try {
      return store_.save(snapshot);
    } catch (const Error& error) {
      if (store_.owns_place()) throw;
      throw Error(ErrorKind::kResume, error.message(), error.where(), error.hint());
    }
  }

  store::CheckpointStore& store_;
};

std::int32_t refit_block_trees(const search::Family& family) {
  // A function of the job alone, so that a restart on other ranks finds the same blocks.
  return static_cast<std::int32_t>(std::max<std::int64_t>(8, (family.n_units() + 31) / 32));
}

}  // namespace

SearchJob::SearchJob(Session& session)
    : session_(session), job_(session.job()), began_s_(monotonic_s()) {}

int SearchJob::run() {
  data_ = prepare_data(session_);
  plan();
  resume();
  if (cross_validate() == run::PhaseEnd::kStopped) return kExitStopped;
  if (has_refit() && refit() == run::PhaseEnd::kStopped) return kExitStopped;
  session_.world().together([&] {
    if (session_.is_root()) write_outputs();
  });
  return 0;
}

void SearchJob::plan() {
  session_.world().together([&] {
    auto points = search::expand(job_.grids);
    const auto families = search::make_families(points, job_.search.share_fits);
    const auto n_folds = static_cast<std::int32_t>(data_.folds.size());
    const auto cutting =
        search::choose_cutting(families, n_folds, data_.shape, session_.world().size());
    plan_ =
        search::make_plan(std::move(points), job_.search.share_fits, n_folds, data_.shape, cutting);
  });
  const auto& table = data_.loaded.table;
  log::info(format(
      "{}: {} rows, {} features, {}", job_.data.train, table.n_rows, table.schema.n_features(),
      table.schema.task == Task::kRegression ? "regression"
                                             : format("{} classes", table.schema.n_classes())));
  if (plan_.n_folds > 0) {
    log::info(format("{} points x {} folds = {} fits, shared: {} {}, {} fits in {} tasks",
                     plan_.points.size(), plan_.n_folds,
                     plan_.points.size() * static_cast<std::size_t>(plan_.n_folds),
                     plan_.families.size(), plan_.families.size() == 1 ? "family" : "families",
                     plan_.n_fits(), plan_.tasks.size()));
  }
  log::info(format("{} rank{}, {} thread{} each ({}), {} instructions", session_.world().size(),
                   session_.world().size() == 1 ? "" : "s", session_.threads().n_threads,
                   session_.threads().n_threads == 1 ? "" : "s", session_.threads().origin,
                   name_of(instruction_set())));
}

store::JobIdentity SearchJob::identity() const {
  store::JobIdentity identity;
  identity.emplace_back("command",
                        session_.command() == options::Command::kTrain ? "train" : "search");
  identity.emplace_back("data.digest", data_.loaded.digest.hex());
  identity.emplace_back("data.rows", format("{}", data_.loaded.table.n_rows));
  identity.emplace_back("folds.digest", data_.fold_digest);
  for (const auto& option : job_.resolved) {
    if (option.affects_result) identity.emplace_back(option.key, option.value);
  }
  identity.emplace_back("search.share_fits", job_.search.share_fits ? "true" : "false");
  return identity;
}

void SearchJob::resume() {
  const Doing doing("looks for checkpoints", Beats::kNone);
  auto& world = session_.world();
  ByteWriter writer;
  world.together([&] {
    if (!session_.is_root()) return;
    const auto& settings = job_.checkpoint;
    checkpoints_ = std::make_unique<store::CheckpointStore>(
        store::CheckpointPlace{settings.checkpoint_dir, settings.checkpoint_file,
                               settings.checkpoint_max_files},
        identity());
    sink_ = std::make_unique<StoreSink>(*checkpoints_);
    if (settings.resume_from_checkpoint != "none") {
      std::vector<std::string> passed_over;
      resumed_ = checkpoints_->load(settings.resume_from_checkpoint, passed_over);
      for (const auto& fault : passed_over) log::warning("checkpoint passed over: " + fault);
    }
    if (resumed_) {
      earlier_s_ = resumed_->elapsed_s;
      n_restarts_ = resumed_->n_restarts + 1;
      plan_.cutting = resumed_->cutting;
      log::info(format("resuming from {}: {} finished tasks, {} under way, restart {}",
                       checkpoints_->last_path(), resumed_->results.size(),
                       resumed_->running.size(), n_restarts_));
    }
    writer.put(plan_.cutting);
  });
  const auto cutting = ByteReader(world.broadcast(writer.take(), 0)).get<search::Cutting>();
  plan_ = search::make_plan(std::move(plan_.points), job_.search.share_fits, plan_.n_folds,
                            data_.shape, cutting);
}

void SearchJob::restore(search::Phase& phase) {
  if (!resumed_) return;
  for (auto& result : resumed_->results) {
    if (phase.has(result.task)) phase.restore(std::move(result));
  }
}

search::Snapshot SearchJob::snapshot(std::vector<search::RunningTask> running) const {
  search::Snapshot snapshot;
  for (const auto* phase : {cv_phase_.get(), refit_phase_.get()}) {
    if (phase == nullptr) continue;
    for (const auto* result : phase->results()) snapshot.results.push_back(*result);
  }
  snapshot.running = std::move(running);
  snapshot.cutting = plan_.cutting;
  snapshot.elapsed_s = earlier_s_ + (monotonic_s() - began_s_);
  snapshot.n_restarts = n_restarts_;
  return snapshot;
}

run::PhaseEnd SearchJob::run_tasks(const std::string& name,
                                   const std::vector<search::Family>& families,
                                   const run::FoldStore& folds, search::Phase* phase) {
  report::ProgressLine progress(name, session_.is_root() ? job_.job.verbose : 0);
  const search::TaskContext tasks{families, data_.loaded.table.schema, job_.search.scoring,
                                  folds,    job_.job.random_state,     session_.pool()};
  run::PhaseSetup setup;
  setup.make_runner = search::task_runners(tasks);
  setup.pool = &session_.pool();
  setup.phase = phase;
  if (resumed_) setup.resumed = resumed_->running;
  setup.checkpoint_interval_s = job_.checkpoint.interval;
  setup.sink = sink_.get();
  setup.make_snapshot = [this](auto running) { return snapshot(std::move(running)); };
  setup.on_progress = [&](const search::Progress& now) { progress.show(now); };
  return run::run_phase(session_.world(), setup);
}

run::PhaseEnd SearchJob::cross_validate() {
  auto& node = session_.node();
  auto end = run::PhaseEnd::kDone;
  const double begin_s = monotonic_s();
  if (plan_.n_folds > 0) {
    session_.world().together([&] {
      cv_folds_ = std::make_unique<run::FoldStore>(node, data_.loaded.table,
                                                   fold_needs(plan_.families, data_.folds),
                                                   job_.job.random_state, session_.pool());
    });
    session_.world().together([&] {
      if (!session_.is_root()) return;
      cv_phase_ =
          std::make_unique<search::Phase>(plan_.families, plan_.tasks, 0, data_.loaded.table.schema,
                                          job_.search.scoring, *cv_folds_);
      restore(*cv_phase_);
    });
    end = run_tasks("search", plan_.families, *cv_folds_, cv_phase_.get());
    cv_folds_->release(node);
    if (end == run::PhaseEnd::kStopped) return end;
    log::info(format("search phase: {:.2f} s", monotonic_s() - begin_s));
  }
  choose_best();
  return end;
}

bool SearchJob::has_refit() const { return best_ >= 0; }

std::string SearchJob::phase_name() const {
  return session_.command() == options::Command::kTrain ? "training" : "refit";
}

void SearchJob::choose_best() {
  auto& world = session_.world();
  ByteWriter writer;
  world.together([&] {
    if (!session_.is_root()) return;
    std::int32_t best = plan_.n_folds == 0 ? 0 : -1;
    if (plan_.n_folds > 0) {
      results_ = search::make_results(plan_, *cv_phase_, job_.search.scoring, job_.search.refit);
      judge_results();
      best = results_->best.value_or(-1);
    }
    writer.put(best);
  });
  best_ = ByteReader(world.broadcast(writer.take(), 0)).get<std::int32_t>();
}

/// Tells what went wrong at points; ends the job, with its tables written, when nothing is left.
void SearchJob::judge_results() {
  std::size_t n_failed = 0, n_undefined = 0;
  std::string reason;
  for (const auto& point : results_->points) {
    n_failed += point.failure.empty() ? 0 : 1;
    n_undefined += point.undefined.empty() ? 0 : 1;
    if (reason.empty()) reason = point.failure.empty() ? point.undefined : point.failure;
  }
  const auto n_points = results_->points.size();
  if (n_failed == n_points) {
    write_tables();
    throw Error(ErrorKind::kData, "every point failed; the first: " + reason, job_.data.train);
  }
  if (n_failed + n_undefined > 0) {
    log::warning(format("of {} points {} failed and {} have undefined scores; the first: {}",
                        n_points, n_failed, n_undefined, reason));
  }
  if (job_.search.refit != "none" && !results_->best) {
    write_tables();
    throw Error(
        ErrorKind::kData,
        format("no point has a defined {}, so none can be refitted: {}", job_.search.refit, reason),
        "search.refit", "Choose another scorer, or refit = none.");
  }
}

run::PhaseEnd SearchJob::refit() {
  const auto& point = plan_.points[static_cast<std::size_t>(best_)];
  const double begin_s = monotonic_s();
  session_.world().together([&] {
    refit_families_ = {search::family_of(point)};
    auto needs = fold_needs(refit_families_, {data_.refit_rows});
    for (auto& need : needs) {
      need.fold = search::kRefitFold;
      need.rows = &data_.refit_rows;
    }
    refit_folds_ = std::make_unique<run::FoldStore>(session_.node(), data_.loaded.table, needs,
                                                    job_.job.random_state, session_.pool());
    data_.refit_rows.train = std::vector<RowIndex>();  // the binned data stands for them
  });
  session_.world().together([&] {
    if (!session_.is_root()) return;
    auto tasks = search::make_blocks(refit_families_.front(), search::kRefitFold,
                                     refit_block_trees(refit_families_.front()));
    for (auto& task : tasks) {
      task.cost = search::estimate_cost(refit_families_.front(), task.last_unit - task.first_unit,
                                        data_.shape);
    }
    refit_phase_ = std::make_unique<search::Phase>(
        refit_families_, std::move(tasks), static_cast<std::int32_t>(plan_.tasks.size()),
        data_.loaded.table.schema, job_.search.scoring, *refit_folds_);
    restore(*refit_phase_);
    if (refit_phase_->is_done()) log::info("already complete: only the outputs are written again");
  });
  const auto end = run_tasks(phase_name(), refit_families_, *refit_folds_, refit_phase_.get());
  refit_folds_->release(session_.node());
  if (end == run::PhaseEnd::kDone) {
    log::info(format("{} phase: {:.2f} s", phase_name(), monotonic_s() - begin_s));
  }
  return end;
}

model::Ensemble SearchJob::assemble_model() {
  const auto& outcome = refit_phase_->outcome(0, search::kRefitFold);
  if (!outcome.failure.empty()) {
    throw Error(ErrorKind::kData, "the refit failed: " + outcome.failure, job_.data.train);
  }
  const auto& point = plan_.points[static_cast<std::size_t>(best_)];
  const auto frame = refit_phase_->frame(0, search::kRefitFold);
  model::Ensemble ensemble;
  ensemble.schema = data_.loaded.table.schema;
  ensemble.estimator = options::name_of(point.estimator);
  for (const auto& param : options::resolved_params(point.estimator, point.params)) {
    ensemble.params.emplace_back(param.name, options::print_value(param.value));
  }
  ensemble.params.emplace_back("random_state", format("{}", job_.job.random_state));
  ensemble.combine = frame.combine;
  ensemble.n_outputs = frame.n_outputs;
  ensemble.value_exponent = frame.value_exponent;
  ensemble.baseline = frame.baseline;
  for (auto& unit : refit_phase_->take_units(0, search::kRefitFold)) {
    for (auto& tree : unit.take()) {
      ensemble.trees.push_back(tree.stops.empty() ? std::move(tree) : learn::apply_cut(tree, 0));
    }
  }
  return ensemble;
}

void SearchJob::write_outputs() {
  const Doing doing("writes the results", Beats::kNone);
  // The checkpoint of a finished job makes running it again a matter of writing the outputs.
  sink_->save(snapshot({}));
  if (has_refit()) {
    store::save_model(session_.output_path(job_.output.model), assemble_model());
  }
  if (results_) write_tables();
  report_end();
}

void SearchJob::write_tables() {
  AtomicFile table(session_.output_path(job_.output.cv_results));
  table.write(report::cv_results_csv(*results_));
  table.publish();
  store::ResultFile file;
  file.program_version = ORCHARD_VERSION;
  for (const auto& option : job_.resolved) {
    if (option.affects_result) file.settings.push_back(option);
  }
  file.data_digest = data_.loaded.digest.hex();
  file.n_rows = data_.shape.n_rows;
  file.n_features = data_.shape.n_features;
  file.results = *results_;
  store::save_results(session_.output_path(job_.output.results), file);
}

void SearchJob::report_end() const {
  std::string text;
  if (results_) text += "\n" + report::ranking_table(*results_, 10) + "\n";
  if (session_.command() == options::Command::kTrain && !data_.refit_rows.test.empty()) {
    const auto& scores = refit_phase_->outcome(0, search::kRefitFold).scores.scores;
    for (std::size_t scorer = 0; scorer < job_.search.scoring.size(); ++scorer) {
      text +=
          format("held-out {}: {}\n", job_.search.scoring[scorer], print_double(scores[scorer]));
    }
  }
  if (results_) {
    text += format("table   {}\n", session_.output_path(job_.output.cv_results));
    text += format("results {}\n", session_.output_path(job_.output.results));
  }
  if (has_refit()) text += format("model   {}\n", session_.output_path(job_.output.model));
  text += format("log     {}\n", session_.output_path(job_.output.log));
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
  log::info(format("done in {}", print_duration(earlier_s_ + monotonic_s() - began_s_)));
}

}  // namespace orchard::app
