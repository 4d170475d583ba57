// Trees without a limit of leaves, whose small nodes are grown by one thread each, against those
// with a limit that they do not reach; and test rows against walks of one row at a time.

#include <gtest/gtest.h>

#include "binned_tree.hpp"
#include "boosting/engine.hpp"
#include "boosting/table.hpp"
#include "global_seed.hpp"
#include "orchard/base/instruction_set.hpp"

namespace orchard::learn {
namespace {

using boosting::Precision;
using options::BoostingSettings;

struct Case {
  const char* name;
  BoostingSpec table;
  std::int64_t n_leaf_rows;
  std::optional<std::int64_t> max_depth;
};
void PrintTo(const Case& entry, std::ostream* out) { *out << entry.name; }

/// {n_train, n_test, n_numeric, n_categorical, n_classes, n_values, n_levels, missing, weights}
const Case kCases[] = {
    {"tiny", {7, 3, 2, 0, 2, 30, 0, false, false}, 1, {}},
    {"small", {300, 60, 4, 0, 2, 30, 0, false, false}, 20, {}},
    {"large", {9000, 3000, 5, 0, 2, 200, 0, false, false}, 20, 9},
    {"large_missing", {9000, 60, 5, 0, 2, 200, 0, true, false}, 3, 7},
    {"large_mixed_weights", {9000, 60, 3, 3, 2, 300, 40, true, true}, 9, {}},
    {"classes", {6000, 60, 4, 2, 4, 100, 9, true, false}, 15, 8},
    {"regression", {9000, 60, 4, 2, 0, 300, 9, true, false}, 11, {}},
    {"weighted_regression", {5000, 60, 4, 1, 0, 300, 9, false, true}, 1, 6},
    {"two_bins", {20'000, 60, 3, 0, 2, 2, 0, false, true}, 9, 6},
    {"wide", {5000, 60, 70, 3, 2, 40, 6, true, false}, 9, {}},
};

struct Fitted {
  std::vector<model::Unit> units;
  std::vector<std::int64_t> raw, test_sums;
  bool operator==(const Fitted&) const = default;
};

class BoostingSubtree : public ::testing::TestWithParam<Case> {
 protected:
  static constexpr int kRounds = 3;

  Fitted fit(std::optional<std::int64_t> max_leaf_nodes, Precision precision,
             int n_threads = 1) const {
    BoostingSettings with;
    with.max_leaf_nodes = max_leaf_nodes;
    with.min_samples_leaf = GetParam().n_leaf_rows;
    with.max_depth = GetParam().max_depth;
    with.early_stopping = options::EarlyStopping::kOff;
    parallel::Pool pool(n_threads);
    Fitted fitted;
    boosting::Engine engine(
        table_.context(pool), with, {{kRounds, 10, 0}},
        [&](std::size_t, int, std::span<const std::int64_t> sums) {
          fitted.test_sums.assign(sums.begin(), sums.end());
        },
        precision);
    while (!engine.is_done()) engine.advance();
    fitted.units = engine.units();
    fitted.raw.assign(engine.raw().begin(), engine.raw().end());
    baseline_ = engine.frame().baseline;
    return fitted;
  }

  BoostingTable table_{GetParam().table, testing_support::global_seeds()[0]};
  mutable std::vector<std::int64_t> baseline_;
};

TEST_P(BoostingSubtree, GivesTheTreeOfBestFirstGrowth) {
  for (const auto precision : {Precision::kPacked, Precision::kWide}) {
    const Fitted limited = fit(1 << 20, precision);
    for (const auto set :
         {InstructionSet::kBaseline, InstructionSet::kAvx2, InstructionSet::kAvx512}) {
      if (set > processor_instruction_set()) continue;
      const ScopedInstructionSet scoped(set);
      for (const int n_threads : {1, 2, 3}) {
        EXPECT_EQ(fit({}, precision, n_threads), limited) << name_of(set) << ' ' << n_threads;
      }
    }
  }
}

TEST_P(BoostingSubtree, TestRowsReachTheLeavesOfTheirWalks) {
  const Fitted fitted = fit({}, Precision::kAuto);
  const auto& data = table_.data();
  std::vector<std::int64_t> sums(fitted.test_sums.size());
  const std::size_t n_outputs = baseline_.size();
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = baseline_[i % n_outputs];
  for (const model::Unit& unit : fitted.units) {
    for (std::size_t k = 0; k < n_outputs; ++k) {
      const BinnedTree walk(unit[k], *data.binning);
      for (RowIndex row = 0; row < data.n_test(); ++row) {
        const auto leaf = static_cast<std::size_t>(walk.leaf(data, data.n_train() + row));
        const auto value_row = static_cast<std::size_t>(unit[k].value_row[leaf]);
        sums[row * n_outputs + k] += unit[k].values[value_row];
      }
    }
  }
  EXPECT_EQ(fitted.test_sums, sums);
}

INSTANTIATE_TEST_SUITE_P(All, BoostingSubtree, ::testing::ValuesIn(kCases),
                         [](const auto& entry) { return std::string(entry.param.name); });

}  // namespace
}  // namespace orchard::learn
