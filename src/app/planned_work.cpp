#include "planned_work.hpp"

#include "orchard/run/layout.hpp"
#include "orchard/run/share_store.hpp"

namespace orchard::app {
namespace {

/// The binned data of a phase of `n_fits` fits.
run::BinBytes bin_bytes(const options::ParallelSettings& settings, const data::Table& table,
                        const std::vector<run::FoldNeed>& needs, std::size_t n_fits,
                        const run::Allocation& allocation) {
  if (settings.layout != options::Layout::kRows) {
    return run::fold_store_bytes(table, needs, allocation.n_ranks_on_node(), allocation.n_threads);
  }
  const auto node_of_rank = allocation.node_of_rank();
  return run::share_store_bytes(table, needs, run::make_groups(node_of_rank, settings, n_fits),
                                node_of_rank, allocation.n_threads);
}

}  // namespace

run::Workload describe_work(const Session& session, const PreparedData& data,
                            const search::Plan& plan, const run::Allocation& allocation,
                            const options::ParallelSettings& parallel) {
  const auto& job = session.job();
  run::Workload work;
  work.plan = &plan;
  work.shape = data.shape;
  work.n_scorers = job.search.scoring.size();
  const bool is_training = session.command() == options::Command::kTrain;
  work.has_refit = is_training || job.search.refit != "none";
  work.n_refit = data.refit_rows.train.size();
  work.n_refit_test = data.refit_rows.test.size();
  for (const auto& fold : data.folds) {
    work.n_train = std::max<std::uint64_t>(work.n_train, fold.train.size());
    work.n_test = std::max<std::uint64_t>(work.n_test, fold.test.size());
  }
  work.parallel = parallel;
  work.checkpoint_interval_s = job.checkpoint.interval;
  work.table_bytes = data.loaded.memory.n_bytes;
  const auto bins = [&](const std::vector<run::FoldNeed>& needs, std::size_t n_fits) {
    return bin_bytes(parallel, data.loaded.table, needs, n_fits, allocation);
  };
  work.search_bins = bins(fold_needs(plan.families, data.folds), plan.n_fits());
  if (!work.has_refit) return work;
  // Which point is refitted is not known: the one that needs most.
  for (const auto& family : plan.families) {
    work.refit_bins =
        run::most_of(work.refit_bins, bins(fold_needs({family}, {data.refit_rows}), 1));
  }
  return work;
}

Way choose_way(const Session& session, const PreparedData& data, const search::Plan& plan,
               const run::Allocation& allocation, const run::NodeLimits& limits,
               bool is_table_there, std::size_t first) {
  const auto ways =
      run::ways_to_grow(session.job().parallel, allocation.n_ranks, allocation.n_nodes);
  std::optional<Error> refusal;  // of the first way without room
  for (std::size_t number = 0; number < ways.size(); ++number) {
    auto forecast = run::make_forecast(describe_work(session, data, plan, allocation, ways[number]),
                                       allocation);
    auto needed = forecast.bins_alone();
    if (!is_table_there) needed.table_bytes = forecast.table_bytes;
    const auto error = run::refuse(needed, limits);
    if (!refusal) refusal = error;
    if (error || number < first) continue;
    return {number, ways[number], refusal ? refusal->message() : std::string(), {}};
  }
  return {0, ways.front(), {}, refusal};
}

run::Allocation own_allocation(Session& session) {
  run::Allocation out;
  const int n_here = session.node().size();
  out.n_ranks = session.world().size();
  out.n_nodes = static_cast<int>(session.world().sum(session.node().rank() == 0 ? 1 : 0));
  out.n_threads = session.threads().n_threads;
  out.threads_origin = session.threads().origin;
  out.n_cores = n_here * out.n_threads;
  out.may_oversubscribe = true;  // threads were shared out before
  return out;
}

}  // namespace orchard::app
