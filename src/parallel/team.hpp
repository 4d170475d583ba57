#pragma once

#include <functional>

namespace orchard::parallel {

/// Runs body(thread, team_size) on `n_threads` OpenMP threads, or fewer when the runtime grants
/// fewer; thread 0 is the caller. Returns when all have left. `body` must not throw.
void run_team(int n_threads, const std::function<void(int thread, int team_size)>& body);

}  // namespace orchard::parallel
