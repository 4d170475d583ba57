// Trees of several classes by counts, against those of the general grower.

#include <gtest/gtest.h>

#include "forest/class/grower.hpp"
#include "forest/grower.hpp"
#include "forest/table.hpp"
#include "global_seed.hpp"
#include "instruction_sets.hpp"
#include "orchard/base/text.hpp"

namespace orchard::learn {
namespace {

using options::ForestSettings;
using testing_support::instruction_sets;

ForestSettings settings(std::int64_t n_features, std::int64_t n_leaf_rows = 1) {
  ForestSettings out;
  out.max_features = {options::MaxFeatures::Rule::kCountOrFraction, n_features};
  out.min_samples_leaf = n_leaf_rows;
  return out;
}

struct Case {
  const char* name;
  TableSpec table;
  ForestSettings settings;
};

void PrintTo(const Case& entry, std::ostream* out) { *out << entry.name; }

ForestSettings shaped(std::int64_t n_features, bool bootstrap, std::optional<double> max_samples) {
  ForestSettings out = settings(n_features);
  out.bootstrap = bootstrap;
  if (max_samples) out.max_samples = *max_samples;
  return out;
}

ForestSettings stopped(std::int64_t max_depth, std::int64_t n_split_rows, double decrease) {
  ForestSettings out = settings(3, 2);
  out.max_depth = max_depth;
  out.min_samples_split = n_split_rows;
  out.min_impurity_decrease = decrease;
  return out;
}

/// {n_train, n_test, n_numeric, n_categorical, n_classes, max_bins, has_missing, has_weights}
const Case kCases[] = {
    {"one_row", {1, 0, 3, 0, 3, 12, false, false}, shaped(2, false, {})},
    {"two_rows", {2, 0, 3, 0, 3, 12, true, false}, shaped(2, false, {})},
    {"few_rows", {9, 0, 5, 0, 4, 12, true, false}, shaped(2, false, {})},
    {"one_feature", {300, 0, 1, 0, 5, 255, true, false}, settings(1)},
    {"letters", {4000, 0, 16, 0, 26, 16, false, false}, settings(4)},
    {"all_classes", {3000, 0, 7, 0, 32, 255, true, false}, settings(3)},
    {"all_features", {1500, 0, 9, 0, 5, 40, true, false}, settings(9)},
    {"sixty_three", {63, 0, 6, 0, 4, 70, true, false}, shaped(5, false, {})},
    {"sixty_five", {65, 0, 6, 0, 4, 70, true, false}, shaped(2, false, {})},
    {"leaf", {3000, 0, 11, 0, 7, 255, true, false}, settings(3, 7)},
    {"large_leaf", {3000, 0, 11, 0, 7, 20, true, false}, settings(5, 150)},
    {"few_bins", {3000, 0, 12, 0, 4, 3, true, false}, settings(3, 2)},
    {"few_draws", {3000, 0, 12, 0, 6, 60, true, false}, shaped(3, true, 0.1)},
    {"heavy", {40000, 0, 5, 0, 3, 100, true, false}, settings(2)},
    {"heavy_leaf", {40000, 0, 5, 0, 6, 30, true, false}, settings(2, 3000)},
    {"stopped", {3000, 0, 12, 0, 8, 60, true, false}, stopped(9, 6, 0.0005)},
};

class ForestClassTest : public ::testing::TestWithParam<Case> {};

TEST_P(ForestClassTest, GrowsTheTreesOfTheGeneralGrower) {
  parallel::Pool pool(1);
  for (const auto seed : testing_support::global_seeds()) {
    SCOPED_TRACE(format("seed {}", seed));
    const ForestTable table(GetParam().table, seed);
    const auto plan =
        make_plan({table.data, table.schema, seed, pool}, GetParam().settings,
                  {cut_of(GetParam().settings, table.data.n_train()), Cut{4, 2, 0}, Cut{}});
    const auto general = make_general_grower(plan);
    for (std::uint64_t tree = 0; tree < 3; ++tree) {
      const auto expected = grow(*general, tree);
      for (const auto set : instruction_sets(InstructionSet::kAvx2)) {
        const ScopedInstructionSet scoped(set);
        const auto grower = make_class_grower(plan);
        ASSERT_NE(grower, nullptr);
        grow(*grower, tree + 1);  // whose memory is used again
        ASSERT_EQ(grow(*grower, tree), expected) << "tree " << tree << ' ' << name_of(set);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, ForestClassTest, ::testing::ValuesIn(kCases),
                         [](const auto& entry) { return std::string(entry.param.name); });

/// What is missing says most: left sides of missing rows alone must not be tried.
TEST(ForestClassMissingTest, MissingThatMatters) {
  parallel::Pool pool(1);
  for (const int max_bins : {4, 30, 255}) {
    ForestTable table({4000, 0, 6, 0, 6, max_bins, true, false}, 8);
    for (std::size_t row = 0; row < 4000; ++row) {
      int n_missing = 0;
      for (std::size_t f = 0; f < 6; ++f) {
        n_missing += table.data.column(f)[row] == table.binning.features[f].missing_bin() ? 1 : 0;
      }
      table.target[row] = n_missing;
    }
    const auto plan = make_plan({table.data, table.schema, 3, pool}, settings(4), {Cut{}});
    const auto expected = grow(*make_general_grower(plan), 1);
    for (const auto set : instruction_sets(InstructionSet::kAvx2)) {
      const ScopedInstructionSet scoped(set);
      ASSERT_EQ(grow(*make_class_grower(plan), 1), expected) << name_of(set);
    }
  }
}

TEST(ForestClassChoiceTest, OtherPlansAreLeftToTheGeneralGrower) {
  parallel::Pool pool(1);
  const auto grower_for = [&](const TableSpec& spec, const ForestSettings& with) {
    const ForestTable table(spec, 1);
    const auto plan = make_plan({table.data, table.schema, 1, pool}, with, {Cut{}});
    return make_class_grower(plan) != nullptr;
  };
  const bool has_kernels = processor_instruction_set() >= InstructionSet::kAvx2;
  EXPECT_EQ(grower_for({50, 0, 3, 0, 3, 9, true, false}, settings(2)), has_kernels);
  EXPECT_FALSE(grower_for({50, 0, 3, 0, 3, 9, true, true}, settings(2)));
  EXPECT_FALSE(grower_for({50, 0, 3, 1, 3, 9, true, false}, settings(2)));
  EXPECT_FALSE(grower_for({50, 0, 3, 0, 33, 9, true, false}, settings(2)));
  EXPECT_FALSE(grower_for({50, 0, 17, 0, 3, 9, true, false}, settings(1)));
  ForestSettings other = settings(2);
  other.criterion = options::Criterion::kEntropy;
  EXPECT_FALSE(grower_for({50, 0, 3, 0, 3, 9, true, false}, other));
  other = settings(2);
  other.class_weight = options::ClassWeight::kBalanced;
  EXPECT_FALSE(grower_for({50, 0, 3, 0, 3, 9, true, false}, other));
  const ScopedInstructionSet baseline(InstructionSet::kBaseline);
  EXPECT_FALSE(grower_for({50, 0, 3, 0, 3, 9, true, false}, settings(2)));
}

}  // namespace
}  // namespace orchard::learn
