#include "orchard/run/forecast.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>

#include "orchard/base/cgroup.hpp"
#include "orchard/base/env.hpp"
#include "orchard/base/text.hpp"
#include "orchard/comm/communicator.hpp"
#include "phase_clock.hpp"

namespace orchard::run {
namespace {

/// The program, its libraries and what MPI holds for a rank before there is any data.
constexpr std::uint64_t kProgram_bytes = 5'000'000;
/// What a table of results and a file of ours take before their first row.
constexpr std::uint64_t kFile_bytes = 16 << 10;

const Calibration& calibration(const Workload& work, std::int32_t family) {
  static const Calibration none;
  return work.calibrations.empty() ? none : work.calibrations[static_cast<std::size_t>(family)];
}

search::DataShape with_rows(search::DataShape shape, std::uint64_t n_rows) {
  shape.n_rows = n_rows;
  return shape;
}

TimedTask timed(const Workload& work, const search::Family& family, std::int32_t calibrated_as,
                std::int64_t n_units, std::uint64_t n_rows, const Allocation& allocation,
                const Layout& layout) {
  const auto shape = with_rows(work.shape, n_rows);
  TimedTask task;
  task.alone_s = search::estimate_cost(family, n_units, shape) *
                 calibration(work, calibrated_as).time_factor /
                 search::thread_speedup(family, allocation.n_threads);
  task.exchange_s = search::exchange_seconds(family, n_units, shape);
  task.may_grow = !family.is_forest() && !layout.unjoined_families.contains(family.id);
  return task;
}

std::uint64_t tree_bytes(const Workload& work, const search::Family& family,
                         std::int32_t calibrated_as, std::int64_t n_units, std::uint64_t n_rows,
                         std::size_t n_cuts) {
  return static_cast<std::uint64_t>(static_cast<double>(search::tree_bytes(
                                        family, n_units, with_rows(work.shape, n_rows), n_cuts)) *
                                    calibration(work, calibrated_as).size_factor);
}

/// The same trees in memory and in messages.
std::uint64_t held_bytes(const Workload& work, const search::Family& family,
                         std::int32_t calibrated_as, std::int64_t n_units, std::uint64_t n_rows,
                         std::size_t n_cuts) {
  return static_cast<std::uint64_t>(static_cast<double>(search::held_bytes(
                                        family, n_units, with_rows(work.shape, n_rows), n_cuts)) *
                                    calibration(work, calibrated_as).size_factor);
}

/// What a fit takes of a rank, the trees as large as they were measured.
std::uint64_t working_bytes(const Workload& work, const search::Family& family,
                            std::int32_t calibrated_as, std::int64_t n_units, std::uint64_t n_rows,
                            std::uint64_t n_test, const Allocation& allocation,
                            const Layout& layout) {
  // The smallest group has the largest shares.
  std::size_t n_ranks = layout.groups.empty() ? 1 : layout.groups.front().size();
  for (const auto& group : layout.groups) n_ranks = std::min(n_ranks, group.size());
  const auto shape = with_rows(work.shape, n_rows);
  const auto n_cuts = family.cut_settings.size();
  return search::working_bytes(family, n_units, shape, n_test, allocation.n_threads,
                               static_cast<int>(n_ranks)) -
         search::held_bytes(family, n_units, shape, n_cuts) +
         held_bytes(work, family, calibrated_as, n_units, n_rows, n_cuts);
}

Layout layout_of(const Workload& work, const Allocation& allocation,
                 const std::vector<search::Family>& families, std::size_t n_fits) {
  return plan_layout(allocation.node_of_rank(), work.parallel, families, n_fits, work.shape,
                     allocation.n_threads);
}

void forecast_search(const Workload& work, Forecast& out) {
  const auto& plan = *work.plan;
  const auto& allocation = out.allocation;
  const auto layout = layout_of(work, allocation, plan.families, plan.n_fits());
  out.n_tasks = plan.tasks.size();
  out.n_groups = layout.groups.size();
  if (std::any_of(plan.families.begin(), plan.families.end(), [&](const auto& family) {
        return !family.is_forest() && !layout.unjoined_families.contains(family.id);
      })) {
    out.max_joined_ranks = std::min(layout.max_joined_ranks, allocation.n_ranks_on_node());
  }
  std::vector<TimedTask> tasks;
  std::vector<std::uint64_t> running, held;
  for (const auto& task : plan.tasks) {
    const auto& family = plan.families[static_cast<std::size_t>(task.family)];
    const auto n_units = task.last_unit - task.first_unit;
    tasks.push_back(timed(work, family, family.id, n_units, work.n_train, allocation, layout));
    running.push_back(
        tree_bytes(work, family, family.id, n_units, work.n_train, family.cut_settings.size()));
    held.push_back(
        held_bytes(work, family, family.id, n_units, work.n_train, family.cut_settings.size()));
    out.search.working_bytes = std::max(
        out.search.working_bytes, working_bytes(work, family, family.id, n_units, work.n_train,
                                                work.n_test, allocation, layout));
  }
  out.search_s = phase_seconds(std::move(tasks), layout);
  // At worst every rank is about to finish one of the largest tasks.
  for (auto* each : {&running, &held}) {
    std::sort(each->rbegin(), each->rend());
    each->resize(std::min(each->size(), static_cast<std::size_t>(allocation.n_ranks)));
  }
  for (const auto n_bytes : running) out.checkpoint_bytes += n_bytes;
  // Rank 0 keeps what it pulls of others; its own fit has its trees already.
  if (!held.empty() && out.search_s > work.checkpoint_interval_s) {
    out.search.root_bytes = std::accumulate(held.begin() + 1, held.end(), std::uint64_t{0});
  }
  const auto n_scores =
      plan.points.size() * static_cast<std::size_t>(plan.n_folds) * work.n_scorers;
  out.results_bytes = kFile_bytes + plan.points.size() * 160 + n_scores * 24;
  out.checkpoint_bytes += kFile_bytes + n_scores * 24;
}

/// Which point is refitted shows in the end: every part is that of the point which needs most.
void forecast_refit(const Workload& work, Forecast& out) {
  const auto& plan = *work.plan;
  const auto& allocation = out.allocation;
  const auto n_rows = work.n_refit;
  out.is_refit_at_most = plan.points.size() > 1;
  for (const auto& of_point : plan.families) {
    for (const auto& member : of_point.members) {
      const auto family = search::family_of(plan.points[static_cast<std::size_t>(member.point)]);
      const auto layout = layout_of(work, allocation, {family}, 1);
      std::vector<TimedTask> tasks;
      const auto blocks = search::make_refit_blocks(family);
      std::int64_t most_units = 0;
      for (const auto& block : blocks) {
        const std::int64_t n_units = block.last_unit - block.first_unit;
        most_units = std::max(most_units, n_units);
        tasks.push_back(timed(work, family, of_point.id, n_units, n_rows, allocation, layout));
      }
      out.n_refit_tasks = std::max(out.n_refit_tasks, blocks.size());
      out.refit_s = std::max(out.refit_s, phase_seconds(std::move(tasks), layout));
      const auto model = tree_bytes(work, family, of_point.id, family.n_units(), n_rows, 1);
      out.model_bytes = std::max(out.model_bytes, kFile_bytes + model);
      const auto held = held_bytes(work, family, of_point.id, family.n_units(), n_rows, 1);
      // Rank 0 holds the whole model in the end, a block of it in its fit. Blocks of others come as
      // messages.
      const auto of_block = held_bytes(work, family, of_point.id, most_units, n_rows, 1);
      const auto n_leaders = layout.groups.empty() ? static_cast<std::size_t>(allocation.n_ranks)
                                                   : layout.groups.size();
      if (n_leaders > 1 && blocks.size() > 1) {
        out.refit.message_bytes = std::max(out.refit.message_bytes, of_block);
      }
      out.refit.root_bytes = std::max(out.refit.root_bytes, held - std::min(held, of_block));
      out.refit.working_bytes = std::max(
          out.refit.working_bytes, working_bytes(work, family, of_point.id, most_units, n_rows,
                                                 work.n_refit_test, allocation, layout));
    }
  }
  out.checkpoint_bytes = std::max(out.checkpoint_bytes, out.model_bytes + out.results_bytes);
}

}  // namespace

std::vector<int> Allocation::node_of_rank() const {
  std::vector<int> nodes;
  for (int rank = 0; rank < n_ranks; ++rank) {
    const auto node = std::int64_t{rank} * n_nodes / n_ranks;
    nodes.push_back(static_cast<int>((node * n_ranks + n_nodes - 1) / n_nodes));
  }
  return nodes;
}

std::uint64_t Forecast::shared_bytes() const {
  return table_bytes + std::max(search.bins.of_node, refit.bins.of_node);
}

std::uint64_t PhaseMemory::rank_bytes() const {
  // A fit is gone before its trees are sent.
  const auto fits = std::max(working_bytes, 2 * message_bytes);
  return std::max(list_bytes + bins.making, kept_list_bytes + fits);
}

std::uint64_t PhaseMemory::root_rank_bytes() const {
  return std::max(rank_bytes(), kept_list_bytes + working_bytes + root_bytes + message_bytes);
}

std::uint64_t Forecast::private_bytes() const {
  return program_bytes + std::max(search.bins.of_rank + search.root_rank_bytes(),
                                  refit.bins.of_rank + refit.root_rank_bytes());
}

std::uint64_t Forecast::node_bytes() const {
  const auto n_ranks = static_cast<std::uint64_t>(allocation.n_ranks_on_node());
  const auto of_phase = [&](const PhaseMemory& phase) {
    return phase.bins.of_node + phase.bins.of_ranks + (n_ranks - 1) * phase.rank_bytes() +
           phase.root_rank_bytes();
  };
  return table_bytes + n_ranks * program_bytes + std::max(of_phase(search), of_phase(refit));
}

Forecast Forecast::bins_alone() const {
  Forecast out;
  out.allocation = allocation;
  out.search.bins = search.bins;
  out.refit.bins = refit.bins;
  out.search.bins.making = out.refit.bins.making = 0;
  return out;
}

int Forecast::n_idle_ranks() const {
  const auto n_most = std::max(n_tasks, n_refit_tasks);
  if (n_groups > 0) {
    const auto n_idle = n_groups - std::min(n_groups, n_most);
    return static_cast<int>(static_cast<std::size_t>(allocation.n_ranks) * n_idle / n_groups);
  }
  return static_cast<int>(
      std::max<std::int64_t>(0, allocation.n_ranks - static_cast<std::int64_t>(n_most)));
}

Forecast make_forecast(const Workload& work, const Allocation& allocation) {
  Forecast out;
  out.allocation = allocation;
  out.table_bytes = work.table_bytes;
  out.search.bins = work.search_bins;
  out.refit.bins = work.refit_bins;
  forecast_search(work, out);
  if (work.has_refit) forecast_refit(work, out);
  // Every rank knows the rows of every fold until they are binned, and those of the refit.
  const std::uint64_t list = work.shape.n_rows * sizeof(RowIndex);
  const std::uint64_t of_refit = work.n_refit * sizeof(RowIndex);
  out.search.list_bytes = static_cast<std::uint64_t>(work.plan->n_folds) * list + of_refit;
  out.search.kept_list_bytes = out.refit.list_bytes = of_refit;
  out.program_bytes = kProgram_bytes;
  return out;
}

std::optional<Error> refuse(const Forecast& forecast, const NodeLimits& limits) {
  const auto& allocation = forecast.allocation;
  const int n_here = allocation.n_ranks_on_node();
  const auto resources = [](std::string message, std::string hint) {
    return Error(ErrorKind::kResources, std::move(message), "", std::move(hint));
  };
  if (!allocation.may_oversubscribe && n_here > allocation.n_cores) {
    return resources(
        format("{} on a node of {}", counted(n_here, "rank"), counted(allocation.n_cores, "core")),
        format("At most {} fit on the {}; or insist with "
               "--parallel.oversubscribe=true.",
               counted(allocation.n_cores * allocation.n_nodes, "rank"),
               counted(allocation.n_nodes, "node")));
  }
  if (!allocation.may_oversubscribe && n_here * allocation.n_threads > allocation.n_cores) {
    return resources(
        format("{} x {} need {}, a node has {}", counted(n_here, "rank"),
               counted(allocation.n_threads, "thread"),
               counted(n_here * allocation.n_threads, "core"), allocation.n_cores),
        format("At most {} a rank (--n-jobs={}), or {} of {} on a node.",
               counted(allocation.n_cores / n_here, "thread"), allocation.n_cores / n_here,
               counted(std::max(1, allocation.n_cores / allocation.n_threads), "rank"),
               counted(std::min(allocation.n_threads, allocation.n_cores), "thread")));
  }
  if (n_here > 1 && limits.shared_bytes && forecast.shared_bytes() > *limits.shared_bytes) {
    return resources(
        format("the ranks of a node share {}, but /dev/shm has only {} free",
               print_bytes(forecast.shared_bytes()), print_bytes(*limits.shared_bytes)),
        format("Make /dev/shm larger (in a container --shm-size), or run one rank on each node "
               "with {}: that needs none.",
               counted(allocation.n_cores, "thread")));
  }
  if (!limits.memory_bytes || forecast.node_bytes() <= *limits.memory_bytes) return std::nullopt;
  const auto message =
      format("a node needs {} ({} shared, {} of up to {}), but has {} ({})",
             print_bytes(forecast.node_bytes()), print_bytes(forecast.shared_bytes()),
             counted(n_here, "rank"), print_bytes(forecast.private_bytes()),
             print_bytes(*limits.memory_bytes), limits.memory_origin);
  if (std::max(forecast.search.bins.of_rank, forecast.refit.bins.of_rank) > 0) {
    return resources(message, format("Let more ranks grow a fit, each with fewer rows "
                                     "(ranks_per_fit), or ask for nodes with at least {}.",
                                     print_bytes(forecast.node_bytes())));
  }
  const auto one = forecast.shared_bytes() + forecast.private_bytes();
  if (one > *limits.memory_bytes) {
    return resources(message, format("Ask for nodes with at least {}.", print_bytes(one)));
  }
  const auto n_fit = (*limits.memory_bytes - forecast.shared_bytes()) / forecast.private_bytes();
  return resources(message,
                   format("{} on a node fit, with more threads each.", counted(n_fit, "rank")));
}

std::string brief(const Forecast& forecast) {
  std::string text =
      format("planned: {} shared on a node, {} of its own a rank; ",
             print_bytes(forecast.shared_bytes()), print_bytes(forecast.private_bytes()));
  if (forecast.n_tasks > 0) text += format("search {}", print_duration(forecast.search_s));
  if (forecast.n_refit_tasks > 0) {
    text += format("{}{}{}", forecast.n_tasks > 0 ? ", refit " : "training ",
                   forecast.is_refit_at_most ? "at most " : "", print_duration(forecast.refit_s));
  }
  return text;
}

NodeLimits node_limits() {
  NodeLimits limits;
  const auto keep = [&](std::optional<std::uint64_t> n_bytes, const char* origin) {
    if (!n_bytes || (limits.memory_bytes && *limits.memory_bytes <= *n_bytes)) return;
    limits.memory_bytes = n_bytes;
    limits.memory_origin = origin;
  };
  const auto megabytes = [](const char* variable) -> std::optional<std::uint64_t> {
    const auto number = parse_int(trim(env(variable).value_or("")));
    if (!number || *number <= 0) return std::nullopt;  // Slurm: 0 is all there is
    return static_cast<std::uint64_t>(*number) << 20;
  };
  keep(comm::available_memory_bytes(), "memory of the node");
  keep(cgroup_memory_headroom(), "control group");
  keep(megabytes("SLURM_MEM_PER_NODE"), "SLURM_MEM_PER_NODE");
  const auto n_cpus = parse_int(trim(env("SLURM_CPUS_ON_NODE").value_or("")));
  if (const auto per_cpu = megabytes("SLURM_MEM_PER_CPU"); per_cpu && n_cpus && *n_cpus > 0) {
    keep(*per_cpu * static_cast<std::uint64_t>(*n_cpus), "SLURM_MEM_PER_CPU");
  }
  limits.shared_bytes = comm::free_shared_bytes();
  return limits;
}

}  // namespace orchard::run
