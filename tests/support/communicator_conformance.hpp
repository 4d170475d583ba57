#pragma once
// What every kind of communicator must do, whatever lies behind it and however many ranks it has.

#include <string>
#include <vector>

#include "orchard/comm/communicator.hpp"

namespace orchard::testing {

/// A check that all ranks run together; failures are GoogleTest expectations of the rank.
struct ConformanceCase {
  std::string name;
  void (*run)(comm::Communicator world);
};

const std::vector<ConformanceCase>& conformance_cases();

}  // namespace orchard::testing
