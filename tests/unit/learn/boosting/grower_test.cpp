// Grown trees against brute force: every split made was the best one to be had, by gain and by
// node, and where growth ended there was none left.

#include "boosting/grower.hpp"

#include <gtest/gtest.h>

#include "binned_tree.hpp"
#include "boosting/reference.hpp"
#include "boosting/table.hpp"
#include "global_seed.hpp"

namespace orchard::learn {
namespace {

using boosting::GradientMaker;
using boosting::Precision;
using boosting::QuantisedGradients;
using boosting::TrainingRows;
using boosting::TreeGrower;
using options::BoostingSettings;

struct Case {
  const char* name;
  BoostingSpec table;
  BoostingSettings settings;
};
void PrintTo(const Case& entry, std::ostream* out) { *out << entry.name; }

BoostingSettings settings(std::optional<std::int64_t> max_leaf_nodes, std::int64_t n_leaf_rows,
                          double l2 = 0, std::optional<std::int64_t> max_depth = {}) {
  BoostingSettings out;
  out.max_leaf_nodes = max_leaf_nodes;
  out.min_samples_leaf = n_leaf_rows;
  out.l2_regularization = l2;
  out.max_depth = max_depth;
  return out;
}

/// {n_train, n_test, n_numeric, n_categorical, n_classes, n_values, n_levels, missing, weights}
const Case kCases[] = {
    {"plain", {300, 0, 4, 0, 2, 30, 0, false, false}, settings(15, 20)},
    {"small_leaves", {200, 0, 3, 0, 2, 20, 0, false, false}, settings(40, 1)},
    {"no_limit", {200, 0, 3, 0, 2, 20, 0, false, false}, settings({}, 5)},
    {"depth", {300, 0, 4, 0, 2, 30, 0, false, false}, settings({}, 2, 1.0, 3)},
    {"missing", {300, 0, 4, 0, 2, 12, 0, true, false}, settings(20, 11)},
    {"weights", {300, 0, 4, 0, 2, 12, 0, true, true}, settings(20, 9, 0.5)},
    {"categories", {400, 0, 1, 3, 2, 12, 12, false, false}, settings(20, 10)},
    {"missing_categories", {400, 0, 1, 3, 2, 12, 40, true, true}, settings(20, 7, 0.1)},
    {"regression", {300, 0, 4, 1, 0, 30, 8, true, false}, settings(25, 8)},
    {"weighted_regression", {300, 0, 4, 1, 0, 30, 8, true, true}, settings(25, 8)},
    {"many_rows_a_leaf", {300, 0, 4, 0, 2, 30, 0, false, false}, settings(20, 100)},
    {"root_only", {30, 0, 2, 0, 2, 30, 0, false, false}, settings(20, 20)},
    {"wide", {200, 0, 70, 3, 2, 9, 6, true, false}, settings(12, 9)},
};

/// A tree grown on the first round of a table, with what it was grown from.
class Grown {
 public:
  Grown(const Case& entry, std::uint64_t seed, Precision precision, int n_threads = 1)
      : table(entry.table, seed), pool(n_threads), settings_(entry.settings) {
    const auto kind = boosting::loss_of(table.table.schema);
    const auto n = table.data().n_train();
    exponent = boosting::value_exponent(kind, table.data().target.first(n));
    rows.weight = boosting::row_weights(table.context(pool), options::ClassWeight::kNone);
    for (RowIndex row = 0; row < n; ++row) {
      if (rows.weight_of(row) != 0) rows.fit.push_back(row);
    }
    const auto baseline = boosting::baseline(table.context(pool), kind, rows, exponent);
    raw.assign(n, baseline[0]);
    maker.emplace(kind, 1, std::ldexp(1.0, exponent), table.data().target.first(n), rows, precision,
                  pool);
    maker->begin_round(raw);
    gradients = maker->quantise(0);
    TreeGrower grower(table.data(), settings_, rows, pool);
    tree = grower.grow(gradients, exponent);
    grower.add_leaf_values(tree, raw);
  }
  ReferenceSearch reference() const {
    std::vector<double> g, h;
    for (RowIndex row = 0; row < table.data().n_train(); ++row) {
      const boosting::Sums sums = gradients.at(row);
      g.push_back(static_cast<double>(sums.g) * gradients.g_quantum);
      h.push_back(static_cast<double>(sums.h) * gradients.h_quantum);
    }
    return {table.data(), settings_, g, h};
  }

  BoostingTable table;
  parallel::Pool pool;
  BoostingSettings settings_;
  TrainingRows rows;
  int exponent = 0;
  std::vector<std::int64_t> raw;
  std::optional<GradientMaker> maker;
  QuantisedGradients gradients;
  model::Tree tree;
};

/// The rows of every node, by walking the tree.
std::vector<Rows> rows_of_nodes(const Grown& grown) {
  const BinnedTree walk(grown.tree, *grown.table.data().binning);
  std::vector<Rows> rows(grown.tree.n_nodes());
  for (const RowIndex row : grown.rows.fit) {
    NodeIndex node = 0;
    rows[0].push_back(row);
    while (!walk.is_leaf(node)) {
      node = walk.child(node, grown.table.data(), row);
      rows[static_cast<std::size_t>(node)].push_back(row);
    }
  }
  return rows;
}

std::vector<std::int64_t> depths(const model::Tree& tree) {
  std::vector<std::int64_t> depth(tree.n_nodes());
  for (std::size_t node = 0; node < tree.n_nodes(); ++node) {
    if (tree.left[node] < 0) continue;
    const auto left = static_cast<std::size_t>(tree.left[node]);
    depth[left] = depth[left + 1] = depth[node] + 1;
  }
  return depth;
}

constexpr double kTolerance = 1e-9;

void check_growth(const Grown& grown) {
  const auto reference = grown.reference();
  const auto rows = rows_of_nodes(grown);
  const auto depth = depths(grown.tree);
  const auto& max_depth = grown.settings_.max_depth;
  std::vector<double> best(rows.size());
  std::vector<std::size_t> parent_of_pair((rows.size() - 1) / 2);
  for (std::size_t node = 0; node < rows.size(); ++node) {
    best[node] = max_depth && depth[node] >= *max_depth ? 0 : reference.best_gain(rows[node]);
    EXPECT_EQ(grown.tree.n_samples[node], rows[node].size());
    const NodeIndex left = grown.tree.left[node];
    if (left < 0) continue;
    parent_of_pair[(static_cast<std::size_t>(left) - 1) / 2] = node;
    const Rows& to_left = rows[static_cast<std::size_t>(left)];
    const Rows& to_right = rows[static_cast<std::size_t>(left) + 1];
    EXPECT_TRUE(reference.is_legal(to_left, to_right));
    const double gain = reference.gain(to_left, to_right);
    EXPECT_NEAR(grown.tree.gain[node], gain, kTolerance * (1 + best[0]));
    EXPECT_NEAR(gain, best[node], kTolerance * (1 + best[0])) << "node " << node;
  }
  std::set<std::size_t> open{0};
  for (std::size_t pair = 0; pair < parent_of_pair.size(); ++pair) {
    for (const std::size_t node : open) {
      EXPECT_LE(best[node], best[parent_of_pair[pair]] + kTolerance) << "step " << pair;
    }
    open.erase(parent_of_pair[pair]);
    open.insert({2 * pair + 1, 2 * pair + 2});
  }
  const auto limit = static_cast<std::size_t>(grown.settings_.max_leaf_nodes.value_or(1 << 30));
  EXPECT_LE(open.size(), limit);
  if (open.size() == limit) return;
  for (const std::size_t node : open) EXPECT_LE(best[node], kTolerance);
}

void check_values(const Grown& grown) {
  const auto reference = grown.reference();
  const auto rows = rows_of_nodes(grown);
  const double quantum = std::ldexp(1.0, grown.exponent);
  for (std::size_t node = 0; node < rows.size(); ++node) {
    EXPECT_EQ(grown.tree.value_row[node] >= 0, grown.tree.left[node] < 0);
    if (grown.tree.left[node] >= 0) continue;
    const auto value = grown.tree.values[static_cast<std::size_t>(grown.tree.value_row[node])];
    EXPECT_NEAR(static_cast<double>(value) * quantum, reference.value(rows[node]), 1e-9);
    for (const RowIndex row : rows[node]) {
      EXPECT_EQ(grown.raw[row], grown.raw[rows[node][0]]) << "add_leaf_values";
    }
  }
}

class BoostingGrower : public ::testing::TestWithParam<Case> {};

TEST_P(BoostingGrower, MakesTheBestSplitsThereAre) {
  for (const auto seed : testing_support::global_seeds()) {
    for (const auto precision : {Precision::kPacked, Precision::kWide}) {
      SCOPED_TRACE(::testing::Message()
                   << "seed " << seed << " precision " << static_cast<int>(precision));
      const Grown grown(GetParam(), seed, precision);
      grown.tree.validate(grown.table.data().n_features(), 1);
      check_growth(grown);
      check_values(grown);
    }
  }
}

TEST_P(BoostingGrower, SendsRawRowsWhereItSendsBinnedRows) {
  const Grown grown(GetParam(), testing_support::global_seeds()[0], Precision::kAuto);
  model::Ensemble ensemble;
  ensemble.schema = grown.table.table.schema;
  ensemble.combine = model::Combine::kSum;
  ensemble.value_exponent = grown.exponent;
  ensemble.baseline = {0};
  ensemble.trees = {grown.tree};
  const auto n = grown.table.data().n_train();
  std::vector<std::int64_t> sums(n);
  model::accumulate(ensemble, grown.table.table.features(), 0, n, sums);
  const BinnedTree walk(grown.tree, *grown.table.data().binning);
  for (RowIndex row = 0; row < n; ++row) {
    const auto leaf = static_cast<std::size_t>(walk.leaf(grown.table.data(), row));
    EXPECT_EQ(sums[row], grown.tree.values[static_cast<std::size_t>(grown.tree.value_row[leaf])]);
  }
}

INSTANTIATE_TEST_SUITE_P(All, BoostingGrower, ::testing::ValuesIn(kCases),
                         [](const auto& entry) { return std::string(entry.param.name); });

TEST(BoostingGrowerThreads, DoNotShow) {
  for (const auto& spec : {BoostingSpec{120'000, 0, 6, 2, 2, 100, 20, true, true},
                           BoostingSpec{6'000, 0, 350, 2, 0, 100, 9, false, false}}) {
    Case entry{"", spec, settings(31, 20)};
    for (const auto precision : {Precision::kPacked, Precision::kWide}) {
      const Grown one(entry, 1, precision, 1);
      for (const int n_threads : {2, 3}) {
        const Grown many(entry, 1, precision, n_threads);
        EXPECT_EQ(one.tree, many.tree);
        EXPECT_EQ(one.raw, many.raw);
      }
    }
  }
}

// The same trees however many nodes are tried ahead of their turn, legal or not.
TEST_P(BoostingGrower, GrowsTheSameTreeOnAnyThreads) {
  for (const auto& settings_here : {GetParam().settings, settings(200, 1),
                                    settings(60, GetParam().settings.min_samples_leaf)}) {
    Case entry = GetParam();
    entry.settings = settings_here;
    entry.table.n_train *= 5;
    const Grown one(entry, 1, Precision::kAuto, 1);
    for (const int n_threads : {2, 3, 8}) {
      const Grown many(entry, 1, Precision::kAuto, n_threads);
      EXPECT_EQ(one.tree, many.tree) << n_threads;
      EXPECT_EQ(one.raw, many.raw) << n_threads;
    }
  }
}

TEST(BoostingGrowerMissing, FollowsTheHeavierChildWhenTrainingHasNone) {
  BoostingTable table({100, 0, 1, 0, 0, 2, 0, false, true}, 3);
  for (RowIndex row = 0; row < 100; ++row) {
    table.columns[0][row] = row < 70 ? 0.0F : 1.0F;
    table.target[row] = table.columns[0][row];
    table.weight[row] = row < 70 ? 1 : 3;  // fewer rows to the right, but more weight
  }
  table.bin();
  parallel::Pool pool(1);
  const auto grow = [&](const std::vector<double>& weight) {
    TrainingRows rows;
    rows.weight = weight;
    for (RowIndex row = 0; row < 100; ++row) rows.fit.push_back(row);
    GradientMaker maker(boosting::LossKind::kSquaredError, 1, 1, table.data().target, rows,
                        Precision::kAuto, pool);
    const std::vector<std::int64_t> raw(100);
    maker.begin_round(raw);
    BoostingSettings some;
    return TreeGrower(table.data(), some, rows, pool).grow(maker.quantise(0), -40);
  };
  ASSERT_EQ(grow({}).n_nodes(), 3U);
  EXPECT_EQ(grow({}).flags[0], model::Tree::kMissingLeft);
  EXPECT_EQ(grow(table.weight).flags[0], 0);
  table.weight.assign(100, 1);
  EXPECT_EQ(grow(table.weight).flags[0], model::Tree::kMissingLeft);
}

}  // namespace
}  // namespace orchard::learn
