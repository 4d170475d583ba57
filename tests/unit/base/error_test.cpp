#include "orchard/base/error.hpp"

#include <gtest/gtest.h>

#include <string>

namespace orchard {
namespace {

TEST(ErrorTest, TextIsWhereMessageHint) {
  const Error error(ErrorKind::kData, "the cell is empty.", "a.csv:7", "Set missing_values.");
  EXPECT_STREQ(error.what(), "a.csv:7: the cell is empty. Set missing_values.");
  EXPECT_EQ(error.message(), "the cell is empty.");
  EXPECT_EQ(error.where(), "a.csv:7");
  EXPECT_EQ(error.hint(), "Set missing_values.");
}

TEST(ErrorTest, WhereAndHintMayBeMissing) {
  EXPECT_STREQ(Error(ErrorKind::kOutput, "disk full").what(), "disk full");
  EXPECT_STREQ(Error(ErrorKind::kOutput, "disk full", "", "Free some.").what(),
               "disk full. Free some.");
}

TEST(ErrorTest, KindsAreThePublishedExitCodes) {
  EXPECT_EQ(Error(ErrorKind::kInternal, "").exit_code(), 1);
  EXPECT_EQ(Error(ErrorKind::kUsage, "").exit_code(), 2);
  EXPECT_EQ(Error(ErrorKind::kData, "").exit_code(), 3);
  EXPECT_EQ(Error(ErrorKind::kResume, "").exit_code(), 4);
  EXPECT_EQ(Error(ErrorKind::kNoCheckpoint, "").exit_code(), 5);
  EXPECT_EQ(Error(ErrorKind::kOutput, "").exit_code(), 6);
  EXPECT_EQ(Error(ErrorKind::kResources, "").exit_code(), 7);
  EXPECT_EQ(kExitStopped, 75);
}

TEST(ErrorTest, RequireThrowsOnlyWhenTheConditionFails) {
  EXPECT_NO_THROW(require(true, "nothing"));
  try {
    require(false, "the moon is round");
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInternal);
    EXPECT_NE(std::string(error.what()).find("the moon is round"), std::string::npos);
  }
}

}  // namespace
}  // namespace orchard
