#pragma once
// What a forecast needs to know of a job: for `plan`, and for a job that says at its start what it
// will take.

#include "orchard/run/forecast.hpp"
#include "prepared_data.hpp"

namespace orchard::app {

/// Borrows `plan`. Local.
run::Workload describe_work(const Session& session, const PreparedData& data,
                            const search::Plan& plan, const run::Allocation& allocation);

/// The ranks and threads that this job runs with, as far as this rank's node shows.
run::Allocation own_allocation(Session& session);

}  // namespace orchard::app
