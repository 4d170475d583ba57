#include "search_job.hpp"

#include <algorithm>
#include <set>

#include "orchard/base/clock.hpp"
#include "orchard/base/file.hpp"
#include "orchard/base/instruction_set.hpp"
#include "orchard/base/log.hpp"
#include "orchard/base/process.hpp"
#include "orchard/base/pulse.hpp"
#include "orchard/base/text.hpp"
#include "orchard/report/cv_table.hpp"
#include "orchard/report/progress.hpp"
#include "orchard/search/task_runner.hpp"
#include "orchard/store/model_file.hpp"
#include "orchard/store/result_file.hpp"
#include "planned_work.hpp"
#include "store_sink.hpp"

namespace orchard::app {
namespace {

/// Seconds that a rank waits for another one of its group, and rank 0 for an answer: as long as the
/// watchdog lets a rank work on files, and no longer than any rank waits.
double answer_deadline_s(double watchdog_s) {
  constexpr double kLongest_s = 3600;
  return watchdog_s > 0 ? std::min(kLongest_s, 10 * watchdog_s) : kLongest_s;
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
  note_memory(0);
  compare_with_forecast();
  session_.world().together([&] {
    if (session_.is_root()) report_end();
  });
  return 0;
}

void SearchJob::plan() {
  session_.world().together([&] {
    auto points = search::expand(job_.grids);
    const auto families = search::make_families(points, job_.search.share_fits);
    const auto n_folds = static_cast<std::int32_t>(data_.folds.size());
    run::check_layout(job_.parallel, families, session_.world().size());
    const auto cutting =
        run::choose_cutting(job_.parallel, families, n_folds, data_.shape, session_.world().size());
    plan_ =
        search::make_plan(std::move(points), job_.search.share_fits, n_folds, data_.shape, cutting);
  });
  const auto& table = data_.loaded.table;
  log::info(format("{}: {}, {}, {}", job_.data.train, counted(table.n_rows, "row"),
                   counted(table.schema.n_features(), "feature"),
                   table.schema.task == Task::kRegression
                       ? "regression"
                       : format("{} classes", table.schema.n_classes())));
  if (plan_.n_folds > 0) {
    log::info(format("{} x {} = {}, shared: {} {}, {} in {}", counted(plan_.points.size(), "point"),
                     counted(plan_.n_folds, "fold"),
                     counted(plan_.points.size() * static_cast<std::size_t>(plan_.n_folds), "fit"),
                     plan_.families.size(), plan_.families.size() == 1 ? "family" : "families",
                     counted(plan_.n_fits(), "fit"), counted(plan_.tasks.size(), "task")));
  }
  log::info(format("{}, {} each ({}), {} instructions", counted(session_.world().size(), "rank"),
                   counted(session_.threads().n_threads, "thread"), session_.threads().origin,
                   name_of(instruction_set())));
  look_ahead();
}

/// Spreads the ranks over the fits of a phase.
void SearchJob::choose_layout(const std::vector<search::Family>& families, std::size_t n_fits) {
  auto& world = session_.world();
  layout_ = run::choose_layout(world, session_.node(), parallel_, families, n_fits, data_.shape,
                               session_.threads().n_threads);
  group_.reset();
  group_ = run::own_group(world, layout_);
  if (group_) {
    // A watchdog sees the ranks of its node; a group may have others.
    group_->set_deadline(answer_deadline_s(job_.parallel.watchdog));
    log::info(format("layout rows: {} of up to {} a fit", counted(layout_.groups.size(), "group"),
                     counted(layout_.groups.front().size(), "rank")));
  }
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
      log::info(format("resuming from {}: {}, {} under way, restart {}", checkpoints_->last_path(),
                       counted(resumed_->results.size(), "finished task"), resumed_->running.size(),
                       n_restarts_));
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
                                   const PhaseBins& bins, search::Phase* phase) {
  report::ProgressLine progress(name, session_.is_root() ? job_.job.verbose : 0);
  search::TaskContext tasks{families,      data_.loaded.table.schema, job_.search.scoring,
                            bins.source(), job_.job.random_state,     session_.pool()};
  tasks.has_shares = bins.has_shares();
  run::PhaseSetup setup;
  setup.make_runner = search::task_runners(tasks);
  setup.group_runners = search::group_runners(tasks);
  setup.pool = &session_.pool();
  setup.layout = layout_;
  setup.group = group_;
  setup.phase = phase;
  if (resumed_) setup.resumed = resumed_->running;
  setup.checkpoint_interval_s = job_.checkpoint.interval;
  setup.answer_deadline_s = answer_deadline_s(job_.parallel.watchdog);
  setup.sink = sink_.get();
  setup.make_snapshot = [this](auto running) { return snapshot(std::move(running)); };
  setup.on_progress = [&](const search::Progress& now) { progress.show(now); };
  const auto end = run::run_phase(session_.world(), setup);
  note_memory(bins.n_shared_bytes());
  return end;
}

/// Takes down the peaks since the last call, while the node's ranks shared the table and so much.
void SearchJob::note_memory(std::size_t n_shared_bytes) {
  note_private_bytes();
  // A rank that has a node for itself holds the shared data alone.
  const std::uint64_t shared_bytes = data_.loaded.memory.n_bytes + n_shared_bytes;
  const auto alone_bytes = session_.node().size() == 1 ? shared_bytes : 0;
  const auto peak_bytes = take_peak_private_bytes();
  most_private_bytes_ =
      std::max(most_private_bytes_, peak_bytes - std::min(peak_bytes, alone_bytes));
  most_shared_bytes_ = std::max(most_shared_bytes_, shared_bytes);
}

/// The bins of a phase, and no memory that nobody uses before and after they are made: what is free
/// between other blocks would add to what fits take.
std::unique_ptr<PhaseBins> SearchJob::make_bins(const std::vector<run::FoldNeed>& needs) {
  give_back_free_memory();
  take_peak_private_bytes();
  auto bins = std::make_unique<PhaseBins>(session_, data_.loaded.table, needs, group_);
  note_memory(bins->n_shared_bytes());
  give_back_free_memory();
  return bins;
}

run::PhaseEnd SearchJob::cross_validate() {
  auto& node = session_.node();
  auto end = run::PhaseEnd::kDone;
  const double begin_s = monotonic_s();
  if (plan_.n_folds > 0) {
    choose_layout(plan_.families, plan_.n_fits());
    session_.world().together([&] {
      cv_bins_ = make_bins(fold_needs(plan_.families, data_.folds));
      data_.folds = {};  // the binned data stands for them
    });
    session_.world().together([&] {
      if (!session_.is_root()) return;
      cv_phase_ =
          std::make_unique<search::Phase>(plan_.families, plan_.tasks, 0, data_.loaded.table.schema,
                                          job_.search.scoring, cv_bins_->source());
      restore(*cv_phase_);
    });
    end = run_tasks("search", plan_.families, *cv_bins_, cv_phase_.get());
    cv_bins_->release(node);
    if (end == run::PhaseEnd::kStopped) return end;
    search_s_ = monotonic_s() - begin_s;
    log::info(format("search phase: {:.2f} s", search_s_));
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
    log::warning(format("of {} {} failed and {} with undefined scores; the first: {}",
                        counted(n_points, "point"), n_failed, n_undefined, reason));
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
  refit_families_ = {search::family_of(point)};
  choose_layout(refit_families_, 1);
  session_.world().together([&] {
    auto needs = fold_needs(refit_families_, {data_.refit_rows});
    for (auto& need : needs) {
      need.fold = search::kRefitFold;
      need.rows = &data_.refit_rows;
    }
    refit_bins_ = make_bins(needs);
    data_.refit_rows.train = std::vector<RowIndex>();  // the binned data stands for them
  });
  session_.world().together([&] {
    if (!session_.is_root()) return;
    auto tasks = search::make_refit_blocks(refit_families_.front());
    for (auto& task : tasks) {
      task.cost = search::estimate_cost(refit_families_.front(), task.last_unit - task.first_unit,
                                        data_.shape);
    }
    refit_phase_ = std::make_unique<search::Phase>(
        refit_families_, std::move(tasks), static_cast<std::int32_t>(plan_.tasks.size()),
        data_.loaded.table.schema, job_.search.scoring, refit_bins_->source());
    restore(*refit_phase_);
    if (refit_phase_->is_done()) log::info("already complete: only the outputs are written again");
  });
  const auto end = run_tasks(phase_name(), refit_families_, *refit_bins_, refit_phase_.get());
  refit_bins_->release(session_.node());
  if (end == run::PhaseEnd::kDone) {
    refit_s_ = monotonic_s() - begin_s;
    log::info(format("{} phase: {:.2f} s", phase_name(), refit_s_));
  }
  return end;
}

void SearchJob::write_model() {
  const auto& outcome = refit_phase_->outcome(0, search::kRefitFold);
  if (!outcome.failure.empty()) {
    throw Error(ErrorKind::kData, "the refit failed: " + outcome.failure, job_.data.train);
  }
  const auto& point = plan_.points[static_cast<std::size_t>(best_)];
  const auto frame = refit_phase_->frame(0, search::kRefitFold);
  model::Ensemble head;
  head.schema = data_.loaded.table.schema;
  head.estimator = options::name_of(point.estimator);
  for (const auto& param : options::resolved_params(point.estimator, point.params)) {
    head.params.emplace_back(param.name, options::print_value(param.value));
  }
  head.params.emplace_back("random_state", format("{}", job_.job.random_state));
  head.combine = frame.combine;
  head.n_outputs = frame.n_outputs;
  head.value_exponent = frame.value_exponent;
  head.baseline = frame.baseline;
  auto units = refit_phase_->take_units(0, search::kRefitFold);
  for (auto& unit : units) {
    const auto trees = unit.packed();
    if (std::all_of(trees.begin(), trees.end(), [](auto& t) { return t.stops.is_empty(); })) {
      continue;
    }
    std::vector<model::Tree> cut;
    for (const auto& tree : unit) cut.push_back(learn::apply_cut(tree, 0));
    unit = model::Unit(cut);
  }
  store::save_model(session_.output_path(job_.output.model), head, units);
  note_private_bytes();
}

void SearchJob::write_outputs() {
  const Doing doing("writes the results", Beats::kNone);
  // The checkpoint of a finished job makes running it again a matter of writing the outputs.
  sink_->save(snapshot({}));
  if (has_refit()) write_model();
  if (results_) write_tables();
}

/// What the job will take, before anything is trained. Room for bins that cannot be there ends it
/// now, not after a search of hours when the refit's are made.
void SearchJob::look_ahead() {
  auto& world = session_.world();
  const auto allocation = own_allocation(session_);
  const auto limits = run::node_limits();
  // All nodes take the way that the node with the least room needs.
  Way way;
  for (std::int64_t least = -1, most = 0; least != most;) {
    world.together([&] {
      way = choose_way(session_, data_, plan_, allocation, limits, true,
                       static_cast<std::size_t>(most));
      if (way.refusal) throw *way.refusal;
    });
    least = world.min(static_cast<std::int64_t>(way.number));
    most = world.max(static_cast<std::int64_t>(way.number));
  }
  world.together([&] {
    parallel_ = way.parallel;
    if (way.number > 0) {
      log::warning(format("layout rows, for want of room: {}",
                          way.reason.empty() ? "another node has less" : way.reason));
    }
    forecast_ = run::make_forecast(describe_work(session_, data_, plan_, allocation, parallel_),
                                   allocation);
    auto still_to_come = forecast_;
    still_to_come.table_bytes = 0;
    if (const auto error = run::refuse(still_to_come, limits)) {
      log::warning(format("memory may not suffice: {}", error->what()));
    }
  });
  log::info(run::brief(forecast_));
}

/// Collective.
void SearchJob::compare_with_forecast() {
  const auto most = session_.world().max(static_cast<std::int64_t>(most_private_bytes_));
  log::info(format(
      "planned against real: search {} {}, {} {} {}; shared on a node {} {}; of its own a rank "
      "{} {}",
      print_duration(forecast_.search_s), print_duration(search_s_), phase_name(),
      print_duration(forecast_.refit_s), print_duration(refit_s_),
      print_bytes(forecast_.shared_bytes()), print_bytes(most_shared_bytes_),
      print_bytes(forecast_.private_bytes()), print_bytes(static_cast<std::uint64_t>(most))));
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
