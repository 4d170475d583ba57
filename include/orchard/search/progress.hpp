#pragma once

#include <cstddef>

namespace orchard::search {

/// Progress of a phase, for whoever shows it.
struct Progress {
  std::size_t n_done = 0, n_tasks = 0, n_running = 0;
  double fraction = 0;   ///< of the whole cost
  double elapsed_s = 0;  ///< since the phase began in this run
  double since_checkpoint_s = 0;
};

}  // namespace orchard::search
