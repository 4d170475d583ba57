// Whole fits: layout does not show, a restored fit goes on bit for bit, members of a family are
// what they would be on their own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "boosting/engine.hpp"
#include "boosting/table.hpp"
#include "global_seed.hpp"
#include "orchard/base/error.hpp"
#include "orchard/learn/boosting.hpp"

namespace orchard::learn {
namespace {

using options::BoostingSettings;
using options::EarlyStopping;

struct Readout {
  std::size_t member = 0;
  int n_rounds = 0;
  std::vector<std::int64_t> sums;
  bool operator==(const Readout&) const = default;
};

struct Result {
  std::vector<model::Unit> units;
  std::vector<Readout> readouts;
  bool operator==(const Result&) const = default;
};

BoostingSettings settings(EarlyStopping early_stopping = EarlyStopping::kOff) {
  BoostingSettings out;
  out.max_leaf_nodes = 9;
  out.min_samples_leaf = 8;
  out.early_stopping = early_stopping;
  return out;
}

/// Runs a fit to its end, from `units`.
Result run(const BoostingTable& table, const BoostingSettings& with,
           const std::vector<BoostingMember>& members, int n_threads = 1,
           std::vector<model::Unit> units = {}) {
  parallel::Pool pool(n_threads);
  Result result;
  BoostingFit fit(table.context(pool), with, members,
                  [&](std::size_t member, int n_rounds, std::span<const std::int64_t> sums) {
                    result.readouts.push_back({member, n_rounds, {sums.begin(), sums.end()}});
                  });
  if (!units.empty()) fit.restore(std::move(units));
  while (!fit.is_done()) fit.advance();
  for (const Readout& readout : result.readouts) {
    EXPECT_EQ(fit.n_rounds(readout.member), readout.n_rounds);
  }
  result.units = fit.units();
  return result;
}

struct Case {
  const char* name;
  BoostingSpec table;
};
void PrintTo(const Case& entry, std::ostream* out) { *out << entry.name; }

/// {n_train, n_test, n_numeric, n_categorical, n_classes, n_values, n_levels, missing, weights}
const Case kCases[] = {
    {"binary", {400, 60, 3, 0, 2, 30, 0, false, false}},
    {"binary_mixed", {400, 60, 2, 2, 2, 30, 9, true, true}},
    {"classes", {400, 60, 2, 1, 4, 30, 9, true, false}},
    {"regression", {400, 60, 2, 1, 0, 30, 9, true, false}},
    {"weighted_regression", {400, 60, 2, 1, 0, 30, 9, false, true}},
};

class BoostingFits : public ::testing::TestWithParam<Case> {
 protected:
  BoostingTable table_{GetParam().table, testing_support::global_seeds()[0]};
};

TEST_P(BoostingFits, DoNotShowTheNumberOfThreads) {
  BoostingTable table({9000, 100, 4, 2, GetParam().table.n_classes, 100, 9, true, false}, 1);
  const auto one = run(table, settings(EarlyStopping::kOn), {{6, 3, 0}}, 1);
  EXPECT_EQ(run(table, settings(EarlyStopping::kOn), {{6, 3, 0}}, 2), one);
  EXPECT_EQ(run(table, settings(EarlyStopping::kOn), {{6, 3, 0}}, 3), one);
}

TEST_P(BoostingFits, GoOnFromAnyPrefixBitForBit) {
  const std::vector<BoostingMember> members{{3, 10, 0}, {8, 2, 1e-3}, {8, 10, 0}};
  for (const auto stopping : {EarlyStopping::kOff, EarlyStopping::kOn}) {
    const auto whole = run(table_, settings(stopping), members);
    for (std::size_t n = 1; n <= whole.units.size(); ++n) {
      const std::vector<model::Unit> prefix(whole.units.begin(),
                                            whole.units.begin() + static_cast<std::ptrdiff_t>(n));
      EXPECT_EQ(run(table_, settings(stopping), members, 1, prefix), whole) << n;
    }
  }
}

TEST_P(BoostingFits, ReadOutWhatASeparateFitGives) {
  const std::vector<BoostingMember> members{{12, 10, 0}, {4, 10, 0},    {12, 1, 0.01},
                                            {12, 2, 0},  {12, 3, 1e-3}, {1, 1, 0}};
  for (const auto stopping : {EarlyStopping::kOff, EarlyStopping::kOn}) {
    const auto shared = run(table_, settings(stopping), members);
    ASSERT_EQ(shared.readouts.size(), members.size());
    for (const Readout& readout : shared.readouts) {
      const auto alone = run(table_, settings(stopping), {members[readout.member]});
      ASSERT_EQ(alone.readouts.size(), 1U);
      EXPECT_EQ(alone.readouts[0].n_rounds, readout.n_rounds);
      EXPECT_EQ(alone.readouts[0].sums, readout.sums);
      EXPECT_EQ(alone.units.size(), static_cast<std::size_t>(readout.n_rounds));
      EXPECT_TRUE(std::equal(alone.units.begin(), alone.units.end(), shared.units.begin()));
    }
    for (std::size_t i = 1; i < members.size(); ++i) {
      const Readout& before = shared.readouts[i - 1];
      const Readout& after = shared.readouts[i];
      EXPECT_TRUE(before.n_rounds < after.n_rounds ||
                  (before.n_rounds == after.n_rounds && before.member < after.member));
    }
  }
}

TEST_P(BoostingFits, GiveTheSumsThatTheFrozenModelGives) {
  parallel::Pool pool(1);
  std::vector<std::int64_t> sums;
  BoostingFit fit(table_.context(pool), settings(), {{7, 10, 0}},
                  [&](std::size_t, int, std::span<const std::int64_t> given) {
                    sums.assign(given.begin(), given.end());
                  });
  while (!fit.is_done()) fit.advance();
  const ModelFrame frame = fit.frame();
  model::Ensemble ensemble;
  ensemble.schema = table_.table.schema;
  ensemble.combine = frame.combine;
  ensemble.n_outputs = frame.n_outputs;
  ensemble.value_exponent = frame.value_exponent;
  ensemble.baseline = frame.baseline;
  for (const auto& unit : fit.units()) {
    ensemble.trees.insert(ensemble.trees.end(), unit.begin(), unit.end());
  }
  ensemble.validate();
  const auto n_outputs = static_cast<std::size_t>(frame.n_outputs);
  std::vector<std::int64_t> expected;
  for (RowIndex row = 0; row < 60; ++row) {
    expected.insert(expected.end(), frame.baseline.begin(), frame.baseline.end());
  }
  ASSERT_EQ(expected.size(), 60 * n_outputs);
  model::accumulate(ensemble, table_.table.features(), 400, 460, expected);
  EXPECT_EQ(sums, expected);
}

TEST_P(BoostingFits, StopInOrderAndGoOn) {
  const auto whole = run(table_, settings(EarlyStopping::kOn), {{5, 10, 0}});
  parallel::Pool pool(1);
  BoostingFit fit(table_.context(pool), settings(EarlyStopping::kOn), {{5, 10, 0}}, {});
  fit.advance();
  pool.set_poll_hook([] { return true; });
  EXPECT_THROW(fit.advance(), Stopped);
  EXPECT_EQ(fit.units().size(), 1U);
  pool.set_poll_hook({});
  while (!fit.is_done()) fit.advance();
  EXPECT_EQ(fit.units(), whole.units);
}

TEST_P(BoostingFits, LearnTheTrainingRows) {
  parallel::Pool pool(1);
  auto with = settings(EarlyStopping::kOn);
  with.validation_fraction.reset();  // the training rows judge
  boosting::Engine engine(table_.context(pool), with, {{30, 30, 0}}, {});
  while (!engine.is_done()) engine.advance();
  ASSERT_EQ(engine.scores().size(), 31U);
  for (std::size_t round = 1; round < 31; ++round) {
    EXPECT_GT(engine.scores()[round], engine.scores()[round - 1]);
  }
  EXPECT_TRUE(engine.rows().validation.empty());
}

INSTANTIATE_TEST_SUITE_P(All, BoostingFits, ::testing::ValuesIn(kCases),
                         [](const auto& entry) { return std::string(entry.param.name); });

TEST(BoostingFit, HoldsOutTheSameRowsForEveryNumberOfRounds) {
  const BoostingTable table({400, 0, 3, 0, 2, 30, 0, false, false}, 3);
  parallel::Pool pool(1);
  const boosting::Engine few(table.context(pool), settings(EarlyStopping::kOn), {{3, 10, 0}}, {});
  const boosting::Engine many(table.context(pool), settings(EarlyStopping::kOn), {{90, 10, 0}}, {});
  EXPECT_EQ(few.rows().validation, many.rows().validation);
  EXPECT_EQ(few.rows().validation.size(), 40U);
  EXPECT_EQ(few.rows().fit.size(), 360U);
}

TEST(BoostingFit, StopsEarlyByAScorer) {
  const BoostingTable table({600, 0, 3, 0, 2, 30, 0, false, false}, 3);
  parallel::Pool pool(1);
  auto with = settings(EarlyStopping::kOn);
  with.scoring = "roc_auc";
  boosting::Engine engine(table.context(pool), with, {{500, 5, 0}}, {});
  EXPECT_EQ(engine.scores()[0], 0.5) << "the constant model";
  while (!engine.is_done()) engine.advance();
  EXPECT_LT(engine.n_rounds(0), 500);
  EXPECT_TRUE(boosting::should_stop(engine.scores(), 5, 0));
}

TEST(BoostingFit, StartsFromTheConstantModel) {
  parallel::Pool pool(1);
  const BoostingTable binary({300, 0, 2, 0, 2, 30, 0, false, true}, 3);
  double positive = 0, total = 0;
  for (RowIndex row = 0; row < 300; ++row) {
    positive += binary.weight[row] * binary.target[row];
    total += binary.weight[row];
  }
  const auto value = [](const BoostingFit& fit, std::size_t k) {
    return std::ldexp(static_cast<double>(fit.frame().baseline[k]), fit.frame().value_exponent);
  };
  const BoostingFit of_binary(binary.context(pool), settings(), {{1, 1, 0}}, {});
  EXPECT_NEAR(value(of_binary, 0), std::log(positive / (total - positive)), 1e-12);

  const BoostingTable classes({300, 0, 2, 0, 3, 30, 0, false, false}, 3);
  std::map<double, double> counts;
  for (RowIndex row = 0; row < 300; ++row) ++counts[classes.target[row]];
  const BoostingFit of_classes(classes.context(pool), settings(), {{1, 1, 0}}, {});
  double sum = 0;
  for (std::size_t k = 0; k < 3; ++k) sum += value(of_classes, k);
  EXPECT_NEAR(sum, 0, 1e-12);
  EXPECT_NEAR(value(of_classes, 1) - value(of_classes, 0), std::log(counts[1] / counts[0]), 1e-12);

  const BoostingTable values({300, 0, 2, 0, 0, 30, 0, false, false}, 3);
  double mean = 0;
  for (RowIndex row = 0; row < 300; ++row) mean += values.target[row] / 300;
  const BoostingFit of_values(values.context(pool), settings(), {{1, 1, 0}}, {});
  EXPECT_NEAR(value(of_values, 0), mean, 1e-12);
}

TEST(BoostingFit, BalancesClasses) {
  BoostingTable table({300, 0, 2, 0, 2, 30, 0, false, false}, 3);
  for (RowIndex row = 0; row < 300; ++row) table.target[row] = row % 10 == 0;
  table.bin();
  parallel::Pool pool(1);
  auto with = settings();
  with.class_weight = options::ClassWeight::kBalanced;
  const auto weights = boosting::row_weights(table.context(pool), with.class_weight);
  EXPECT_DOUBLE_EQ(weights[0], 300.0 / (2 * 30));
  EXPECT_DOUBLE_EQ(weights[1], 300.0 / (2 * 270));
  const BoostingFit fit(table.context(pool), with, {{1, 1, 0}}, {});
  EXPECT_NEAR(std::ldexp(static_cast<double>(fit.frame().baseline[0]), -44), 0, 1e-9);
}

TEST(BoostingFit, IgnoresRowsWithoutWeight) {
  BoostingTable table({400, 60, 3, 0, 2, 30, 0, false, true}, 3);
  for (RowIndex row = 0; row < 400; ++row) table.weight[row] = row % 3 == 0 ? 0 : 1;
  table.bin();
  const auto before = run(table, settings(), {{5, 10, 0}});
  for (RowIndex row = 0; row < 400; row += 3) table.target[row] = 1 - table.target[row];
  table.bin();
  EXPECT_EQ(run(table, settings(), {{5, 10, 0}}), before);
}

TEST(BoostingFit, RefusesWhatCannotSucceed) {
  BoostingTable table({50, 0, 2, 0, 0, 30, 0, false, true}, 3);
  table.weight.assign(50, 0.0);
  table.bin();
  parallel::Pool pool(1);
  const auto message = [&] {
    try {
      BoostingFit fit(table.context(pool), settings(), {{3, 10, 0}}, {});
      while (!fit.is_done()) fit.advance();
      return std::string("not refused");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kData);
      return error.message();
    }
  };
  EXPECT_THAT(message(), ::testing::HasSubstr("weight 0"));
  table.weight.assign(50, 1e300);
  table.target.assign(50, 1e300);
  table.bin();
  EXPECT_THAT(message(), ::testing::HasSubstr("not finite"));
}

TEST(BoostingFit, FitsAConstantTarget) {
  BoostingTable table({100, 20, 2, 0, 0, 30, 0, false, false}, 3);
  table.target.assign(120, -3.5);
  table.bin();
  const auto result = run(table, settings(), {{3, 10, 0}});
  for (const std::int64_t sum : result.readouts[0].sums) {
    EXPECT_EQ(std::ldexp(static_cast<double>(sum), 2 - 50), -3.5);
  }
  for (const auto& unit : result.units) EXPECT_EQ(unit[0].n_nodes(), 1U);
  table.target.assign(120, 0);
  table.bin();
  EXPECT_EQ(run(table, settings(), {{3, 10, 0}}).readouts[0].sums, std::vector<std::int64_t>(20));
}

}  // namespace
}  // namespace orchard::learn
