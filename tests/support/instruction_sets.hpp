#pragma once
// The instruction sets that tests compare.

#include <vector>

#include "orchard/base/instruction_set.hpp"

namespace orchard::testing_support {

/// Those that this processor has, ascending.
inline std::vector<InstructionSet> instruction_sets() {
  std::vector<InstructionSet> out;
  for (const auto set :
       {InstructionSet::kBaseline, InstructionSet::kAvx2, InstructionSet::kAvx512}) {
    if (set <= processor_instruction_set()) out.push_back(set);
  }
  return out;
}

}  // namespace orchard::testing_support
