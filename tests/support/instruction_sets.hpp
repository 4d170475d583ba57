#pragma once
// The instruction sets that tests compare.

#include <vector>

#include "orchard/base/instruction_set.hpp"

namespace orchard::testing_support {

/// Those that this processor has, ascending, from `least` on.
inline std::vector<InstructionSet> instruction_sets(
    InstructionSet least = InstructionSet::kBaseline) {
  std::vector<InstructionSet> out;
  for (const auto set :
       {InstructionSet::kBaseline, InstructionSet::kAvx2, InstructionSet::kAvx512}) {
    if (least <= set && set <= processor_instruction_set()) out.push_back(set);
  }
  return out;
}

}  // namespace orchard::testing_support
