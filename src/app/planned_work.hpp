#pragma once
// What a forecast needs to know of a job: for `plan`, and for a job that says at its start what it
// will take.

#include "orchard/run/forecast.hpp"
#include "prepared_data.hpp"

namespace orchard::app {

/// Borrows `plan`. `parallel`: how the job is to be spread over ranks. Local.
run::Workload describe_work(const Session& session, const PreparedData& data,
                            const search::Plan& plan, const run::Allocation& allocation,
                            const options::ParallelSettings& parallel);

/// The first of the ways to grow the job's fits (see run::ways_to_grow) in which its binned data
/// finds room on a node.
struct Way {
  std::size_t number = 0;
  options::ParallelSettings parallel;
  std::string reason;            ///< which room is missing in one before it, or empty
  std::optional<Error> refusal;  ///< the same, when there is room in none
};
/// `is_table_there`: in memory that is not counted as free. Passes over the ways before number
/// `first`. Local.
Way choose_way(const Session& session, const PreparedData& data, const search::Plan& plan,
               const run::Allocation& allocation, const run::NodeLimits& limits,
               bool is_table_there, std::size_t first = 0);

/// The ranks and nodes that this job runs on, the same on all ranks, and the threads and cores of
/// this rank's node. Collective.
run::Allocation own_allocation(Session& session);

}  // namespace orchard::app
