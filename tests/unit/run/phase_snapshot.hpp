#pragma once

#include <utility>
#include <vector>

#include "orchard/search/search_state.hpp"

namespace orchard::run {

/// What a checkpoint of one phase holds.
inline search::Snapshot snapshot_of(const search::Phase& phase,
                                    std::vector<search::RunningTask> running) {
  search::Snapshot snapshot;
  for (const auto* result : phase.results()) snapshot.results.push_back(*result);
  snapshot.running = std::move(running);
  return snapshot;
}

}  // namespace orchard::run
