#pragma once
// How the work of a job is spread over its ranks. No result depends on it.

#include <set>
#include <vector>

#include "orchard/comm/communicator.hpp"
#include "orchard/options/job.hpp"
#include "orchard/search/cost.hpp"

namespace orchard::run {

struct Layout {
  /// Idle ranks join boosting fits on ranks of their node, up to so many ranks a fit; 1: they do
  /// not.
  int max_joined_ranks = 1;
  /// Families whose fits they do not join all the same: a group would spend more time on exchanging
  /// sums than it saves.
  std::set<std::int32_t> unjoined_families;
  /// Layout rows: the ranks of each group, ascending. Every rank is in one. Empty: each rank works
  /// alone until it joins a fit.
  std::vector<std::vector<int>> groups;
  std::vector<int> node_of_rank;  ///< the lowest rank of each rank's node
};

/// Throws kResources, with the reason, when the layout that the job demands cannot be had by
/// `n_ranks` ranks for these families. Local.
void check_layout(const options::ParallelSettings& settings,
                  const std::vector<search::Family>& families, int n_ranks);

/// Layout rows: the ranks of each group for `n_fits` fits. ranks_per_fit ranks one after the other,
/// the last of which may be fewer; without a demand those of a node, or all of them where fits are
/// fewer than nodes. `node_of_rank`: as in Layout. Local.
std::vector<std::vector<int>> make_groups(const std::vector<int>& node_of_rank,
                                          const options::ParallelSettings& settings,
                                          std::size_t n_fits);

/// The layout of a job of `n_fits` fits on data of that shape, after `check_layout`. In groups that
/// are joined each rank has at least some thousands of rows, and a split is expected to take half a
/// millisecond: less is sooner done alone than exchanged. (For tests: ORCHARD_MIN_SHARE_ROWS says
/// how many rows, and nothing is asked of the time.) Collective over `world`, of whose nodes `node`
/// is this rank's.
Layout choose_layout(comm::Communicator& world, comm::Communicator& node,
                     const options::ParallelSettings& settings,
                     const std::vector<search::Family>& families, std::size_t n_fits,
                     const search::DataShape& shape);

/// "2-4, 7" for ascending ranks.
std::string print_ranks(const std::vector<int>& ranks);

}  // namespace orchard::run
