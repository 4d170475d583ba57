#pragma once
// A node of TreeGrower, for its two source files.

#include <memory>
#include <vector>

#include "boosting/grower.hpp"

namespace orchard::learn::boosting {

struct TreeGrower::Node : GrownNode {
  std::int32_t place = 0;  // in nodes_
  std::int64_t depth = 0;
  Segments segments;
  std::int64_t weight = 0;               // sum of weights, in quanta of its own
  std::unique_ptr<Histogram> histogram;  // while it can be split, unless memory is short
  std::vector<Candidate> candidates;     // [n_features] while it can be split
};

}  // namespace orchard::learn::boosting
