// The stopping rule, and who is held out to judge.

#include "boosting/stopping.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "boosting/table.hpp"
#include "orchard/base/error.hpp"

namespace orchard::learn::boosting {
namespace {

using ::testing::ElementsAre;
using Scores = std::vector<double>;

TEST(BoostingStopping, ComparesTheLastScoresWithTheOneBefore) {
  EXPECT_FALSE(should_stop(Scores{1}, 1, 0));
  EXPECT_FALSE(should_stop(Scores{1, 2}, 1, 0));
  EXPECT_TRUE(should_stop(Scores{1, 1}, 1, 0));
  EXPECT_TRUE(should_stop(Scores{2, 1}, 1, 0));
  EXPECT_FALSE(should_stop(Scores{2, 1}, 2, 0)) << "too few scores";
  EXPECT_TRUE(should_stop(Scores{1, 1, 1, 1}, 3, 0));
  EXPECT_FALSE(should_stop(Scores{1, 3, 1, 1}, 3, 0)) << "one better score is enough";
  EXPECT_TRUE(should_stop(Scores{0, 5, 4, 4}, 2, 0));
  EXPECT_TRUE(should_stop(Scores{1, 1.5}, 1, 0.5)) << "greater than the reference plus tol";
  EXPECT_FALSE(should_stop(Scores{1, 1.51}, 1, 0.5));
}

TEST(BoostingStopping, AutoMeansOverTenThousandRows) {
  EXPECT_FALSE(stops_early(options::EarlyStopping::kAuto, 10'000));
  EXPECT_TRUE(stops_early(options::EarlyStopping::kAuto, 10'001));
  EXPECT_TRUE(stops_early(options::EarlyStopping::kOn, 3));
  EXPECT_FALSE(stops_early(options::EarlyStopping::kOff, 20'000));
}

TEST(BoostingMembers, FinishOnOneCurve) {
  Members members({{3, 10, 0}, {10, 1, 0}, {10, 2, 0}, {4, 3, 0}}, true);
  const Scores curve{0, 1, 2, 2, 1, 1};
  std::vector<std::vector<std::size_t>> finished;
  for (int round = 1; round <= 4; ++round) {
    finished.push_back(
        members.finished_by(round, std::span(curve).first(static_cast<std::size_t>(round) + 1)));
    members.finish(finished.back(), round);
  }
  EXPECT_THAT(finished[0], ElementsAre());
  EXPECT_THAT(finished[1], ElementsAre());
  EXPECT_THAT(finished[2], ElementsAre(0, 1));
  EXPECT_THAT(finished[3], ElementsAre(2, 3));
  EXPECT_TRUE(members.are_done());
  EXPECT_EQ(members.n_rounds(0), 3);
  EXPECT_EQ(members.n_rounds(1), 3);
  EXPECT_EQ(members.n_rounds(2), 4);
  EXPECT_EQ(members.n_rounds(3), 4);
  const Members running({{3, 10, 0}}, false);
  EXPECT_THROW(running.n_rounds(0), Error);
}

class BoostingValidation : public ::testing::Test {
 protected:
  std::vector<RowIndex> choose(double fraction, std::uint64_t random_state = 7) {
    return choose_validation(table_.context(pool_, random_state), fraction);
  }
  parallel::Pool pool_{1};
  BoostingTable table_{{211, 10, 2, 0, 3, 30, 0, false, false}, 5};
};

TEST_F(BoostingValidation, IsStratified) {
  for (const double fraction : {0.1, 0.25, 0.5, 0.013}) {
    const auto chosen = choose(fraction);
    EXPECT_EQ(chosen.size(), static_cast<std::size_t>(std::ceil(fraction * 211)));
    EXPECT_TRUE(std::is_sorted(chosen.begin(), chosen.end()));
    EXPECT_EQ(std::set<RowIndex>(chosen.begin(), chosen.end()).size(), chosen.size());
    EXPECT_LT(chosen.back(), 211U);
    std::map<double, double> n_chosen, n_rows;
    for (RowIndex row = 0; row < 211; ++row) ++n_rows[table_.target[row]];
    for (const RowIndex row : chosen) ++n_chosen[table_.target[row]];
    const double share = static_cast<double>(chosen.size()) / 211;
    for (const auto& [label, n] : n_rows) EXPECT_NEAR(n_chosen[label], n * share, 1.0);
  }
}

TEST_F(BoostingValidation, DependsOnTheRandomStateAlone) {
  EXPECT_EQ(choose(0.2), choose(0.2));
  EXPECT_NE(choose(0.2), choose(0.2, 8));
}

TEST_F(BoostingValidation, TakesCounts) { EXPECT_EQ(choose(20).size(), 20U); }

TEST_F(BoostingValidation, LeavesRowsOnBothSides) {
  try {
    choose(0.999);
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kData);
    EXPECT_THAT(error.message(), ::testing::HasSubstr("validation_fraction 0.999"));
  }
}

}  // namespace
}  // namespace orchard::learn::boosting
