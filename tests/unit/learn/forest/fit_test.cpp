#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "forest/table.hpp"
#include "orchard/base/clock.hpp"
#include "orchard/base/error.hpp"
#include "orchard/learn/forest.hpp"

namespace orchard::learn {
namespace {

using options::ForestSettings;

ForestSettings settings_for(const TableSpec& spec) {
  ForestSettings settings;
  if (spec.n_classes == 0) settings.criterion = options::Criterion::kSquaredError;
  return settings;
}

std::vector<model::Unit> grow(const ForestTable& table, const ForestSettings& settings,
                              int n_threads, int first, int last) {
  parallel::Pool pool(n_threads);
  ForestFit fit({table.data, table.schema, 5, pool}, settings, {Cut{}}, first, last);
  while (!fit.is_done()) fit.advance();
  return fit.units();
}

const TableSpec kSpecs[] = {{120, 30, 4, 1, 2, 12, true, false},
                            {120, 30, 4, 1, 4, 12, true, true},
                            {120, 30, 4, 1, 0, 12, true, false}};

TEST(ForestFitTest, ThreadsDoNotChangeTrees) {
  for (const auto& spec : kSpecs) {
    const ForestTable table(spec, 1);
    const auto expected = grow(table, settings_for(spec), 1, 0, 7);
    ASSERT_EQ(expected.size(), 7U);
    for (const int n_threads : {2, 3}) {
      EXPECT_EQ(grow(table, settings_for(spec), n_threads, 0, 7), expected) << n_threads;
    }
  }
}

TEST(ForestFitTest, ATreeDependsOnItsNumberAlone) {
  const ForestTable table(kSpecs[0], 1);
  const auto all = grow(table, {}, 2, 0, 9);
  const auto part = grow(table, {}, 1, 4, 8);
  for (std::size_t i = 0; i < part.size(); ++i) EXPECT_EQ(part[i], all[i + 4]) << i;
  EXPECT_NE(all[0], all[1]);
}

TEST(ForestFitTest, ARestoredFitGoesOnBitForBit) {
  for (const auto& spec : kSpecs) {
    const ForestTable table(spec, 2);
    const auto expected = grow(table, settings_for(spec), 1, 0, 6);
    parallel::Pool pool(2);
    const FitContext context{table.data, table.schema, 5, pool};
    ForestFit fit(context, settings_for(spec), {Cut{}}, 0, 6);
    fit.restore({expected.begin(), expected.begin() + 3});
    while (!fit.is_done()) fit.advance();
    EXPECT_EQ(fit.units(), expected);
    EXPECT_THROW(fit.restore({}), Error);
  }
}

TEST(ForestFitTest, DamagedTreesAreNotRestored) {
  const ForestTable table(kSpecs[0], 2);
  parallel::Pool pool(1);
  const FitContext context{table.data, table.schema, 5, pool};
  const std::vector<Cut> cuts = {Cut{}, Cut{2, 2, 0}};
  ForestFit whole(context, {}, cuts, 0, 1);
  whole.advance();
  const auto restore = [&](auto damage) {
    auto damaged = whole.units()[0][0];
    damage(damaged);
    ForestFit fit(context, {}, cuts, 0, 1);
    fit.restore({model::Unit({damaged})});
  };
  restore([](model::Tree&) {});
  EXPECT_THROW(restore([](model::Tree& tree) { tree.stops.back() = 0; }), Error);
  EXPECT_THROW(restore([](model::Tree& tree) { tree.stops.clear(); }), Error);
  EXPECT_THROW(restore([](model::Tree& tree) { tree.left[0] = 0; }), Error);
  EXPECT_THROW(restore([](model::Tree& tree) {
                 tree.category_begin.resize(tree.n_nodes(), -1);
                 tree.category_n_words.resize(tree.n_nodes(), 0);
                 const bool is_number = tree.category_begin[0] < 0;
                 tree.flags[0] = is_number ? model::Tree::kCategorical : 0;
                 tree.category_begin[0] = is_number ? 0 : -1;
                 tree.category_n_words[0] = 0;
               }),
               Error);
}

TEST(ForestFitTest, ReadoutsAddUpOverRangesOfTrees) {
  const ForestTable table(kSpecs[1], 3);
  parallel::Pool pool(2);
  ForestFit fit({table.data, table.schema, 5, pool}, {}, {Cut{}, Cut{2, 2, 0}}, 0, 20);
  while (!fit.is_done()) fit.advance();
  std::vector<std::int64_t> whole(2 * 30 * 4), parts(whole.size());
  fit.read_out(0, 0, 20, whole);
  fit.read_out(0, 0, 3, parts);
  fit.read_out(0, 3, 20, parts);
  EXPECT_EQ(whole, parts);
  for (std::size_t row = 0; row < 60; ++row) {
    std::int64_t sum = 0;
    for (std::size_t k = 0; k < 4; ++k) sum += whole[row * 4 + k];
    EXPECT_EQ(sum, std::int64_t{20} << 30);
  }
}

TEST(ForestFitTest, AStopDropsTheTreesUnderWay) {
  const ForestTable table({60000, 0, 6, 0, 2, 200, false, false}, 4);
  parallel::Pool pool(1);
  bool wants_stop = false;
  pool.set_poll_hook([&] { return wants_stop; });
  ForestFit fit({table.data, table.schema, 5, pool}, {}, {Cut{12, 2, 0}}, 0, 100);
  fit.advance();
  const std::size_t n_finished = fit.units().size();
  EXPECT_GE(n_finished, 1U);
  wants_stop = true;
  sleep_s(0.03);  // the pool asks its hook at most every 20 ms
  EXPECT_THROW(fit.advance(), Stopped);
  EXPECT_EQ(fit.units().size(), n_finished);
}

TEST(ForestFitTest, AStopKeepsTheTreesThatAreFinished) {
  const ForestTable table({3000, 0, 6, 0, 2, 200, false, false}, 4);
  parallel::Pool pool(1);
  int n_polls = 0;
  pool.set_poll_hook([&] { return ++n_polls > 5; });
  ForestFit fit({table.data, table.schema, 5, pool}, {}, {Cut{}}, 0, 10'000);
  EXPECT_THROW(while (true) fit.advance(), Stopped);
  const auto kept = fit.units();
  EXPECT_GE(kept.size(), 1U);
  EXPECT_EQ(kept, grow(table, {}, 1, 0, static_cast<int>(kept.size())));
}

TEST(ForestFitTest, WithoutBootstrapWeightsOfTwoAreRowsTwice) {
  TableSpec spec{50, 0, 4, 0, 0, 12, true, false};
  ForestTable table(spec, 5);
  ForestSettings settings = settings_for(spec);
  settings.bootstrap = false;
  const auto plain = grow(table, settings, 1, 0, 1);
  table.weight.assign(50, 2.0);
  table.data.weight = table.weight;
  const auto weighted = grow(table, settings, 1, 0, 1);
  EXPECT_EQ(plain[0][0].feature, weighted[0][0].feature);
  EXPECT_EQ(plain[0][0].threshold, weighted[0][0].threshold);
  EXPECT_EQ(plain[0][0].n_samples, weighted[0][0].n_samples);
}

TEST(ForestFitTest, RowsOfWeightZeroAreNoRows) {
  ForestTable table({80, 0, 4, 0, 2, 12, false, true}, 6);
  ForestSettings settings;
  settings.bootstrap = false;
  std::uint32_t n_positive = 0;
  for (const double w : table.weight) n_positive += w > 0 ? 1 : 0;
  ASSERT_LT(n_positive, 80U);
  EXPECT_EQ(grow(table, settings, 1, 0, 1)[0][0].n_samples[0], n_positive);
}

TEST(ForestFitTest, LeavesOfARegressionAreExact) {
  ForestTable table({100, 0, 4, 0, 0, 50, false, false}, 7);
  for (auto& y : table.target) y = std::floor(y * 4) / 4 + 1e6;
  ForestSettings settings = settings_for({.n_classes = 0});
  settings.bootstrap = false;
  parallel::Pool pool(1);
  ForestFit fit({table.data, table.schema, 5, pool}, settings, {Cut{}}, 0, 1);
  fit.advance();
  const auto& tree = fit.units()[0][0];
  const int exponent = fit.frame().value_exponent;
  std::vector<std::int64_t> expected;
  for (const double y : table.target) {
    expected.push_back(static_cast<std::int64_t>(std::ldexp(y, -exponent)));
  }
  for (std::size_t i = 0; i < tree.n_nodes(); ++i) {
    if (!tree.is_leaf(static_cast<NodeIndex>(i)) || tree.n_samples[i] != 1) continue;
    const auto value = tree.values[static_cast<std::size_t>(tree.value_row[i])];
    EXPECT_THAT(expected, ::testing::Contains(value));
  }
}

TEST(ForestFitTest, AConstantTargetIsOneLeaf) {
  ForestTable table({50, 0, 3, 0, 0, 12, false, false}, 8);
  for (auto& y : table.target) y = 0;
  const auto units = grow(table, settings_for({.n_classes = 0}), 1, 0, 1);
  ASSERT_EQ(units[0][0].n_nodes(), 1U);
  EXPECT_EQ(units[0][0].values, std::vector<std::int64_t>{0});
}

template <class Change>
void expect_refused(const TableSpec& spec, Change change, const char* text) {
  ForestTable table(spec, 9);
  ForestSettings settings = settings_for(spec);
  change(table, settings);
  parallel::Pool pool(1);
  try {
    ForestFit fit({table.data, table.schema, 5, pool}, settings, {Cut{}}, 0, 1);
    fit.advance();
    FAIL() << "expected: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kData);
    EXPECT_THAT(error.message(), ::testing::HasSubstr(text));
  }
}

TEST(ForestFitTest, SaysWhyAFitCannotSucceed) {
  const TableSpec weighted{50, 0, 3, 0, 2, 12, false, true};
  const TableSpec values{50, 0, 3, 0, 0, 12, false, false};
  expect_refused(
      weighted, [](auto& table, auto&) { table.weight[3] = -1; },
      "weight of training row 3 is negative: -1");
  expect_refused(
      weighted, [](auto& table, auto&) { table.weight[4] = NAN; },
      "weight of training row 4 is nan");
  expect_refused(
      weighted, [](auto& table, auto&) { table.weight[4] = 1e-30; }, "vanishes beside");
  expect_refused(
      weighted,
      [](auto& table, auto&) {
        for (auto& w : table.weight) w = 0;
      },
      "no row of positive weight");
  expect_refused(
      values, [](auto& table, auto&) { table.target[7] = INFINITY; },
      "target of training row 7 is inf");
  expect_refused(
      weighted, [](auto& table, auto&) { table.target[0] = 2; }, "not the index of one of 2");
  expect_refused(
      weighted, [](auto&, auto& settings) { settings.max_samples = std::int64_t{51}; },
      "max_samples is 51; expected 1 to the 50");
}

TEST(ForestFitTest, NamesTheLastRowToo) {
  const TableSpec weighted{50, 0, 3, 0, 2, 12, false, true};
  const TableSpec values{50, 0, 3, 0, 0, 12, false, false};
  expect_refused(
      weighted, [](auto& table, auto&) { table.weight.back() = -1; },
      "weight of training row 49 is negative: -1");
  expect_refused(
      weighted, [](auto& table, auto&) { table.weight.back() = NAN; },
      "weight of training row 49 is nan");
  expect_refused(
      weighted, [](auto& table, auto&) { table.weight.back() = 1e-30; },
      "weight 1e-30 of training row 49 vanishes beside");
  expect_refused(
      values, [](auto& table, auto&) { table.target.back() = INFINITY; },
      "target of training row 49 is inf");
  expect_refused(
      weighted, [](auto& table, auto&) { table.target.back() = 2; },
      "target of training row 49 is 2, not the index of one of 2");
}

TEST(ForestFitTest, RefusesMoreTreesThanCanBeAdded) {
  const ForestTable table({}, 1);
  parallel::Pool pool(1);
  EXPECT_THROW(ForestFit({table.data, table.schema, 5, pool}, {}, {Cut{}}, 0, 100'000), Error);
}

}  // namespace
}  // namespace orchard::learn
