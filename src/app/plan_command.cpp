#include <cstdio>

#include "commands.hpp"
#include "orchard/base/text.hpp"
#include "prepared_data.hpp"

namespace orchard::app {
namespace {

std::size_t table_bytes(const data::Table& table) {
  const std::size_t n_rows = table.n_rows;
  return n_rows * (table.schema.n_features() * sizeof(float) + sizeof(double) +
                   (table.weight.empty() ? 0 : sizeof(double)));
}

std::string data_part(const Session& session, const PreparedData& data) {
  const auto& table = data.loaded.table;
  std::size_t n_categorical = 0;
  for (const auto& feature : table.schema.features) {
    n_categorical += feature.kind == model::FeatureKind::kCategorical ? 1 : 0;
  }
  std::string text = format("data      {}\n", session.job().data.train);
  text += format("          {} rows, {} features ({} categorical), target {}: {}\n", table.n_rows,
                 table.schema.n_features(), n_categorical, table.schema.target,
                 table.schema.task == Task::kRegression
                     ? std::string("regression")
                     : format("{} classes", table.schema.n_classes()));
  return text;
}

std::string family_line(const search::Family& family) {
  if (!family.is_forest()) {
    return format("          family {}: {}, {} point{}, {} rounds\n", family.id,
                  options::name_of(family.estimator), family.members.size(),
                  family.members.size() == 1 ? "" : "s", family.n_units());
  }
  return format(
      "          family {}: {}, {} point{} read out of {} trees ({} stage{} x {} cut{} x {} leaf "
      "size{})\n",
      family.id, options::name_of(family.estimator), family.members.size(),
      family.members.size() == 1 ? "" : "s", family.n_units(), family.stages.size(),
      family.stages.size() == 1 ? "" : "s", family.cut_settings.size(),
      family.cut_settings.size() == 1 ? "" : "s", family.leaf_sizes.size(),
      family.leaf_sizes.size() == 1 ? "" : "s");
}

std::string work_part(const search::Plan& plan, bool has_refit, bool shares) {
  constexpr std::size_t kMaxFamiliesShown = 20;
  const auto n_folds = static_cast<std::size_t>(plan.n_folds);
  std::string text = format("points    {} points x {} folds = {} point fits\n", plan.points.size(),
                            n_folds, plan.points.size() * n_folds);
  text += format("fits      {} famil{} x {} folds = {} fits{}\n", plan.families.size(),
                 plan.families.size() == 1 ? "y" : "ies", n_folds, plan.n_fits(),
                 shares ? "" : " (sharing is off)");
  for (std::size_t i = 0; i < std::min(kMaxFamiliesShown, plan.families.size()); ++i) {
    text += family_line(plan.families[i]);
  }
  if (plan.families.size() > kMaxFamiliesShown) {
    text += format("          ... and {} more\n", plan.families.size() - kMaxFamiliesShown);
  }
  text += format("tasks     {} ({}), then {}\n", plan.tasks.size(),
                 plan.cutting.n_fits > 0 ? format("{} forests in blocks of up to {} trees",
                                                  plan.cutting.n_fits, plan.cutting.block_trees)
                                         : std::string("whole fits"),
                 has_refit ? "the refit of the best point on all rows" : "no refit");
  return text;
}

}  // namespace

int run_plan(comm::Communicator& world, const options::CommandLine& command_line) {
  Session session(world, command_line);
  const auto data = prepare_data(session);
  const auto& job = session.job();
  world.together([&] {
    if (!session.is_root()) return;
    const int n_ranks = static_cast<int>(command_line.n_ranks.value_or(world.size()));
    auto points = search::expand(job.grids);
    const auto families = search::make_families(points, job.search.share_fits);
    const auto n_folds = static_cast<std::int32_t>(data.folds.size());
    const auto plan =
        search::make_plan(std::move(points), job.search.share_fits, n_folds, data.shape,
                          search::choose_cutting(families, n_folds, data.shape, n_ranks));
    const auto binned =
        run::fold_store_bytes(data.loaded.table, fold_needs(plan.families, data.folds));
    std::string text = format("job       {} ({})\n", job.job.name, job.path);
    text += data_part(session, data);
    text += work_part(plan, job.search.refit != "none", job.search.share_fits);
    text += format("ranks     {} rank{} x {} thread{} ({})\n", n_ranks, n_ranks == 1 ? "" : "s",
                   session.threads().n_threads, session.threads().n_threads == 1 ? "" : "s",
                   session.threads().origin);
    text += format("memory    {} for the table and {} for the binned folds, once per node\n",
                   print_bytes(table_bytes(data.loaded.table)), print_bytes(binned));
    text += format("output    {}\n", job.job.output_dir);
    text += format("restart   {}/{}.h5, every {} s\n", job.checkpoint.checkpoint_dir,
                   job.checkpoint.checkpoint_file, print_double(job.checkpoint.interval));
    std::fputs(text.c_str(), stdout);
  });
  session.node().free_shared(data.loaded.memory);
  return 0;
}

}  // namespace orchard::app
