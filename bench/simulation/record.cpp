// Runs every task of a search on one thread and writes how long each took.
//
// usage: record JOB >durations.txt
//
// A line a task: the estimate of its cost that hand-out goes by, its units, seconds of growing, of
// scoring, and the bytes of its result. Seconds are of processor time: a busy machine would else
// put its own tasks into the record. The table is read and binned before the first task begins.

#include <cstdio>
#include <ctime>

#include "orchard/base/file.hpp"
#include "orchard/base/text.hpp"
#include "orchard/options/parse.hpp"
#include "orchard/run/fold_store.hpp"
#include "orchard/run/table_loader.hpp"
#include "orchard/search/task_runner.hpp"

namespace orchard::bench {
namespace {

double processor_s() {
  std::timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

std::vector<run::FoldNeed> needs_of(const std::vector<data::Fold>& folds) {
  std::vector<run::FoldNeed> needs;
  for (std::size_t fold = 0; fold < folds.size(); ++fold) {
    needs.push_back({static_cast<std::int32_t>(fold), &folds[fold], 255, true});
  }
  return needs;
}

void record(const std::string& path) {
  const auto job = options::parse_job(options::Command::kSearch, path, read_text(path), {}, {});
  auto world = comm::self(), node = world.split_by_node();
  parallel::Pool pool(1);
  data::ReadRequest request;
  request.target = job.data.target;
  request.task = options::task_of(job.grids.front().estimator);
  const auto loaded = run::load_table(world, node, job.data.train, request, pool);
  const auto& table = loaded.table;
  const auto folds = data::make_folds(job.cv, table, {}, job.job.random_state);
  const run::FoldStore store(node, table, needs_of(folds), job.job.random_state, pool);
  const auto plan = search::make_plan(
      search::expand(job.grids), job.search.share_fits, static_cast<std::int32_t>(folds.size()),
      {table.n_rows, table.schema.n_features(), table.schema.n_classes(), table.schema.task}, {});
  const auto make_runner = search::task_runners(
      {plan.families, table.schema, job.search.scoring, store, job.job.random_state, pool});
  std::printf("# %s: %zu tasks on one thread\n# cost units fit_s score_s result_bytes\n",
              path.c_str(), plan.tasks.size());
  for (const auto& task : plan.tasks) {
    const double begin_s = processor_s();
    const auto runner = make_runner(task, {});
    while (!runner->is_done()) runner->step();
    const double fit_end_s = processor_s();
    const auto result = runner->result();
    const double score_s = processor_s() - fit_end_s;
    std::printf("%.4g %d %.4f %.4f %zu\n", task.cost, task.last_unit - task.first_unit,
                fit_end_s - begin_s, score_s, result.to_bytes().size());
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace orchard::bench

int main(int argc, char** argv) {
  try {
    if (argc != 2) throw orchard::Error(orchard::ErrorKind::kUsage, "usage: record JOB");
    orchard::bench::record(argv[1]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "record: %s\n", error.what());
    return 1;
  }
}
