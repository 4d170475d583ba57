#pragma once
// How the work of a job is spread over its ranks. No result depends on it.

#include <vector>

#include "orchard/comm/communicator.hpp"
#include "orchard/options/job.hpp"
#include "orchard/search/family.hpp"

namespace orchard::run {

struct Layout {
  /// Idle ranks join boosting fits on ranks of their node, up to so many ranks a fit; 1: they do
  /// not.
  int max_joined_ranks = 1;
  /// Layout rows: the ranks of each group, ascending. Every rank is in one. Empty: each rank works
  /// alone until it joins a fit.
  std::vector<std::vector<int>> groups;
  std::vector<int> node_of_rank;  ///< the lowest rank of each rank's node
};

/// Throws kResources, with the reason, when the layout that the job demands cannot be had by
/// `n_ranks` ranks for these families. Local.
void check_layout(const options::ParallelSettings& settings,
                  const std::vector<search::Family>& families, int n_ranks);

/// The layout of a job of `n_fits` fits on folds of `n_train` training rows, after `check_layout`.
/// In groups that are joined each rank has at least some thousands of rows: fewer are sooner
/// counted than exchanged. (For tests: ORCHARD_MIN_SHARE_ROWS says how many.) Collective over
/// `world`, of whose nodes `node` is this rank's.
Layout choose_layout(comm::Communicator& world, comm::Communicator& node,
                     const options::ParallelSettings& settings,
                     const std::vector<search::Family>& families, std::size_t n_fits,
                     std::size_t n_train);

/// "2-4, 7" for ascending ranks.
std::string print_ranks(const std::vector<int>& ranks);

}  // namespace orchard::run
