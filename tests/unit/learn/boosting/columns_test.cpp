// Trees from a row-major copy whose two-bin features share columns against trees from one with a
// column for each feature.

#include <gtest/gtest.h>

#include "boosting/columns.hpp"
#include "boosting/engine.hpp"
#include "boosting/table.hpp"
#include "global_seed.hpp"
#include "orchard/base/instruction_set.hpp"

namespace orchard::learn {
namespace {

using boosting::BinSet;
using boosting::Precision;
using options::BoostingSettings;

/// What takes the place of the numeric features from the first on.
struct OneHot {
  std::size_t n_groups, n_levels;
  bool has_common;    ///< in each group one level has most of the rows
  bool is_inverted;   ///< every third feature is 0 where the others are 1
  bool has_overlaps;  ///< some rows have a second level
  bool has_gaps;      ///< missing values in the last feature of a group
};
struct Case {
  const char* name;
  BoostingSpec table;
  OneHot one_hot;
  std::int64_t n_leaf_rows;
};
void PrintTo(const Case& entry, std::ostream* out) { *out << entry.name; }

/// {n_train, n_test, n_numeric, n_categorical, n_classes, n_values, n_levels, missing, weights}
const Case kCases[] = {
    {"tiny", {7, 3, 5, 0, 2, 30, 0, false, false}, {1, 3, false, false, false, false}, 1},
    {"all", {2000, 9, 12, 0, 2, 30, 0, false, false}, {1, 12, false, false, false, false}, 5},
    {"mixed", {9000, 9, 30, 3, 3, 99, 9, true, false}, {3, 7, true, true, false, true}, 20},
    {"weights", {9000, 9, 24, 1, 2, 300, 40, false, true}, {2, 9, false, true, false, false}, 9},
    {"overlaps", {5000, 9, 40, 0, 0, 50, 0, false, false}, {4, 8, true, false, true, true}, 3},
    {"wide", {5000, 9, 220, 2, 0, 40, 6, true, true}, {5, 25, false, true, false, false}, 9},
    {"sparse", {9000, 9, 300, 0, 2, 40, 0, false, false}, {1, 290, false, true, false, false}, 2},
};

class BoostingColumns : public ::testing::TestWithParam<Case> {
 protected:
  BoostingColumns() {
    const OneHot& one_hot = GetParam().one_hot;
    std::mt19937_64 random(testing_support::global_seeds()[0]);
    for (std::size_t group = 0; group < one_hot.n_groups; ++group) {
      auto* const columns = table_.columns.data() + group * one_hot.n_levels;
      for (std::size_t row = 0; row < table_.table.n_rows; ++row) {
        std::size_t level = random() % one_hot.n_levels;
        if (one_hot.has_common && random() % 3 != 0) level = 1;
        const bool is_second = one_hot.has_overlaps && random() % 500 == 0;
        for (std::size_t k = 0; k < one_hot.n_levels; ++k) {
          bool is_on = k == level || (is_second && k == level / 2);
          if (one_hot.is_inverted && k % 3 == 2) is_on = !is_on;
          columns[k][row] = is_on ? 1.0F : 0.0F;
        }
        auto& last = columns[one_hot.n_levels - 1][row];
        if (one_hot.has_gaps && row % 50 == 1) last = std::nanf("");
      }
    }
    for (std::size_t row = 0; row < table_.table.n_rows; ++row) {
      if (table_.columns[1][row] + table_.columns[2][row] == 0) continue;
      const bool is_regression = table_.table.schema.task == Task::kRegression;
      table_.target[row] = is_regression ? table_.target[row] + 4 : 0;
    }
    table_.bin();
    plain_ = table_.data();
    binning_ = *plain_.binning;
    binning_.row_columns = data::RowColumns::plain(plain_.n_features());
    memory_.assign(plain_.memory, plain_.memory + plain_.layout.n_bytes);
    plain_.layout.hold_columns(plain_.n_features());
    plain_.binning = &binning_;
    plain_.memory = memory_.data();
    parallel::Pool pool(1);
    data::fill_rows(binning_.row_columns, plain_.layout, 0, plain_.n_train(), memory_.data(), pool);
  }

  std::vector<model::Unit> fit(const data::BinnedData& data, const BoostingSettings& settings,
                               Precision precision, int n_threads) const {
    parallel::Pool pool(n_threads);
    boosting::Engine engine({data, table_.table.schema, 7, pool}, settings, {{3, 10, 0}}, nullptr,
                            precision);
    while (!engine.is_done()) engine.advance();
    return engine.units();
  }

  bool has_bundled_split(const std::vector<model::Unit>& units) const {
    const auto& places = table_.data().binning->row_columns.places;
    for (const model::Unit& unit : units) {
      for (const model::Tree& tree : unit) {
        for (const std::int32_t feature : tree.feature) {
          if (feature >= 0 && places[static_cast<std::size_t>(feature)].is_bundled()) return true;
        }
      }
    }
    return false;
  }

  BoostingTable table_{GetParam().table, testing_support::global_seeds()[0]};
  data::Binning binning_;
  std::vector<std::byte> memory_;
  data::BinnedData plain_;
};

TEST_P(BoostingColumns, BundlesGiveTheSameTrees) {
  ASSERT_LT(table_.data().binning->row_columns.n_columns(), plain_.n_features());
  BoostingSettings settings;
  settings.min_samples_leaf = GetParam().n_leaf_rows;
  settings.early_stopping = options::EarlyStopping::kOff;
  for (const std::optional<std::int64_t> max_leaf_nodes : {std::optional<std::int64_t>(), {31}}) {
    settings.max_leaf_nodes = max_leaf_nodes;
    for (const auto precision : {Precision::kPacked, Precision::kWide}) {
      const auto expected = fit(plain_, settings, precision, 1);
      EXPECT_TRUE(plain_.n_train() < 100 || has_bundled_split(expected));
      for (const auto set :
           {InstructionSet::kBaseline, InstructionSet::kAvx2, InstructionSet::kAvx512}) {
        if (set > processor_instruction_set()) continue;
        const ScopedInstructionSet scoped(set);
        for (const int n_threads : {1, 2, 3}) {
          EXPECT_EQ(fit(table_.data(), settings, precision, n_threads), expected)
              << name_of(set) << ' ' << n_threads;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, BoostingColumns, ::testing::ValuesIn(kCases),
                         [](const auto& entry) { return std::string(entry.param.name); });

TEST(ColumnBytes, StandForTheBinsOfAFeature) {
  for (const int code : {0, 1, 64, 200, 254}) {
    for (const int rare : {0, 1}) {
      for (const int members : {0, 1, 2, 3}) {
        const data::RowPlace place{5, static_cast<Bin>(code), static_cast<Bin>(rare)};
        const BinSet bins = {static_cast<std::uint64_t>(members), 0, 0, 0};
        const BinSet bytes = boosting::column_bytes(place, bins);
        if (code == 0) {
          EXPECT_EQ(bytes, bins);
          continue;
        }
        for (int byte = 0; byte < 256; ++byte) {
          const int bin = byte == code ? rare : 1 - rare;
          ASSERT_EQ(boosting::contains(bytes, byte), boosting::contains(bins, bin)) << byte;
        }
      }
    }
  }
}

}  // namespace
}  // namespace orchard::learn
