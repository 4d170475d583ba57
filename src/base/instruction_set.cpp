#include "orchard/base/instruction_set.hpp"

#include <atomic>
#include <string>

#include "orchard/base/env.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard {
namespace {

InstructionSet from_environment() {
  const InstructionSet widest = processor_instruction_set();
  const std::string variable = "ORCHARD_INSTRUCTION_SET";
  const auto wanted = env(variable);
  if (!wanted || wanted->empty()) return widest;
  for (const auto set :
       {InstructionSet::kBaseline, InstructionSet::kAvx2, InstructionSet::kAvx512}) {
    if (*wanted != name_of(set)) continue;
    if (set > widest) {
      throw Error(
          ErrorKind::kResources,
          format("this processor has no {}; its widest set is {}", *wanted, name_of(widest)),
          variable);
    }
    return set;
  }
  throw Error(ErrorKind::kUsage,
              format("'{}' is no instruction set; expected baseline, avx2 or avx512", *wanted),
              variable);
}

std::atomic<InstructionSet>& chosen() {
  static std::atomic<InstructionSet> set{from_environment()};
  return set;
}

}  // namespace

InstructionSet processor_instruction_set() {
#if ORCHARD_HAS_X86_64
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
  const bool has_avx512 =
      has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512vbmi") &&
      __builtin_cpu_supports("avx512vbmi2");
  if (has_avx512) return InstructionSet::kAvx512;
  if (has_avx2) return InstructionSet::kAvx2;
#endif
  return InstructionSet::kBaseline;
}

InstructionSet instruction_set() { return chosen().load(std::memory_order_relaxed); }

const char* name_of(InstructionSet set) {
  switch (set) {
    case InstructionSet::kAvx2:
      return "avx2";
    case InstructionSet::kAvx512:
      return "avx512";
    default:
      return "baseline";
  }
}

ScopedInstructionSet::ScopedInstructionSet(InstructionSet set) : before_(instruction_set()) {
  require(set <= processor_instruction_set(), "the processor has the instruction set");
  chosen().store(set);
}

ScopedInstructionSet::~ScopedInstructionSet() { chosen().store(before_); }

}  // namespace orchard
