#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include "bin_search.hpp"
#include "cut_points.hpp"
#include "orchard/base/instruction_set.hpp"
#include "orchard/base/text.hpp"
#include "orchard/data/binning.hpp"
#include "orchard/random/stream.hpp"
#include "reference_binning.hpp"
#include "scratch_file.hpp"
#include "transpose.hpp"

namespace orchard::data {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<InstructionSet> all_sets() {
  std::vector<InstructionSet> sets;
  for (const auto set :
       {InstructionSet::kBaseline, InstructionSet::kAvx2, InstructionSet::kAvx512}) {
    if (set <= processor_instruction_set()) sets.push_back(set);
  }
  return sets;
}

random::Stream stream_of(std::uint64_t unit) {
  return {testing::test_seed(), random::Purpose::kBootstrap, unit};
}

/// Columns of every kind that binning tells apart.
std::vector<std::vector<float>> odd_columns(std::size_t n) {
  const auto stream = stream_of(1);
  std::vector<std::vector<float>> columns;
  const auto add = [&](auto&& value_of) {
    std::vector<float> column;
    for (std::size_t i = 0; i < n; ++i) column.push_back(static_cast<float>(value_of(i)));
    columns.push_back(std::move(column));
  };
  const auto real = [&](std::size_t i) { return stream.real(2 * i); };
  const auto draw = [&](std::size_t i, std::uint64_t k) {
    return static_cast<double>(stream.below(k, 2 * i + 1));
  };
  add([&](std::size_t i) { return std::pow(real(i), 5) * 100 - 3; });
  add([&](std::size_t i) { return draw(i, 10) == 0 ? kNaN : real(i) * 1e-30; });
  add([&](std::size_t i) { return draw(i, 3) == 0 ? real(i) : 0.25; });     // most are one value
  add([&](std::size_t i) { return std::floor(real(i) * real(i) * 400); });  // some 400 values
  add([&](std::size_t i) { return draw(i, 200); });
  add([&](std::size_t i) { return i == 77 ? 1000 : draw(i, 200); });
  add([&](std::size_t i) { return i % 997 == 5 ? 1000 + static_cast<double>(i) : draw(i, 250); });
  add([&](std::size_t i) { return i % 97 == 7 ? real(i) : kNaN; });  // mostly missing
  add([&](std::size_t) { return kNaN; });
  add([&](std::size_t) { return 5; });
  add([&](std::size_t i) { return draw(i, 2); });
  add([&](std::size_t i) { return (draw(i, 2) - 0.5) * std::exp(real(i) * 170 - 85); });
  add([&](std::size_t i) { return draw(i, 4) == 0 ? 3.4028235e38 : -3.4028235e38 * real(i); });
  return columns;
}

Table table_of(const std::vector<std::vector<float>>& columns) {
  Table table;
  table.n_rows = static_cast<RowIndex>(columns.front().size());
  for (const auto& column : columns) {
    table.schema.features.push_back({format("f{}", table.columns.size()), {}, {}});
    table.columns.push_back(column.data());
  }
  return table;
}

Fold fifth_for_testing(RowIndex n_rows) {
  Fold fold;
  for (RowIndex row = 0; row < n_rows; ++row) {
    (stream_of(2).below(5, row) == 0 ? fold.test : fold.train).push_back(row);
  }
  return fold;
}

void expect_reference(const Table& table, const Fold& fold, int max_bins) {
  parallel::Pool single(1), two(2), three(3);
  const auto sample = sample_positions(static_cast<RowIndex>(fold.train.size()), 9, single);
  std::vector<FeatureBins> expected;
  for (const float* column : table.columns) {
    expected.push_back(testing::reference_bins(column, fold.train, sample, max_bins));
  }
  auto rows = fold.train;
  rows.insert(rows.end(), fold.test.begin(), fold.test.end());
  for (const auto set : all_sets()) {
    const ScopedInstructionSet scope(set);
    for (parallel::Pool* pool : {&single, &two, &three}) {
      const auto owned = bin_fold(table, fold, max_bins, 9, true, *pool);
      for (std::size_t f = 0; f < expected.size(); ++f) {
        SCOPED_TRACE(format("{}, {} threads, feature {}", name_of(set), pool->n_threads(), f));
        const auto& bins = owned->binning.features[f];
        const RowPlace& place = owned->binning.row_columns.places[f];
        ASSERT_EQ(bins.cuts, expected[f].cuts);
        ASSERT_EQ(bins.bin_min, expected[f].bin_min);
        ASSERT_EQ(bins.bin_max, expected[f].bin_max);
        ASSERT_EQ(bins.n_bins, expected[f].n_bins);
        const float* const column = table.columns[f];
        for (std::size_t i = 0; i < rows.size(); ++i) {
          const Bin bin = owned->data.column(f)[i];
          ASSERT_EQ(bin, expected[f].bin(column[rows[i]])) << i;
          if (i < fold.train.size()) {
            const Bin byte = owned->data.row(static_cast<RowIndex>(i))[place.column];
            if (place.is_bundled()) {
              ASSERT_EQ(byte == place.code, bin == place.rare) << i;
            } else {
              ASSERT_EQ(byte, bin) << i;
            }
          }
        }
      }
    }
  }
}

TEST(BinColumns, AgreeWithTheReferenceOnSmallTables) {
  for (const std::size_t n : {1, 2, 17, 300, 5000}) {
    const auto columns = odd_columns(n);
    const Table table = table_of(columns);
    for (const int max_bins : {1, 2, 16, 254, 255}) {
      SCOPED_TRACE(format("{} rows, {} bins", n, max_bins));
      expect_reference(table, whole_table(table.n_rows), max_bins);
      expect_reference(table, fifth_for_testing(table.n_rows), max_bins);
    }
  }
}

TEST(BinColumns, AgreeWithTheReferenceWhereRowsAreSampled) {
  const auto columns = odd_columns(260'000);
  const Table table = table_of(columns);
  expect_reference(table, whole_table(table.n_rows), 255);
  expect_reference(table, fifth_for_testing(table.n_rows), 255);
}

TEST(BinSearch, CountsThresholdsBelow) {
  const auto stream = stream_of(3);
  std::vector<float> cuts;
  for (std::size_t i = 0; i < 254; ++i) {
    cuts.push_back(static_cast<float>(stream.real(i) * 2 - 1));
  }
  std::sort(cuts.begin(), cuts.end());
  for (const std::size_t n_cuts : {0, 1, 2, 7, 100, 254}) {
    const CutTable table(std::span<const float>(cuts).first(n_cuts));
    std::vector<float> values = {-kInfinity, kInfinity, kNaN, 0.0f, -0.0f, 1e-45f};
    for (std::size_t i = 0; i < n_cuts; ++i) {
      values.push_back(cuts[i]);
      values.push_back(std::nextafter(cuts[i], kInfinity));
    }
    for (const auto set : all_sets()) {
      const ScopedInstructionSet scope(set);
      for (std::size_t n = 0; n <= values.size(); n += n < 40 ? 1 : 13) {
        std::vector<Bin> bins(n + 1, 0xee);
        table.bins_of(std::span<const float>(values).first(n), 77, bins.data());
        for (std::size_t i = 0; i < n; ++i) {
          const auto below =
              std::lower_bound(cuts.begin(), cuts.begin() + static_cast<long>(n_cuts), values[i]) -
              cuts.begin();
          ASSERT_EQ(bins[i], std::isnan(values[i]) ? 77 : below) << name_of(set) << " " << i;
        }
        ASSERT_EQ(bins[n], 0xee);
      }
    }
  }
}

TEST(BinSearch, TellsWhatLiesOutsideOfIntervals) {
  const std::vector<float> lowest = {-2, 0, kInfinity, 1, 5}, highest = {-1, 0, 0.5f, 2, 5};
  const std::vector<float> values = {-3, -2, -1.5f, -1, -0.5f, 0,    0.25f, 0.5f,
                                     1,  2,  3,     5,  6,     kNaN, 0.75f, -2.0000002f};
  const std::map<std::size_t, Bin> inside = {{1, 0}, {2, 0}, {3, 0},  {5, 1},
                                             {8, 3}, {9, 3}, {11, 4}, {13, 9}};
  const IntervalTable table(lowest, highest);
  for (const auto set : all_sets()) {
    const ScopedInstructionSet scope(set);
    std::vector<Bin> bins(values.size());
    std::vector<std::uint16_t> outside(values.size());
    outside.resize(table.bins_of(values, 9, bins.data(), outside.data()));
    std::vector<std::uint16_t> expected;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto found = inside.find(i);
      if (found == inside.end()) {
        expected.push_back(static_cast<std::uint16_t>(i));
      } else {
        EXPECT_EQ(bins[i], found->second) << i;
      }
    }
    EXPECT_EQ(outside, expected) << name_of(set);
  }
}

TEST(Transpose, OfAnySize) {
  for (const std::size_t n_columns : {1, 15, 16, 17, 28, 33}) {
    for (const std::size_t n_rows : {0, 1, 15, 16, 50}) {
      const std::size_t stride = (n_columns + 31) / 32 * 32 + (n_columns == 17 ? 5 : 0);
      std::vector<Bin> columns(n_columns * 64), rows(n_rows * stride + 1, 0xcd);
      for (std::size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<Bin>(i * 37 + 1);
      transpose_bins(columns.data(), 64, n_columns, rows.data(), stride, n_rows);
      for (std::size_t row = 0; row < n_rows; ++row) {
        for (std::size_t f = 0; f < stride; ++f) {
          ASSERT_EQ(rows[row * stride + f], f < n_columns ? columns[f * 64 + row] : 0);
        }
      }
      ASSERT_EQ(rows.back(), 0xcd);
    }
  }
}

}  // namespace
}  // namespace orchard::data
