#pragma once
// How many threads a rank may use: its share of the cores that it and the other ranks of its node
// are allowed to run on.

#include <optional>
#include <string>
#include <vector>

#include "orchard/comm/communicator.hpp"
#include "orchard/options/job.hpp"

namespace orchard::run {

struct ThreadShare {
  int n_threads = 1;    ///< of this rank
  double n_cores = 1;   ///< this rank's share; a core that k ranks may use counts 1/k
  std::string origin;   ///< "n_jobs", "OMP_NUM_THREADS", "SLURM_CPUS_PER_TASK" or "share of cores"
  std::string warning;  ///< e.g. the launcher bound the rank to one core; or empty
  /// The cores of the NUMA domain that the rank should keep to (see placement.hpp), or nothing.
  std::optional<std::vector<int>> domain;
};

/// Who may run where on a node.
struct CoresOfNode {
  std::vector<std::vector<int>> masks;  ///< [n_ranks] affinity masks
  std::size_t own = 0;                  ///< the rank that asks
  std::optional<double> quota;          ///< of all ranks together, in cores, by control groups
};

/// A rank's part of the cores: each core counts 1 / (ranks that may use it), and the ranks share a
/// quota evenly.
double share_of_cores(const CoresOfNode& node);

/// Precedence: n_jobs (negative numbers as in joblib: cores + 1 + n_jobs) > OMP_NUM_THREADS >
/// SLURM_CPUS_PER_TASK > the share, rounded down, at least 1. A positive n_jobs is a demand: more
/// threads than the share (unless `oversubscribe`) or than OMP_THREAD_LIMIT is kResources. The
/// other sources are wishes, cut to both with a warning. Reads the environment. Local.
ThreadShare choose_threads(const CoresOfNode& node, const options::ParallelSettings& settings);

/// The same of the ranks of `node`, by their masks and this process's control group. Collective.
ThreadShare share_threads(comm::Communicator& node, const options::ParallelSettings& settings);

}  // namespace orchard::run
