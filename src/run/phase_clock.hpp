#pragma once
// How long a phase lasts, by following its tasks over the ranks as rank 0 hands them out.

#include <vector>

#include "orchard/run/layout.hpp"

namespace orchard::run {

/// A task by its time, in seconds.
struct TimedTask {
  double alone_s = 0;     ///< on one rank
  double exchange_s = 0;  ///< what a group of ranks spends besides, however many they are
  bool may_grow = false;  ///< whether idle ranks join it

  /// On a group of so many ranks.
  double seconds(std::size_t n_ranks) const {
    return alone_s / static_cast<double>(n_ranks) + (n_ranks > 1 ? exchange_s : 0);
  }
};

/// From the first task to the end of the last, longest first: on the groups of the layout, or on
/// single ranks, of which those without work join what is left as the layout allows. Pure.
double phase_seconds(std::vector<TimedTask> tasks, const Layout& layout);

}  // namespace orchard::run
