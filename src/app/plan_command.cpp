#include <algorithm>
#include <cstdio>
#include <numeric>

#include "commands.hpp"
#include "orchard/base/text.hpp"
#include "orchard/run/calibration.hpp"
#include "orchard/run/layout.hpp"
#include "planned_work.hpp"

namespace orchard::app {
namespace {

// Long enough for a few units of two families, short enough to be asked often.
constexpr double kCalibration_s = 1.5;

std::string data_part(const Session& session, const PreparedData& data) {
  const auto& table = data.loaded.table;
  std::size_t n_categorical = 0;
  for (const auto& feature : table.schema.features) {
    n_categorical += feature.kind == model::FeatureKind::kCategorical ? 1 : 0;
  }
  std::string text = format("data      {}\n", session.job().data.train);
  text += format("          {}, {} ({} categorical), target {}: {}\n", counted(table.n_rows, "row"),
                 counted(table.schema.n_features(), "feature"), n_categorical, table.schema.target,
                 table.schema.task == Task::kRegression
                     ? std::string("regression")
                     : format("{} classes", table.schema.n_classes()));
  return text;
}

std::string family_line(const search::Family& family) {
  if (!family.is_forest()) {
    return format("          family {}: {}, {}, {}\n", family.id,
                  options::name_of(family.estimator), counted(family.members.size(), "point"),
                  counted(family.n_units(), "round"));
  }
  return format("          family {}: {}, {} read out of {} ({} x {} x {})\n", family.id,
                options::name_of(family.estimator), counted(family.members.size(), "point"),
                counted(family.n_units(), "tree"), counted(family.stages.size(), "stage"),
                counted(family.cut_settings.size(), "cut"),
                counted(family.leaf_sizes.size(), "leaf size"));
}

std::string work_part(const search::Plan& plan, bool has_refit, bool shares) {
  constexpr std::size_t kMaxFamiliesShown = 20;
  const auto n_folds = static_cast<std::size_t>(plan.n_folds);
  std::string text =
      format("points    {} x {} = {}\n", counted(plan.points.size(), "point"),
             counted(n_folds, "fold"), counted(plan.points.size() * n_folds, "point fit"));
  text += format("fits      {} famil{} x {} = {}{}\n", plan.families.size(),
                 plan.families.size() == 1 ? "y" : "ies", counted(n_folds, "fold"),
                 counted(plan.n_fits(), "fit"), shares ? "" : " (sharing is off)");
  for (std::size_t i = 0; i < std::min(kMaxFamiliesShown, plan.families.size()); ++i) {
    text += family_line(plan.families[i]);
  }
  if (plan.families.size() > kMaxFamiliesShown) {
    text += format("          ... and {} more\n", plan.families.size() - kMaxFamiliesShown);
  }
  text += format("tasks     {} ({}), then {}\n", plan.tasks.size(),
                 plan.cutting.n_fits > 0
                     ? format("{} in blocks of up to {}", counted(plan.cutting.n_fits, "forest"),
                              counted(plan.cutting.block_trees, "tree"))
                     : std::string("whole fits"),
                 has_refit ? "the refit of the best point on all rows" : "no refit");
  return text;
}

/// The ranks that were asked for; cores that were not named are those of this machine.
run::Allocation planned_allocation(Session& session, const options::CommandLine& line) {
  run::Allocation out;
  out.n_ranks = static_cast<int>(line.n_ranks.value_or(session.world().size()));
  out.n_nodes = static_cast<int>(line.n_nodes.value_or(1));
  if (out.n_nodes > out.n_ranks) {
    throw Error(
        ErrorKind::kResources,
        format("{} cannot use {}", counted(out.n_ranks, "rank"), counted(out.n_nodes, "node")),
        "--nodes", "Give at least one rank to each node.");
  }
  out.n_cores = static_cast<int>(line.n_cores.value_or(parallel::allowed_cores()));
  const auto& settings = session.job().parallel;
  out.may_oversubscribe = settings.oversubscribe;
  // Demands are judged with the other limits, which name what would work.
  auto wish = settings;
  wish.oversubscribe = true;
  run::CoresOfNode node;
  std::vector<int> cores(static_cast<std::size_t>(out.n_cores));
  std::iota(cores.begin(), cores.end(), 0);
  node.masks.assign(static_cast<std::size_t>(out.n_ranks_on_node()), cores);
  const auto share = run::choose_threads(node, wish);
  out.n_threads = share.n_threads;
  out.threads_origin = share.origin;
  return out;
}

/// The layout and why: what the job demands, or what it will do for want of a demand.
std::string layout_line(const Way& way, const search::Plan& plan, const run::Forecast& forecast) {
  const auto& settings = way.parallel;
  switch (settings.layout) {
    case options::Layout::kReplicated:
      return "replicated, as demanded: every fit is grown by one rank";
    case options::Layout::kTrees:
      return "trees, as demanded: forests are grown in blocks of trees";
    case options::Layout::kRows: {
      const auto n_groups = std::max<std::size_t>(1, forecast.n_groups);
      const auto n_ranks = static_cast<std::size_t>(forecast.allocation.n_ranks);
      return format("rows, {}: {} of up to {} a fit, each with its share of the rows",
                    way.reason.empty() ? "as demanded" : "for want of room",
                    counted(n_groups, "group"),
                    counted((n_ranks + n_groups - 1) / n_groups, "rank"));
    }
    case options::Layout::kAuto:
      break;
  }
  if (forecast.allocation.n_ranks == 1) return "one rank grows every fit";
  const bool has_boosting = std::any_of(plan.families.begin(), plan.families.end(),
                                        [](const auto& family) { return !family.is_forest(); });
  std::string text = plan.cutting.n_fits > 0 ? "auto: forests are spread over ranks by their trees"
                                             : "auto: every fit is grown by one rank";
  if (!has_boosting) return text;
  if (forecast.max_joined_ranks > 1) {
    text += format("; idle ranks of a node join large boosting fits that are left, up to {} a fit",
                   forecast.max_joined_ranks);
  } else {
    text += "; no boosting fit is large enough for idle ranks to join";
  }
  return text;
}

std::string layout_part(const run::Forecast& forecast, const search::Plan& plan, const Way& way) {
  const auto& allocation = forecast.allocation;
  std::string text = format("ranks     {} on {}, {} x {} on {} each ({})\n", allocation.n_ranks,
                            counted(allocation.n_nodes, "node"), allocation.n_ranks_on_node(),
                            counted(allocation.n_threads, "thread"),
                            counted(allocation.n_cores, "core"), allocation.threads_origin);
  text += format("layout    {}\n", layout_line(way, plan, forecast));
  if (!way.reason.empty()) text += format("          otherwise {}\n", way.reason);
  if (const int n_idle = forecast.n_idle_ranks(); n_idle > 0) {
    text += format("          {} will find no task of their own: there are {}\n",
                   counted(n_idle, "rank"), std::max(forecast.n_tasks, forecast.n_refit_tasks));
  }
  return text;
}

std::string memory_part(const run::Forecast& forecast, const run::NodeLimits& limits) {
  std::string text = format("memory    {} on a node", print_bytes(forecast.node_bytes()));
  if (limits.memory_bytes) {
    text += format(" of {} ({})", print_bytes(*limits.memory_bytes), limits.memory_origin);
  }
  text += format(
      "\n          shared {}: table {}, binned folds {}, then binned refit {}\n"
      "          {} of up to {}: program {}, rows and fits {}, trees of others on rank 0 {}\n",
      print_bytes(forecast.shared_bytes()), print_bytes(forecast.table_bytes),
      print_bytes(forecast.search.bins.of_node), print_bytes(forecast.refit.bins.of_node),
      counted(forecast.allocation.n_ranks_on_node(), "rank"), print_bytes(forecast.private_bytes()),
      print_bytes(forecast.program_bytes),
      print_bytes(std::max(forecast.search.rank_bytes(), forecast.refit.rank_bytes())),
      print_bytes(std::max(forecast.search.root_bytes, forecast.refit.root_bytes)));
  const auto share = std::max(forecast.search.bins.of_rank, forecast.refit.bins.of_rank);
  if (share > 0) {
    text += format("          with its share of the binned rows, up to {}\n", print_bytes(share));
  }
  if (limits.shared_bytes && forecast.allocation.n_ranks_on_node() > 1) {
    text += format("          /dev/shm has {} free\n", print_bytes(*limits.shared_bytes));
  }
  return text;
}

std::string time_part(const run::Forecast& forecast,
                      const std::vector<run::Calibration>& calibrations) {
  const auto n_measured = std::count_if(calibrations.begin(), calibrations.end(),
                                        [](const auto& each) { return each.is_measured; });
  std::string text = format("time      search {}", print_duration(forecast.search_s));
  if (forecast.n_refit_tasks > 0) {
    text += format(", refit {}{}", forecast.is_refit_at_most ? "at most " : "",
                   print_duration(forecast.refit_s));
  }
  text += format(", by {} famil{} grown here for a moment; early stopping only shortens it\n",
                 n_measured, n_measured == 1 ? "y" : "ies");
  text += format("files     ");
  if (forecast.model_bytes > 0) {
    text += format("model {}{}, ", forecast.is_refit_at_most ? "at most " : "",
                   print_bytes(forecast.model_bytes));
  }
  return text + format("checkpoint at most {}, results {}\n",
                       print_bytes(forecast.checkpoint_bytes), print_bytes(forecast.results_bytes));
}

}  // namespace

int run_plan(comm::Communicator& world, const options::CommandLine& command_line) {
  Session session(world, command_line);
  const auto data = prepare_data(session);
  const auto& job = session.job();
  world.together([&] {
    if (!session.is_root()) return;
    const auto allocation = planned_allocation(session, command_line);
    auto points = search::expand(job.grids);
    const auto families = search::make_families(points, job.search.share_fits);
    const auto n_folds = static_cast<std::int32_t>(data.folds.size());
    run::check_layout(job.parallel, families, allocation.n_ranks);
    const auto cutting =
        run::choose_cutting(job.parallel, families, n_folds, data.shape, allocation.n_ranks);
    const auto plan =
        search::make_plan(std::move(points), job.search.share_fits, n_folds, data.shape, cutting);
    const auto limits = run::node_limits();
    const auto way = choose_way(session, data, plan, allocation, limits, false);
    auto work = describe_work(session, data, plan, allocation, way.parallel);
    work.calibrations = run::calibrate(plan.families, data.loaded.table, data.folds.front(),
                                       job.job.random_state, kCalibration_s, session.pool());
    const auto forecast = run::make_forecast(work, allocation);
    std::string text = format("job       {} ({})\n", job.job.name, job.path);
    text += data_part(session, data);
    text += work_part(plan, job.search.refit != "none", job.search.share_fits);
    text += layout_part(forecast, plan, way);
    text += memory_part(forecast, limits);
    text += time_part(forecast, work.calibrations);
    text += format("output    {}\n", job.job.output_dir);
    text += format("restart   {}/{}.h5, every {} s\n", job.checkpoint.checkpoint_dir,
                   job.checkpoint.checkpoint_file, print_double(job.checkpoint.interval));
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
    if (const auto error = run::refuse(forecast, limits)) throw *error;
  });
  session.node().free_shared(data.loaded.memory);
  return 0;
}

}  // namespace orchard::app
