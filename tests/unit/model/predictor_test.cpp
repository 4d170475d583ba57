#include "orchard/model/predictor.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "orchard/base/error.hpp"
#include "orchard/base/instruction_set.hpp"
#include "random_models.hpp"

namespace orchard::model {
namespace {

constexpr InstructionSet kSets[] = {InstructionSet::kBaseline, InstructionSet::kAvx2,
                                    InstructionSet::kAvx512};

std::vector<std::int64_t> start(const Ensemble& ensemble, std::size_t n_rows) {
  std::vector<std::int64_t> sums(n_rows * static_cast<std::size_t>(ensemble.n_outputs));
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = static_cast<std::int64_t>(i % 7);
  return sums;
}

/// The predictor adds what the plain walk adds, on every instruction set, for all rows at once and
/// for a range of them.
void expect_plain(const Ensemble& ensemble, const FeatureColumns& data, int n_threads) {
  auto expected = start(ensemble, data.n_rows);
  accumulate(ensemble, data, 0, data.n_rows, expected);
  parallel::Pool pool(n_threads);
  const Predictor predictor(ensemble, pool);
  for (const auto set : kSets) {
    if (set > processor_instruction_set()) continue;
    const ScopedInstructionSet scope(set);
    auto sums = start(ensemble, data.n_rows);
    predictor.accumulate(data, 0, data.n_rows, sums);
    EXPECT_EQ(sums, expected) << name_of(set);
    const RowIndex begin = data.n_rows / 3, end = data.n_rows - data.n_rows / 5;
    std::vector<std::int64_t> part((end - begin) * static_cast<std::size_t>(ensemble.n_outputs));
    auto expected_part = part;
    accumulate(ensemble, data, begin, end, expected_part);
    predictor.accumulate(data, begin, end, part);
    EXPECT_EQ(part, expected_part) << name_of(set);
  }
}

void expect_plain(const RandomModel& spec, std::initializer_list<std::size_t> row_counts) {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    const auto ensemble = random_ensemble(spec, seed);
    for (const auto n_rows : row_counts) {
      const RandomRows rows(spec, n_rows, seed);
      for (const int n_threads : {1, 3}) {
        SCOPED_TRACE(format("seed {}, {} rows, {} threads", seed, n_rows, n_threads));
        expect_plain(ensemble, rows.data, n_threads);
      }
    }
  }
}

TEST(PredictorTest, SmallTrees) {
  for (const std::size_t n_leaves : {1, 2, 8, 9, 31, 32, 33, 63, 64, 65}) {
    SCOPED_TRACE(format("{} leaves", n_leaves));
    expect_plain({.n_leaves = n_leaves}, {1, 63, 64, 257});
    expect_plain({.n_leaves = n_leaves, .n_categorical = 0, .combine = Combine::kSum}, {700});
  }
}

TEST(PredictorTest, ManySmallTrees) {
  expect_plain({.n_trees = 600, .n_leaves = 4, .combine = Combine::kSum}, {1, 300});
  expect_plain({.n_trees = 600, .n_leaves = 4, .n_classes = 3, .combine = Combine::kSum}, {300});
  expect_plain({.n_trees = 300, .n_leaves = 16, .n_classes = 5}, {300});
}

TEST(PredictorTest, ValuesOfEveryWidth) {
  for (int bits = 2; bits < 62; bits += 5) {
    SCOPED_TRACE(format("{} bits", bits));
    RandomModel spec{.n_trees = 2, .n_leaves = 20, .n_classes = 0};
    spec.greatest_value = std::int64_t{1} << bits;
    expect_plain(spec, {130});
  }
}

TEST(PredictorTest, LargeTrees) {
  expect_plain({.n_leaves = 3000}, {1, 15, 16, 17, 4097, 9001});
  expect_plain({.n_leaves = 3000, .n_categorical = 0}, {33, 5000});
  expect_plain({.n_leaves = 1000, .n_classes = 7}, {500});
  expect_plain({.n_leaves = 1000, .n_classes = 0, .combine = Combine::kSum}, {500});
}

TEST(PredictorTest, RowsThatMissNothing) {
  expect_plain({.n_leaves = 3000, .n_categorical = 0, .has_odd_values = false}, {16, 5000});
  expect_plain({.n_leaves = 3000, .has_odd_values = false}, {300});
  expect_plain({.n_leaves = 31, .has_odd_values = false}, {300});
}

TEST(PredictorTest, MoreRowsThanAreTakenAtOnce) {
  expect_plain({.n_trees = 2, .n_leaves = 100}, {Predictor::kRowsAtOnce + 1});
}

TEST(PredictorTest, DeepTrees) {
  expect_plain({.n_leaves = 60, .is_chain = true}, {300});
  expect_plain({.n_leaves = 400, .is_chain = true}, {300});
}

TEST(PredictorTest, TreesBeyondTheNarrowNodes) {
  expect_plain({.n_trees = 1, .n_leaves = 70000}, {300});
  expect_plain({.n_trees = 3, .n_leaves = 500, .n_numeric = 300}, {300});
  expect_plain({.n_trees = 3, .n_leaves = 500, .n_numeric = 200}, {300});
  expect_plain({.n_leaves = 500, .n_numeric = 200, .n_categorical = 0, .has_odd_values = false},
               {300});
}

TEST(PredictorTest, ModelsBeyondBytes) {
  expect_plain({.n_trees = 3, .n_leaves = 2000, .n_thresholds = 400}, {300});
  expect_plain({.n_trees = 3, .n_leaves = 200, .n_levels = 300}, {300});
}

TEST(PredictorTest, ThresholdsOfEveryShape) {
  constexpr float kMax = std::numeric_limits<float>::max();
  const std::vector<std::vector<float>> shapes = {
      {0}, {-kMax, kMax}, {1e-45F, 2e-45F, 3e-45F}, {1, 1 + 1e-7F, 1e30F}, {-1e30F, -1, 0, 1e-30F}};
  for (const auto& thresholds : shapes) {
    const RandomModel spec{.n_trees = 20, .n_numeric = 1, .n_categorical = 0};
    auto ensemble = random_ensemble(spec, 1);
    Random random(2);
    for (auto& tree : ensemble.trees) {
      for (std::size_t node = 0; node < tree.n_nodes(); ++node) {
        if (tree.left[node] >= 0) {
          tree.threshold[node] = thresholds[below(random, thresholds.size())];
        }
      }
    }
    std::vector<float> values = {kMax, -kMax, 0, -0.0F, std::numeric_limits<float>::infinity()};
    for (const float at : thresholds) {
      for (const float x : {at, std::nextafter(at, kMax), std::nextafter(at, -kMax), -at}) {
        values.push_back(x);
      }
    }
    values.push_back(std::numeric_limits<float>::quiet_NaN());
    while (values.size() < 40) values.push_back(values[values.size() / 2]);
    expect_plain(ensemble, {{values.data()}, static_cast<RowIndex>(values.size())}, 2);
  }
}

TEST(PredictorTest, RefusesRowsOutsideTheTable) {
  const RandomModel spec;
  const auto ensemble = random_ensemble(spec, 1);
  const RandomRows rows(spec, 10, 1);
  parallel::Pool pool(1);
  const Predictor predictor(ensemble, pool);
  std::vector<std::int64_t> sums(4);
  EXPECT_THROW(predictor.accumulate(rows.data, 9, 11, sums), Error);
  EXPECT_THROW(predictor.accumulate(rows.data, 7, 10, sums), Error);
}

}  // namespace
}  // namespace orchard::model
