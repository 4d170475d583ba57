// Trees of several leaf sizes that a fast grower grows in one recursion, against those that the
// general grower grows alone.

#include <gtest/gtest.h>

#include "forest/binary/grower.hpp"
#include "forest/class/grower.hpp"
#include "forest/random_case.hpp"
#include "forest/value/grower.hpp"
#include "global_seed.hpp"
#include "instruction_sets.hpp"

namespace orchard::learn {
namespace {

using options::ForestSettings;

struct Case {
  TableSpec table;
  ForestSettings settings;
  std::vector<Cut> cuts;
  std::vector<std::int64_t> leaf_sizes;
  std::size_t n_block_bytes = 0;
};

Case random_case(std::mt19937_64& random, std::size_t n_classes) {
  Case out;
  const std::size_t n_rows[] = {1, 2, 3, 5, 63, 65, 128, 255, 256, 257, 300, 700, 1500};
  out.table.n_train = static_cast<RowIndex>(n_rows[random() % std::size(n_rows)]);
  out.table.n_test = static_cast<RowIndex>(random() % 3);
  out.table.n_numeric = 1 + random() % 12;
  out.table.n_classes = n_classes;
  out.table.max_bins = std::array{1, 2, 5, 16, 64, 254, 255}[random() % 7];
  out.table.has_missing = random() % 2;
  out.settings.bootstrap = random() % 4 != 0;
  if (n_classes == 0) {
    out.settings.criterion = options::Criterion::kSquaredError;
    out.settings.max_features.rule = options::MaxFeatures::Rule::kAll;
  } else {
    const auto n_tried = static_cast<std::int64_t>(1 + random() % out.table.n_numeric);
    out.settings.max_features = {options::MaxFeatures::Rule::kCountOrFraction, n_tried};
  }
  out.cuts = random_cuts(random, 1 + random() % 4, n_classes == 0);
  if (random() % 2) out.cuts.push_back({});
  const std::size_t n_sizes = 2 + random() % 7;
  for (std::size_t i = 0; i < n_sizes; ++i) {
    const std::uint64_t most = std::array{2, 6, 40, 400}[random() % 4];
    out.leaf_sizes.push_back(static_cast<std::int64_t>(1 + random() % most));
  }
  std::sort(out.leaf_sizes.begin(), out.leaf_sizes.end());
  out.n_block_bytes = random() % 2 ? 0 : std::size_t{1} << 20;
  return out;
}

std::unique_ptr<ForestGrower> make_fast_grower(const ForestPlan& plan) {
  if (plan.targets.n_classes == 2) return make_binary_grower(plan);
  return plan.targets.n_classes > 2 ? make_class_grower(plan) : make_value_grower(plan);
}

/// A node that some leaf sizes and cuts of the plan have, with random rows.
NodeStart random_node(std::mt19937_64& random, const ForestPlan& plan) {
  NodeStart node;
  const auto n_sizes = static_cast<std::uint32_t>(plan.leaf_rows.size());
  node.head.sizes.first = static_cast<std::uint32_t>(random() % n_sizes);
  node.head.sizes.last = node.head.sizes.first + 1 +
                         static_cast<std::uint32_t>(random() % (n_sizes - node.head.sizes.first));
  node.head.depth = static_cast<std::int64_t>(random() % 4);
  node.head.key = random::NodeKey().child(1).child(static_cast<std::uint32_t>(random() % 2));
  node.head.cuts = plan.all_cuts() & random();
  if (node.head.cuts == 0) node.head.cuts = plan.all_cuts();
  double weight = 1;
  for (RowIndex row = 0; row < plan.context.data.n_train(); ++row) {
    node.multiplicity.push_back(static_cast<std::uint32_t>(random() % 4));
    weight += node.multiplicity.back();
  }
  node.multiplicity.front() = 1;
  node.root_weight = 2 * weight;
  return node;
}

void expect_trees_grown_alone(const Case& with, std::uint64_t seed, std::mt19937_64& random) {
  const ForestTable table(with.table, seed);
  parallel::Pool pool(1);
  const FitContext context{table.data, table.schema, seed, pool};
  auto plan = make_plan(context, with.settings, with.cuts,
                        {with.leaf_sizes.begin(), with.leaf_sizes.end()});
  plan.tuning.n_block_bytes = with.n_block_bytes;
  const NodeStart node = random_node(random, plan);
  const std::vector<TreeStart> starts = {{0}, {1}, {2, &node}, {3}};
  std::vector<std::vector<model::PackedTree>> expected;
  for (const TreeStart& start : starts) {
    const LeafSizes sizes = start.head(plan).sizes;
    auto& trees = expected.emplace_back(sizes.last - sizes.first);
    for (auto size = sizes.first; size < sizes.last; ++size) {
      const auto alone = make_plan(context, with.settings, with.cuts, {with.leaf_sizes[size]});
      NodeStart of_size = node;
      of_size.head.sizes = {0, 1};
      TreeStart own = start;
      if (start.node != nullptr) own.node = &of_size;
      make_general_grower(alone)->grow(own, {&trees[size - sizes.first], 1});
    }
  }
  for (const auto set : testing_support::instruction_sets(
           with.table.n_classes > 0 ? InstructionSet::kAvx2 : InstructionSet::kBaseline)) {
    const ScopedInstructionSet scoped(set);
    const auto grower = make_fast_grower(plan);
    ASSERT_NE(grower, nullptr);
    for (std::size_t i = 0; i < starts.size(); ++i) {
      std::vector<model::PackedTree> grown(expected[i].size());
      grower->grow(starts[i], grown);
      for (std::size_t size = 0; size < grown.size(); ++size) {
        ASSERT_EQ(grown[size], expected[i][size])
            << "start " << i << " leaf size " << size << ' ' << name_of(set);
      }
    }
  }
}

class ForestLeafSizesTest : public ::testing::TestWithParam<std::size_t> {};

TEST_P(ForestLeafSizesTest, GrowTogetherAsEachAlone) {
  for (const auto seed : testing_support::global_seeds()) {
    for (std::uint64_t i = 0; i < 80; ++i) {
      SCOPED_TRACE(format("seed {} case {}", seed, i));
      std::mt19937_64 random(seed * 1000 + i);
      expect_trees_grown_alone(random_case(random, GetParam()), seed * 1000 + i, random);
      if (HasFatalFailure()) return;
    }
  }
}

/// Nodes too heavy for counts of 16 bits, ranges of many rows, more leaf sizes than histograms.
TEST_P(ForestLeafSizesTest, GrowTogetherFromManyRows) {
  std::mt19937_64 random(5);
  Case with = random_case(random, GetParam());
  with.table = {40'001, 0, 5, 0, GetParam(), 200, true, false};
  if (GetParam() != 0) {
    with.settings.max_features = {options::MaxFeatures::Rule::kCountOrFraction, std::int64_t{2}};
  }
  with.cuts = {Cut{}, Cut{7, 2, 0}};
  with.leaf_sizes = {1, 2, 3, 3, 10, 300, 2000, 9000};
  expect_trees_grown_alone(with, 11, random);
}

/// One row that outweighs all others: splits that leave it alone are the best everywhere above.
TEST(ForestLeafSizesValueTest, PartAtTheRoot) {
  ForestTable table({3000, 0, 6, 0, 0, 100, true, false}, 4);
  for (std::size_t row = 0; row < 40; ++row) table.target[row * 71] = 1e6 * std::exp2(row);
  parallel::Pool pool(1);
  const FitContext context{table.data, table.schema, 3, pool};
  ForestSettings settings;
  settings.criterion = options::Criterion::kSquaredError;
  settings.max_features.rule = options::MaxFeatures::Rule::kAll;
  settings.bootstrap = false;
  const std::vector<std::int64_t> sizes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 20, 50, 400};
  const auto plan = make_plan(context, settings, {Cut{}}, {sizes.begin(), sizes.end()});
  for (const auto set : testing_support::instruction_sets()) {
    const ScopedInstructionSet scoped(set);
    std::vector<model::PackedTree> grown(sizes.size());
    make_value_grower(plan)->grow({0}, grown);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const auto alone = make_plan(context, settings, {Cut{}}, {sizes[i]});
      ASSERT_EQ(grown[i], grow_packed(*make_general_grower(alone), 0)) << "leaf size " << sizes[i];
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Classes, ForestLeafSizesTest, ::testing::Values(0, 2, 3, 7, 32));

}  // namespace
}  // namespace orchard::learn
