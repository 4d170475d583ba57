#include "planned_work.hpp"

#include <algorithm>

namespace orchard::app {
namespace {

/// The binned data of the refit of the point that needs most.
std::size_t refit_bytes(const PreparedData& data, const search::Plan& plan) {
  std::size_t most = 0;
  for (const auto& family : plan.families) {
    most = std::max(
        most, run::fold_store_bytes(data.loaded.table, fold_needs({family}, {data.refit_rows})));
  }
  return most;
}

}  // namespace

run::Workload describe_work(const Session& session, const PreparedData& data,
                            const search::Plan& plan) {
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
  work.table_bytes = data.loaded.memory.n_bytes;
  work.search_bytes =
      run::fold_store_bytes(data.loaded.table, fold_needs(plan.families, data.folds));
  if (work.has_refit) work.refit_bytes = refit_bytes(data, plan);
  return work;
}

run::Allocation own_allocation(Session& session) {
  run::Allocation out;
  const int n_here = session.node().size();
  out.n_ranks = session.world().size();
  out.n_nodes = (out.n_ranks + n_here - 1) / n_here;
  out.n_threads = session.threads().n_threads;
  out.threads_origin = session.threads().origin;
  out.n_cores = n_here * out.n_threads;
  out.may_oversubscribe = true;  // threads were shared out before
  return out;
}

}  // namespace orchard::app
