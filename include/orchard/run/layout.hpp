#pragma once
// How the work of a job is spread over its ranks. No result depends on it.

#include <optional>
#include <set>
#include <vector>

#include "orchard/comm/communicator.hpp"
#include "orchard/options/job.hpp"
#include "orchard/search/plan.hpp"

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

/// In which ways the fits may be grown, the best one first: as the job demands, or with layout auto
/// also by groups of ranks that hold shares of the rows: of one node, then of two, four and so on,
/// up to all, so that ever less is held on a node. Local.
std::vector<options::ParallelSettings> ways_to_grow(const options::ParallelSettings& settings,
                                                    int n_ranks, int n_nodes);

/// Layout rows: the ranks of each group for `n_fits` fits. ranks_per_fit ranks one after the other,
/// the last of which may be fewer; without a demand those of a node, or all of them where fits are
/// fewer than nodes. `node_of_rank`: as in Layout. Local.
std::vector<std::vector<int>> make_groups(const std::vector<int>& node_of_rank,
                                          const options::ParallelSettings& settings,
                                          std::size_t n_fits);

/// The layout of a job of `n_fits` fits on data of that shape, after `check_layout`. A boosting fit
/// is large, so that idle ranks join it, where each rank of the group has at least 8,192 rows and a
/// split is expected to take one rank, with its `n_threads`, half a millisecond: less is sooner
/// done alone than exchanged. (For tests: ORCHARD_MIN_SHARE_ROWS says how many rows, and nothing is
/// asked of the time.) Local.
Layout plan_layout(std::vector<int> node_of_rank, const options::ParallelSettings& settings,
                   const std::vector<search::Family>& families, std::size_t n_fits,
                   const search::DataShape& shape, int n_threads);

/// The same for the ranks of `world`, of whose nodes `node` is this rank's. Collective over both.
Layout choose_layout(comm::Communicator& world, comm::Communicator& node,
                     const options::ParallelSettings& settings,
                     const std::vector<search::Family>& families, std::size_t n_fits,
                     const search::DataShape& shape, int n_threads);

/// This rank's group of the layout, or nothing where it has none. Collective over `world`.
std::optional<comm::Communicator> own_group(comm::Communicator& world, const Layout& layout);

/// How forest fits are cut under the layout that the job demands. Local.
search::Cutting choose_cutting(const options::ParallelSettings& settings,
                               const std::vector<search::Family>& families, std::int32_t n_folds,
                               const search::DataShape& shape, int n_ranks);

/// "2-4, 7" for ascending ranks.
std::string print_ranks(const std::vector<int>& ranks);

}  // namespace orchard::run
