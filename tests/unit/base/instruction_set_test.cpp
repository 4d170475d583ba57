#include "orchard/base/instruction_set.hpp"

#include <gtest/gtest.h>

namespace orchard {
namespace {

int baseline() { return 0; }
int avx2() { return 2; }
int avx512() { return 512; }

TEST(InstructionSetTest, AScopeNarrowsTheChoiceAndGivesItBack) {
  const InstructionSet before = instruction_set();
  {
    const ScopedInstructionSet scope(InstructionSet::kBaseline);
    EXPECT_EQ(instruction_set(), InstructionSet::kBaseline);
    EXPECT_EQ(choose_version(baseline, avx2, avx512)(), 0);
  }
  EXPECT_EQ(instruction_set(), before);
}

TEST(InstructionSetTest, ASetWithoutAVersionTakesTheNextNarrower) {
  const ScopedInstructionSet scope(processor_instruction_set());
  EXPECT_EQ(choose_version<int()>(baseline, nullptr, nullptr)(), 0);
  if (processor_instruction_set() == InstructionSet::kAvx512) {
    EXPECT_EQ(choose_version<int()>(baseline, avx2, nullptr)(), 2);
    EXPECT_EQ(choose_version(baseline, avx2, avx512)(), 512);
  }
}

TEST(InstructionSetTest, NamesAreTheWordsOfTheEnvironment) {
  EXPECT_STREQ(name_of(InstructionSet::kBaseline), "baseline");
  EXPECT_STREQ(name_of(InstructionSet::kAvx2), "avx2");
  EXPECT_STREQ(name_of(InstructionSet::kAvx512), "avx512");
}

}  // namespace
}  // namespace orchard
