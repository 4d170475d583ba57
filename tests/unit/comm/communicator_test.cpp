#include "orchard/comm/communicator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <tuple>

#include "communicator_conformance.hpp"
#include "orchard/base/clock.hpp"

namespace orchard::comm {
namespace {

using orchard::testing::conformance_cases;
using orchard::testing::ConformanceCase;
using ::testing::HasSubstr;

/// 0 ranks stands for the communicator of a single process.
using Tested = std::tuple<int, ConformanceCase>;
class Conformance : public ::testing::TestWithParam<Tested> {};

std::string name_of(const ::testing::TestParamInfo<Tested>& info) {
  const int n_ranks = std::get<0>(info.param);
  return std::get<1>(info.param).name +
         (n_ranks == 0 ? "_self" : "_threads" + std::to_string(n_ranks));
}

INSTANTIATE_TEST_SUITE_P(Ranks, Conformance,
                         ::testing::Combine(::testing::Values(0, 1, 2, 3, 5),
                                            ::testing::ValuesIn(conformance_cases())),
                         name_of);

TEST_P(Conformance, Holds) {
  const auto& [n_ranks, tested_case] = GetParam();
  if (n_ranks == 0) {
    tested_case.run(self());
    return;
  }
  run_as_ranks(n_ranks, [run = tested_case.run](Communicator world) {
    world.set_deadline(20);
    run(world);
  });
}

TEST(RunAsRanks, RethrowsTheFirstFailureAndWakesTheOthers) {
  std::atomic<int> n_woken{0};
  const double start_s = monotonic_s();
  try {
    run_as_ranks(4, [&](Communicator world) {
      auto part = world.split(world.rank() % 2);
      if (world.rank() == 3) {
        sleep_s(0.05);
        throw std::out_of_range("rank 3 fell");
      }
      try {
        if (world.rank() == 0) {
          while (!world.try_receive()) sleep_s(0.001);
        }
        world.rank() == 1 ? part.barrier() : world.barrier();
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kInternal);
        EXPECT_THAT(error.what(), HasSubstr("rank 3 failed: rank 3 fell"));
        ++n_woken;
        throw;
      }
    });
    FAIL();
  } catch (const std::out_of_range& error) {
    EXPECT_STREQ(error.what(), "rank 3 fell");
  }
  EXPECT_EQ(n_woken, 3);
  EXPECT_LT(monotonic_s() - start_s, 10);
}

TEST(RunAsRanks, NoticesRanksThatReturnWhileOthersWait) {
  try {
    run_as_ranks(3, [](Communicator world) {
      if (world.rank() != 1) world.barrier();
    });
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("barrier waits for ranks that have returned: 1"));
  }
}

TEST(RunAsRanks, NoticesDifferentCollectives) {
  try {
    run_as_ranks(2, [](Communicator world) {
      world.rank() == 0 ? world.barrier() : static_cast<void>(world.broadcast({}, 1));
    });
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("rank 0 calls barrier while rank 1 calls broadcast"));
  }
}

TEST(RunAsRanks, AbortEndsAllRanksWithItsError) {
  try {
    run_as_ranks(3, [](Communicator world) {
      if (world.rank() == 2) world.abort(Error(ErrorKind::kOutput, "disk full"));
      world.barrier();
    });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kOutput);
  }
}

TEST(RunAsRanks, DeadlineNamesTheMissingRanks) {
  run_as_ranks(3, [](Communicator world) {
    auto part = world.split(0);
    if (world.rank() == 0) {
      part.set_deadline(0.1);
      try {
        part.gather({}, 2);
        ADD_FAILURE();
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("gather to rank 2; missing ranks: 1, 2"));
      }
    }
    world.barrier();
  });
}

TEST(Self, AbortPrintsAndExitsWithTheKindOfTheError) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(self().abort(Error(ErrorKind::kData, "broken table", "a.csv:3")),
              ::testing::ExitedWithCode(3), "orchard: a.csv:3: broken table");
}

}  // namespace
}  // namespace orchard::comm
