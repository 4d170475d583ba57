// Derivatives as integers: bounds, rounding, the rule for more bits, and the hard cases that 16
// bits would spoil.

#include "boosting/gradients.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numeric>
#include <random>

#include "boosting/histogram.hpp"
#include "boosting/histogram_kernel.hpp"
#include "boosting/rows.hpp"
#include "boosting/sums_kernel.hpp"
#include "boosting/table.hpp"
#include "global_seed.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/instruction_set.hpp"
#include "orchard/base/text.hpp"
#include "thread_row_group.hpp"

namespace orchard::learn::boosting {
namespace {

TrainingRows all_rows(std::size_t n, std::vector<double> weight = {}) {
  TrainingRows rows;
  rows.weight = std::move(weight);
  for (std::size_t row = 0; row < n; ++row) rows.fit.push_back(static_cast<RowIndex>(row));
  return rows;
}

TEST(BoostingPack, KeepsSumsOfTheGreatestRows) {
  const std::int64_t g = (1 << 21) - 1, h = (1 << 18) - 1;
  for (const std::int64_t sign : {1, -1}) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < kPackedRows; ++i) word += pack(sign * g, h);
    EXPECT_EQ(unpack(word), (Sums{sign * g * 4096, h * 4096}));
  }
  EXPECT_EQ(unpack(pack(-1, 0)), (Sums{-1, 0}));
  EXPECT_EQ(unpack(pack(-1, 1) + pack(1, 0)), (Sums{0, 1}));
}

TEST(BoostingGradients, RoundToTheNearestQuantum) {
  parallel::Pool pool(2);
  const std::vector<double> target{1, 2, -3, 0.25};
  const auto rows = all_rows(4, {1, 2, 1, 0});
  GradientMaker maker(LossKind::kSquaredError, 1, 1, target, rows, Precision::kAuto, pool);
  const std::vector<std::int64_t> raw(4);
  maker.begin_round(raw);
  const auto made = maker.quantise(0);
  ASSERT_FALSE(made.is_wide());
  EXPECT_FALSE(made.h_is_count);
  const double greatest = (1 << 21) - 1;
  EXPECT_EQ(made.at(1), (Sums{-(1 << 21) + 1, (1 << 18) - 1}));
  EXPECT_EQ(made.at(0).g, std::llround(-greatest / 4));
  EXPECT_EQ(made.at(2).g, std::llround(greatest * 3 / 4));
  EXPECT_EQ(made.at(3), Sums());
  EXPECT_DOUBLE_EQ(made.g_quantum, 4 / greatest);
}

// Weights of one take the derivatives of every row; without weights those of the extreme rows do.
TEST(BoostingGradients, OfTwoClassesHaveTheScaleOfTheirExtremeRows) {
  std::mt19937_64 random(testing_support::global_seeds()[0]);
  for (const std::size_t n : {1U, 2U, 9U, 1000U, 20'001U}) {
    for (int trial = 0; trial < 6; ++trial) {
      // Of one sign or both, of all sizes or side by side; both classes or one.
      const std::int64_t middle = std::array{0, 0, 3, -3, 40, -1}[trial] * (std::int64_t{1} << 43);
      std::vector<std::int64_t> raw;
      std::vector<double> target;
      for (std::size_t i = 0; i < n; ++i) {
        raw.push_back(middle + (static_cast<std::int64_t>(random()) >> (17 + random() % 45)));
        target.push_back(trial == 1 ? 0 : trial == 2 ? 1 : static_cast<double>(random() % 2));
      }
      for (const auto set :
           {InstructionSet::kBaseline, InstructionSet::kAvx2, InstructionSet::kAvx512}) {
        if (set > processor_instruction_set()) continue;
        SCOPED_TRACE(name_of(set));
        const ScopedInstructionSet scope(set);
        for (const int n_threads : {1, 2, 3}) {
          parallel::Pool pool(n_threads);
          const auto rows = all_rows(n), weighted = all_rows(n, std::vector<double>(n, 1.0));
          GradientMaker maker(LossKind::kBinary, 1, 0x1p-44, target, rows, Precision::kPacked,
                              pool);
          GradientMaker plain(LossKind::kBinary, 1, 0x1p-44, target, weighted, Precision::kPacked,
                              pool);
          maker.begin_round(raw);
          plain.begin_round(raw);
          const auto made = maker.quantise(0), expected = plain.quantise(0);
          EXPECT_EQ(made.g_quantum, expected.g_quantum);
          EXPECT_DOUBLE_EQ(made.h_quantum, expected.h_quantum);
          for (std::size_t i = 0; i < n; ++i) {
            const auto row = static_cast<RowIndex>(i);
            ASSERT_EQ(made.at(row).g, expected.at(row).g);
            ASSERT_NEAR(made.at(row).h, expected.at(row).h, 1);
          }
        }
      }
    }
  }
}

TEST(BoostingGradients, CountRowsWhereTheHessianIsConstant) {
  parallel::Pool pool(1);
  const std::vector<double> target{1, 2, 3};
  const auto rows = all_rows(3);
  GradientMaker maker(LossKind::kSquaredError, 1, 1, target, rows, Precision::kAuto, pool);
  const std::vector<std::int64_t> raw(3);
  maker.begin_round(raw);
  const auto made = maker.quantise(0);
  EXPECT_TRUE(made.h_is_count);
  EXPECT_EQ(made.h_quantum, 1);
  for (RowIndex row = 0; row < 3; ++row) EXPECT_EQ(made.at(row).h, 1);
}

TEST(BoostingGradients, GiveEveryWeightedRowAQuantumOfH) {
  parallel::Pool pool(1);
  const std::vector<double> target{1, 0, 1, 0};
  const auto rows = all_rows(4, {1, 1, 0, 1e-9});
  // Raw predictions of 60 and -60: p (1 - p) is 0 as a double, or next to it.
  const std::vector<std::int64_t> raw{std::int64_t{60} << 44, -(std::int64_t{60} << 44), 0, 0};
  for (const auto precision : {Precision::kPacked, Precision::kWide}) {
    GradientMaker maker(LossKind::kBinary, 1, 0x1p-44, target, rows, precision, pool);
    maker.begin_round(raw);
    const auto made = maker.quantise(0);
    EXPECT_GE(made.at(0).h, 1);
    EXPECT_GE(made.at(1).h, 1);
    EXPECT_EQ(made.at(2), Sums());
    EXPECT_GE(made.at(3).h, 1);
  }
}

/// `n_few` rows in 1,000 with a gradient that is small against the others'.
bool is_wide_with(int n_few) {
  parallel::Pool pool(2);
  std::vector<double> target(1000, 1.0);
  for (int i = 0; i < n_few; ++i) target[static_cast<std::size_t>(i) * 7] = 1e-6;
  const auto rows = all_rows(1000);
  GradientMaker maker(LossKind::kSquaredError, 1, 1, target, rows, Precision::kAuto, pool);
  const std::vector<std::int64_t> raw(1000);
  maker.begin_round(raw);
  return maker.quantise(0).is_wide();
}

TEST(BoostingGradients, TakeMoreBitsWhenOverOnePercentHasFewQuanta) {
  EXPECT_FALSE(is_wide_with(0));
  EXPECT_FALSE(is_wide_with(10));
  EXPECT_TRUE(is_wide_with(11));
}

TEST(BoostingGradients, WideSumsCannotOverflow) {
  parallel::Pool pool(1);
  std::vector<double> target(5000, 1.0);
  target[3] = 1e-9;
  const auto rows = all_rows(5000);
  GradientMaker maker(LossKind::kSquaredError, 1, 1, target, rows, Precision::kWide, pool);
  const std::vector<std::int64_t> raw(5000);
  maker.begin_round(raw);
  const auto made = maker.quantise(0);
  // 62 - ceil(log2 5000) = 49 bits
  EXPECT_EQ(made.at(0).g, -((std::int64_t{1} << 49) - 1));
  EXPECT_NEAR(static_cast<double>(made.at(3).g) * made.g_quantum, -1e-9, 1e-14);
}

/// Flags of few quanta and weights count over all shares of the rows.
TEST(BoostingGradients, TakeMoreBitsByTheRowsOfAllShares) {
  constexpr std::size_t kRanks = 2, kRows = 550;  // a rank's, a tenth of them without weight
  for (const std::size_t n_few : {10U, 11U}) {
    testing_support::run_row_group(kRanks, [&](testing_support::ThreadRowGroup& group) {
      const auto rank = static_cast<std::size_t>(group.rank());
      parallel::Pool pool(1);
      std::vector<double> target(kRows, 1.0), weight(kRows, 1.0);
      std::fill_n(weight.begin(), kRows / 11, 0.0);
      for (std::size_t i = rank; i < n_few; i += kRanks) target[100 + i] = 1e-6;
      auto rows = all_rows(kRows, weight);
      rows.first = static_cast<RowIndex>(rank * kRows);
      GradientMaker maker(LossKind::kSquaredError, 1, 1, target, rows, Precision::kAuto, pool,
                          Peers(&group));
      const std::vector<std::int64_t> raw(kRows);
      maker.begin_round(raw);
      EXPECT_EQ(maker.quantise(0).is_wide(), n_few > 10) << n_few << " rank " << rank;
    });
  }
}

TEST(BoostingGradients, RefuseWhatIsNotFinite) {
  parallel::Pool pool(2);
  for (const std::size_t row : {0U, 31U, 49U}) {
    for (const RowIndex first : {0U, 300U}) {
      std::vector<double> target(50, 1.0);
      target[row] = 1e308;
      auto rows = all_rows(50, std::vector<double>(50, 100.0));
      rows.first = first;
      GradientMaker maker(LossKind::kSquaredError, 1, 1, target, rows, Precision::kAuto, pool);
      const std::vector<std::int64_t> raw(50);
      try {
        maker.begin_round(raw);
        FAIL() << "not refused";
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kData);
        EXPECT_THAT(error.message(),
                    ::testing::HasSubstr(format("training row {} is not finite", first + row)));
      }
    }
  }
}

TEST(BoostingGradients, OfSeveralClassesSumToZero) {
  parallel::Pool pool(1);
  const std::vector<double> target{0, 1, 2, 2, 1};
  const auto rows = all_rows(5);
  std::vector<std::int64_t> raw;
  for (int i = 0; i < 15; ++i) raw.push_back((std::int64_t{i % 4} << 43) - (i << 20));
  GradientMaker maker(LossKind::kMultinomial, 3, 0x1p-44, target, rows, Precision::kWide, pool);
  maker.begin_round(raw);
  std::vector<double> g(5), h(5);
  for (int k = 0; k < 3; ++k) {
    const auto made = maker.quantise(k);
    for (RowIndex row = 0; row < 5; ++row) {
      const double p = static_cast<double>(made.at(row).g) * made.g_quantum + (target[row] == k);
      EXPECT_NEAR(static_cast<double>(made.at(row).h) * made.h_quantum, p * (1 - p), 1e-12);
      g[row] += p;
    }
  }
  for (const double sum : g) EXPECT_NEAR(sum, 1, 1e-12);
}

TEST(BoostingHistogramKernel, AddsLikeThePlainLoop) {
  std::mt19937_64 random(testing_support::global_seeds()[0]);
  constexpr std::size_t kRows = 3000;
  for (const std::size_t n_features : {1U, 3U, 4U, 7U, 28U, 31U, 32U, 54U, 64U}) {
    const std::size_t stride = 64;
    std::vector<Bin> bins(kRows * stride);
    for (Bin& bin : bins) bin = static_cast<Bin>(random() % 11);
    std::vector<std::uint32_t> offsets;
    for (std::uint32_t f = 0; f < n_features; ++f) offsets.push_back(5 + f * 11);
    std::vector<std::uint64_t> words;
    std::vector<Sums> pairs;
    for (std::size_t row = 0; row < kRows; ++row) {
      pairs.push_back({static_cast<std::int64_t>(random() % (1 << 22)) - (1 << 21) + 1,
                       static_cast<std::int64_t>(random() % (1 << 18))});
      words.push_back(pack(pairs.back().g, pairs.back().h));
    }
    std::vector<RowIndex> list;
    // Rows in a row are added without their list.
    const bool is_range = n_features % 3 == 1;
    for (RowIndex row = 5; row < kRows; row += is_range ? 1 : 1 + random() % 3) list.push_back(row);
    // Nor does a list without order pass for rows in a row, whatever its ends are.
    if (n_features % 3 == 0) list[list.size() / 2] = list.back() = list.front() + list.size() - 1;
    const std::size_t n_listed = list.size();

    std::vector<Sums> expected(5 + n_features * 11), made(expected.size()), wide(expected.size());
    for (std::size_t i = 0; i < n_listed; ++i) {
      for (std::size_t f = 0; f < n_features; ++f) {
        expected[offsets[f] + bins[list[i] * stride + f]] += pairs[list[i]];
      }
    }
    const BinRows rows{bins.data(), stride, n_features};
    const std::span<const RowIndex> listed(list.data(), n_listed);
    std::vector<std::uint64_t> packed(n_features * kPackedStride);
    const auto add_and_flush = [&](bool is_first) {
      add_packed_rows(rows, words.data(), listed, packed.data());
      for (std::size_t f = 0; f < n_features; ++f) {
        sums_kernel().flush(packed.data() + f * kPackedStride, 11, made.data() + offsets[f],
                            is_first);
      }
    };
    add_and_flush(true);
    EXPECT_EQ(made, expected);
    EXPECT_THAT(packed, ::testing::Each(0U));
    add_wide_rows(rows, pairs.data(), listed, offsets.data(), wide.data());
    EXPECT_EQ(wide, expected);
    add_and_flush(false);
    for (std::size_t i = 0; i < made.size(); ++i) {
      made[i] -= expected[i];
    }
    EXPECT_EQ(made, expected);
  }
}

/// Compares the histogram of all rows, each with the greatest derivatives that a word holds, with
/// the plain sums: words that are emptied too late do overflow.
void expect_plain_sums(const BoostingTable& table, std::int64_t sign) {
  const data::BinnedData& data = table.data();
  std::vector<RowIndex> rows(data.n_train());
  std::iota(rows.begin(), rows.end(), RowIndex{0});
  const Sums greatest{sign * ((1 << 21) - 1), (1 << 18) - 1};
  const std::vector<std::uint64_t> words(data.n_train(), pack(greatest.g, greatest.h));
  QuantisedGradients gradients;
  gradients.packed = words.data();
  const HistogramLayout layout(*data.binning);
  Histogram expected(layout.n_slots());
  for (const RowIndex row : rows) {
    for (std::size_t column = 0; column < layout.n_columns(); ++column) {
      expected[layout.offset(column) + data.row(row)[column]] += greatest;
    }
  }
  for (int n_threads = 1; n_threads <= 3; ++n_threads) {
    parallel::Pool pool(n_threads);
    RowPartition partition(rows, n_threads);
    HistogramBuilder builder(data, layout, partition, pool);
    Histogram made(layout.n_slots());
    const Hands hands(pool);
    builder.build(gradients, partition.reset(hands), made, hands);
    EXPECT_EQ(made, expected) << n_threads << " threads";
  }
}

// A column of few bins must be flushed on the way, one of many is flushed once.
TEST(BoostingHistogramBuilder, AddsColumnsOfFewAndOfManyBins) {
  BoostingSpec spec{20'000, 0, 3, 0, 2, 200, 0, true, false};
  BoostingTable table(spec, testing_support::global_seeds()[0]);
  for (std::size_t row = 0; row < table.columns[1].size(); ++row) {
    table.columns[1][row] = row % 7 == 0 ? 1.0F : row % 3 == 0 ? 2.0F : 0.0F;
  }
  table.bin();
  for (const std::int64_t sign : {1, -1}) expect_plain_sums(table, sign);
}

TEST(BoostingHistogramBuilder, FillsAWordToItsLimitAndNotBeyond) {
  for (const std::size_t n_same :
       {kPackedRows - 1, kPackedRows, kPackedRows + 1, 2 * kPackedRows, 2 * kPackedRows + 1}) {
    // The rows of one bin are all there are, or lie among others.
    for (const bool has_others : {false, true}) {
      SCOPED_TRACE(format("{} rows of a bin, others {}", n_same, has_others));
      const std::size_t n_rows = has_others ? 5 * n_same / 2 : n_same;
      BoostingTable table({static_cast<RowIndex>(n_rows), 0, 2, 0, 2, 200, 0, false, false}, 1);
      std::size_t n_left = n_same;
      for (std::size_t row = 0; row < n_rows; ++row) {
        const bool is_same = n_left > 0 && (!has_others || row % 2 == 0);
        table.columns[0][row] = is_same ? 0.0F : static_cast<float>(1 + row % 200);
        n_left -= is_same ? 1 : 0;
      }
      table.bin();
      for (const std::int64_t sign : {1, -1}) expect_plain_sums(table, sign);
    }
  }
}

}  // namespace
}  // namespace orchard::learn::boosting
