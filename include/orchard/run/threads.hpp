#pragma once
// How many threads a rank may use: its share of the cores that it and the other ranks of its node
// are allowed to run on.

#include <optional>
#include <string>

#include "orchard/comm/communicator.hpp"
#include "orchard/options/job.hpp"

namespace orchard::run {

struct ThreadShare {
  int n_threads = 1;    ///< of this rank
  double n_cores = 1;   ///< this rank's share; a core that k ranks may use counts 1/k
  std::string origin;   ///< "n_jobs", "OMP_NUM_THREADS", "SLURM_CPUS_PER_TASK" or "share of cores"
  std::string warning;  ///< e.g. the launcher bound the rank to one core; or empty
};

/// Precedence: n_jobs (negative numbers as in joblib: cores + 1 + n_jobs) > OMP_NUM_THREADS >
/// SLURM_CPUS_PER_TASK > the share, rounded down, at least 1. More threads than cores by n_jobs is
/// kResources unless `oversubscribe`; the other sources are cut to the share. Collective over
/// `node`, the ranks that share this rank's cores.
ThreadShare share_threads(comm::Communicator& node, const options::ParallelSettings& settings);

}  // namespace orchard::run
