#pragma once
// What a job will take, said before it runs: ranks and threads, memory, time, sizes of files. And
// why it cannot run, when it cannot. Pure computation, but for `node_limits`.

#include <optional>
#include <string>
#include <vector>

#include "orchard/base/error.hpp"
#include "orchard/run/fold_store.hpp"
#include "orchard/search/plan.hpp"

namespace orchard::run {

/// The ranks that a job is given.
struct Allocation {
  int n_ranks = 1, n_nodes = 1;
  int n_threads = 1;               ///< of a rank
  std::string threads_origin;      ///< which rule gave them
  int n_cores = 1;                 ///< of a node, for all its ranks together
  bool may_oversubscribe = false;  ///< parallel.oversubscribe
  /// Ranks of the fullest node.
  int n_ranks_on_node() const { return (n_ranks + n_nodes - 1) / n_nodes; }
  /// The lowest rank of each rank's node, where ranks lie on nodes in their order.
  std::vector<int> node_of_rank() const;
};

/// What a node has to give, as far as it is known.
struct NodeLimits {
  std::optional<std::uint64_t> memory_bytes;
  std::string memory_origin;  ///< "control group", "SLURM_MEM_PER_NODE", "memory of the node"
  std::optional<std::uint64_t> shared_bytes;  ///< free in /dev/shm
};

/// Of this process's node: the tightest of control groups, Slurm's SLURM_MEM_PER_NODE or
/// SLURM_MEM_PER_CPU times SLURM_CPUS_ON_NODE, and what the kernel calls available. Local.
NodeLimits node_limits();

/// A family's cost model, set right by a fit of some units.
struct Calibration {
  double time_factor = 1;  ///< measured over estimated seconds of a unit
  double size_factor = 1;  ///< the same of the bytes of its trees
  bool is_measured = false;
};

/// What is known of a job's data and work before it begins.
struct Workload {
  const search::Plan* plan = nullptr;  ///< borrowed
  search::DataShape shape;             ///< of the whole table
  std::size_t n_scorers = 1;
  bool has_refit = false;
  std::uint64_t n_train = 0, n_test = 0;  ///< rows of the largest fold's parts
  std::uint64_t n_refit = 0;              ///< training rows of the refit
  std::uint64_t n_refit_test = 0;         ///< rows that `train` judges, or 0
  std::size_t table_bytes = 0;            ///< once per node
  BinBytes search_bins, refit_bins;
  options::ParallelSettings parallel;  ///< the layout that the job demands
  double checkpoint_interval_s = 300;
  std::vector<Calibration> calibrations;  ///< by family; empty: none
};

/// What a phase holds beside the table and the program.
struct PhaseMemory {
  BinBytes bins;
  /// Of a rank: lists of rows while bins are made, those that stay, and its fit.
  std::uint64_t list_bytes = 0, kept_list_bytes = 0, working_bytes = 0;
  /// Of rank 0 besides: trees of others, of the model or pulled for a checkpoint.
  std::uint64_t root_bytes = 0;
  std::uint64_t message_bytes = 0;  ///< trees on their way to rank 0, at either end

  /// Of a rank but its bins, at its highest: as these are made, or as fits are grown.
  std::uint64_t rank_bytes() const;
  /// The same of rank 0, which holds most.
  std::uint64_t root_rank_bytes() const;
};

struct Forecast {
  Allocation allocation;
  std::size_t table_bytes = 0;
  std::uint64_t program_bytes = 0;  ///< of a rank, before there is any data
  PhaseMemory search, refit;
  double search_s = 0, refit_s = 0;
  bool is_refit_at_most = false;  ///< of the costliest point: which one is refitted is not known
  std::uint64_t model_bytes = 0, checkpoint_bytes = 0, results_bytes = 0;
  std::size_t n_tasks = 0, n_refit_tasks = 0;
  std::size_t n_groups = 0;  ///< of ranks that grow fits together from the beginning; 0: each alone
  /// Ranks that a fit of the search may come to have by others joining it; 1: no family's has more.
  int max_joined_ranks = 1;

  /// On a node at its highest, once for all its ranks.
  std::uint64_t shared_bytes() const;
  /// Of the rank that holds most.
  std::uint64_t private_bytes() const;
  std::uint64_t node_bytes() const;
  /// The part that is known beforehand to the byte and made at once: the binned data.
  Forecast bins_alone() const;
  /// Ranks that will find no task, or whose group will find none.
  int n_idle_ranks() const;
};

Forecast make_forecast(const Workload& work, const Allocation& allocation);

/// Why the job cannot run so, naming what would work (kResources), or nothing.
std::optional<Error> refuse(const Forecast& forecast, const NodeLimits& limits);

/// "1.2 GiB shared on a node, 80 MiB a rank of its own; search 3 min, refit at most 20 s"
std::string brief(const Forecast& forecast);

}  // namespace orchard::run
