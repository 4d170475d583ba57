#pragma once
// Which instructions the inner loops may use. The program is built for any x86-64 (v2) or other
// processor; a loop that gains from more has a version for each set beside its plain one, in a file
// whose name ends in _avx2.cpp or _avx512.cpp, and the caller picks by instruction_set(). Every
// version gives the same bits, so nodes of different kinds may work on one job.
//
// Such a file includes what it needs, then ORCHARD_BEGIN_AVX512 (or AVX2), its functions, and
// ORCHARD_END_INSTRUCTIONS. Only code between the two is compiled for the set, so that no shared
// inline function is; functions of the set must not call plain inline functions in their hot loops,
// which could not be inlined. Where the processor of the build is no x86-64 the file is empty.

#if defined(__x86_64__)
#define ORCHARD_HAS_X86_64 1
#else
#define ORCHARD_HAS_X86_64 0
#endif

#define ORCHARD_PRAGMA(text) _Pragma(#text)
#define ORCHARD_AVX2_TARGET "avx2,bmi,bmi2,lzcnt,popcnt"
#define ORCHARD_AVX512_TARGET                                                    \
  "avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx512vbmi,avx512vbmi2,avx2,bmi," \
  "bmi2,lzcnt,popcnt"
#if defined(__clang__)
#define ORCHARD_BEGIN_TARGET(set) \
  ORCHARD_PRAGMA(clang attribute push(__attribute__((target(set))), apply_to = function))
#define ORCHARD_END_INSTRUCTIONS ORCHARD_PRAGMA(clang attribute pop)
#else
#define ORCHARD_BEGIN_TARGET(set) ORCHARD_PRAGMA(GCC push_options) ORCHARD_PRAGMA(GCC target(set))
#define ORCHARD_END_INSTRUCTIONS ORCHARD_PRAGMA(GCC pop_options)
#endif
#define ORCHARD_BEGIN_AVX2 ORCHARD_BEGIN_TARGET(ORCHARD_AVX2_TARGET)
#define ORCHARD_BEGIN_AVX512 ORCHARD_BEGIN_TARGET(ORCHARD_AVX512_TARGET)

namespace orchard {

/// Ascending: a set has all of the ones before it.
enum class InstructionSet {
  kBaseline,  ///< what the program was built for
  kAvx2,      ///< AVX2 and BMI2; never FMA, which would round differently
  kAvx512,    ///< AVX-512 F, BW, DQ, VL, CD, VBMI and VBMI2 (Ice Lake, Zen 4 and later)
};

/// The widest set that this processor has, or the one that ORCHARD_INSTRUCTION_SET (baseline, avx2,
/// avx512) names if it has it; found once. Throws kUsage for another word, kResources for a set
/// that the processor lacks. Local, any thread.
InstructionSet instruction_set();

const char* name_of(InstructionSet set);

/// Overrides instruction_set() while it lives; for tests and benchmarks that compare versions.
/// `set` must be one the processor has. Not while other threads choose kernels.
class ScopedInstructionSet {
 public:
  explicit ScopedInstructionSet(InstructionSet set);
  ~ScopedInstructionSet();
  ScopedInstructionSet(const ScopedInstructionSet&) = delete;
  ScopedInstructionSet& operator=(const ScopedInstructionSet&) = delete;

 private:
  InstructionSet before_;
};

/// The widest set that this processor has.
InstructionSet processor_instruction_set();

/// The version of a loop for instruction_set(); a set without a version of its own (nullptr) takes
/// the next narrower one.
template <class Function>
Function* choose_version(Function* baseline, Function* avx2, Function* avx512) {
  const InstructionSet set = instruction_set();
  if (set >= InstructionSet::kAvx512 && avx512 != nullptr) return avx512;
  if (set >= InstructionSet::kAvx2 && avx2 != nullptr) return avx2;
  return baseline;
}

}  // namespace orchard
