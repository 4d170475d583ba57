#pragma once
// A node of TreeGrower, for its source files.

#include <array>
#include <memory>
#include <vector>

#include "boosting/grower.hpp"

namespace orchard::learn::boosting {

struct TreeGrower::Node : GrownNode {
  std::int32_t place = -1;  // in nodes_, once its parent is split
  std::int64_t depth = 0;
  Segments segments;
  std::int64_t weight = 0;               // sum of weights, in quanta of its own
  std::unique_ptr<Histogram> histogram;  // while it can be split, unless memory is short
  std::vector<Candidate> candidates;     // [n_features] while it can be split
  // Once its split has been tried and is legal, until it is the node's turn.
  std::array<std::unique_ptr<Node>, 2> children;

  bool is_tried() const { return children[0] != nullptr; }
};

}  // namespace orchard::learn::boosting
