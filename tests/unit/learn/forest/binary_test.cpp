// The grower of two-class trees by counts against the general one: the same trees, to the bit.

#include "forest/binary/grower.hpp"

#include <gtest/gtest.h>

#include "forest/table.hpp"
#include "global_seed.hpp"
#include "instruction_sets.hpp"
#include "orchard/base/text.hpp"

namespace orchard::learn {
namespace {

using options::ForestSettings;
using options::MaxFeatures;
using testing_support::instruction_sets;

/// Over the instruction sets that the processor has and the grower needs.
class ForestBinaryTest : public ::testing::TestWithParam<InstructionSet> {
 private:
  ScopedInstructionSet set_{GetParam()};
};

/// Trees 0 .. n-1 of both growers, one after the other in the same memory.
void expect_same_trees(const ForestTable& table, const ForestSettings& settings,
                       const std::vector<Cut>& cuts, std::uint64_t seed, std::uint64_t n_trees,
                       std::size_t n_block_bytes = std::size_t{1} << 30) {
  parallel::Pool pool(1);
  auto plan = make_plan({table.data, table.schema, seed, pool}, settings, cuts);
  plan.tuning.n_block_bytes = n_block_bytes;
  const auto grower = make_binary_grower(plan);
  ASSERT_NE(grower, nullptr);
  const auto general = make_general_grower(plan);
  for (std::uint64_t tree = 0; tree < n_trees; ++tree) {
    const auto grown = grow(*grower, tree);
    grown.validate(table.data.n_features(), 2);
    ASSERT_EQ(grown, grow(*general, tree)) << "tree " << tree;
  }
}

/// Trees of several leaf sizes at once, against the general grower's of each.
void expect_leaf_sizes_share(const ForestTable& table, ForestSettings settings,
                             const std::vector<Cut>& cuts, std::uint64_t seed,
                             std::uint64_t n_trees, std::size_t n_block_bytes) {
  parallel::Pool pool(1);
  const FitContext context{table.data, table.schema, seed, pool};
  const std::vector<std::int64_t> sizes = {1, 4, 5, 17, 90};
  auto plan = make_plan(context, settings, cuts, {sizes.begin(), sizes.end()});
  plan.tuning.n_block_bytes = n_block_bytes;
  const auto grower = make_binary_grower(plan);
  ASSERT_NE(grower, nullptr);
  for (std::uint64_t tree = 0; tree < n_trees; ++tree) {
    std::vector<model::PackedTree> grown(sizes.size());
    grower->grow({tree}, grown);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      settings.min_samples_leaf = sizes[i];
      const auto alone = make_plan(context, settings, cuts);
      ASSERT_EQ(grown[i], grow_packed(*make_general_grower(alone), tree))
          << "tree " << tree << " leaf size " << sizes[i];
    }
  }
}

ForestSettings random_settings(std::mt19937_64& random, std::size_t n_features) {
  ForestSettings settings;
  settings.max_features.rule = MaxFeatures::Rule::kCountOrFraction;
  settings.max_features.value = static_cast<std::int64_t>(1 + random() % n_features);
  settings.bootstrap = random() % 4 != 0;
  if (settings.bootstrap && random() % 3 == 0) settings.max_samples = 0.4;
  if (random() % 2) settings.min_samples_leaf = static_cast<std::int64_t>(1 + random() % 25);
  return settings;
}

std::vector<Cut> random_cuts(std::mt19937_64& random) {
  std::vector<Cut> cuts(1 + random() % 4);
  for (auto& cut : cuts) {
    if (random() % 3 == 0) cut.max_depth = static_cast<std::int64_t>(random() % 12);
    if (random() % 3 == 0) cut.min_samples_split = static_cast<std::int64_t>(2 + random() % 30);
    if (random() % 3 == 0) cut.min_impurity_decrease = 0.0005 * static_cast<double>(random() % 10);
  }
  return cuts;
}

/// Labels that follow the features so little that trees go deep.
void shuffle_labels(ForestTable& table, std::mt19937_64& random, std::uint64_t one_in) {
  for (auto& y : table.target) {
    if (random() % one_in == 0) y = 1 - y;
  }
}

TEST_P(ForestBinaryTest, GrowsTheTreesOfTheGeneralGrower) {
  for (const auto seed : testing_support::global_seeds()) {
    for (std::uint64_t i = 0; i < 120; ++i) {
      SCOPED_TRACE(format("seed {} case {}", seed, i));
      std::mt19937_64 random(seed * 1000 + i);
      TableSpec spec;
      const std::uint64_t sizes[] = {1, 2, 3, 63, 64, 65, 128, 129, 300, 1000};
      spec.n_train = static_cast<RowIndex>(sizes[random() % 10]);
      spec.n_test = static_cast<RowIndex>(random() % 3);
      spec.n_numeric = 1 + random() % 9;
      spec.max_bins = std::array{1, 2, 5, 16, 64, 254, 255}[random() % 7];
      spec.has_missing = random() % 2;
      ForestTable table(spec, seed * 1000 + i);
      shuffle_labels(table, random, 2 + random() % 5);
      const auto settings = random_settings(random, spec.n_numeric);
      const auto cuts = random_cuts(random);
      const std::size_t n_block_bytes = random() % 2 ? 0 : std::size_t{1} << 20;
      expect_same_trees(table, settings, cuts, seed, 4, n_block_bytes);
      expect_leaf_sizes_share(table, settings, cuts, seed, 3, n_block_bytes);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(ForestBinaryTest, GrowsTheTreesOfTheGeneralGrowerFromManyRows) {
  for (const bool has_missing : {false, true}) {
    for (const std::int64_t n_leaf_rows : {1, 30}) {
      SCOPED_TRACE(format("missing {} leaf {}", has_missing, n_leaf_rows));
      ForestTable table({70'001, 0, 5, 0, 2, 255, has_missing, false}, 3);
      std::mt19937_64 random(1);
      shuffle_labels(table, random, 3);
      ForestSettings settings;
      settings.min_samples_leaf = n_leaf_rows;
      settings.bootstrap = has_missing;
      expect_same_trees(table, settings, {Cut{}}, 9, 2);
      expect_same_trees(table, settings, {Cut{}}, 9, 2, 0);
      expect_leaf_sizes_share(table, settings, {Cut{}, Cut{6, 2, 0}}, 9, 1, 0);
      expect_leaf_sizes_share(table, settings, {Cut{}}, 9, 1, std::size_t{1} << 30);
    }
  }
}

TEST_P(ForestBinaryTest, CopesWithLabelsThatAreAlike) {
  for (const std::uint64_t one_in : {1'000'000, 100}) {
    ForestTable table({500, 0, 4, 0, 2, 20, true, false}, 2);
    for (auto& y : table.target) y = 0;
    std::mt19937_64 random(1);
    shuffle_labels(table, random, one_in);
    expect_same_trees(table, {}, {Cut{}}, 1, 3);
  }
}

TEST_P(ForestBinaryTest, LeavesOtherPlansToTheGeneralGrower) {
  parallel::Pool pool(1);
  const auto is_known = [&](const TableSpec& spec, const ForestSettings& settings) {
    const ForestTable table(spec, 1);
    const auto plan = make_plan({table.data, table.schema, 1, pool}, settings, {Cut{}});
    return make_binary_grower(plan) != nullptr;
  };
  ForestSettings entropy, balanced, squared;
  entropy.criterion = options::Criterion::kEntropy;
  balanced.class_weight = options::ClassWeight::kBalanced;
  squared.criterion = options::Criterion::kSquaredError;
  EXPECT_TRUE(is_known({120, 0, 4, 0, 2, 12, true, false}, {}));
  EXPECT_FALSE(is_known({120, 0, 4, 0, 2, 12, true, true}, {}));
  EXPECT_FALSE(is_known({120, 0, 4, 1, 2, 12, true, false}, {}));
  EXPECT_FALSE(is_known({120, 0, 4, 0, 3, 12, true, false}, {}));
  EXPECT_FALSE(is_known({120, 0, 4, 0, 0, 12, true, false}, squared));
  EXPECT_FALSE(is_known({120, 0, 4, 0, 2, 12, true, false}, entropy));
  EXPECT_FALSE(is_known({120, 0, 4, 0, 2, 12, true, false}, balanced));
  const ScopedInstructionSet narrower(InstructionSet::kBaseline);
  EXPECT_FALSE(is_known({120, 0, 4, 0, 2, 12, true, false}, {}));
}

INSTANTIATE_TEST_SUITE_P(Sets, ForestBinaryTest,
                         ::testing::ValuesIn(instruction_sets(InstructionSet::kAvx2)),
                         [](const auto& entry) { return std::string(name_of(entry.param)); });

}  // namespace
}  // namespace orchard::learn
