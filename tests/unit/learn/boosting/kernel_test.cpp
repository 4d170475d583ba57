// Every instruction set gives the bits of the plain loops written here.

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <random>

#include "boosting/gradient_kernel.hpp"
#include "boosting/rows.hpp"
#include "boosting/split.hpp"
#include "boosting/sums_kernel.hpp"
#include "global_seed.hpp"
#include "orchard/base/elementary.hpp"
#include "orchard/base/instruction_set.hpp"

namespace orchard::learn::boosting {
namespace {

/// Runs body() for every set that this processor has.
template <class Body>
void for_sets(const Body& body) {
  for (const auto set :
       {InstructionSet::kBaseline, InstructionSet::kAvx2, InstructionSet::kAvx512}) {
    if (set > processor_instruction_set()) continue;
    SCOPED_TRACE(name_of(set));
    const ScopedInstructionSet scope(set);
    body();
  }
}

struct Rows {
  std::vector<std::int64_t> raw;  // [3][n]
  std::vector<double> target, weight;
};

Rows make_rows(std::mt19937_64& random, std::size_t n) {
  Rows rows;
  for (std::size_t i = 0; i < 3 * n; ++i) {
    // Of all sizes, up to where conversion to double rounds; differences do not overflow.
    rows.raw.push_back(static_cast<std::int64_t>(random()) >> (2 + random() % 58));
  }
  for (std::size_t i = 0; i < n; ++i) {
    rows.target.push_back(static_cast<double>(random() % 3));
    rows.weight.push_back(static_cast<double>(random() % 4) / 3);
  }
  return rows;
}

std::size_t plain_pack(const GradientBlock& block, const double* weight, const PackScale& scale,
                       std::size_t n, std::vector<std::uint64_t>& out) {
  std::size_t n_few = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const bool has_weight = weight == nullptr || weight[i] != 0;
    const double scaled = block.g[i] * scale.g;
    const auto g = static_cast<std::int32_t>(scaled + (scaled < 0 ? -0.5 : 0.5));
    const auto rounded = static_cast<std::int32_t>(block.h[i] * scale.h + 0.5);
    const auto h = scale.h_is_count ? 1 : std::max(rounded, static_cast<int>(has_weight));
    n_few += (std::abs(g) < kFewQuanta || (!scale.h_is_count && h < kFewQuanta)) && has_weight;
    out.push_back(pack(g, h));
  }
  return n_few;
}

void check_derivatives(const LossInput& input, std::size_t n) {
  GradientBlock made;
  gradient_kernel().derivatives(input, 0, n, made);
  double greatest_g = 0, greatest_h = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double raw = static_cast<double>(input.raw[i]) * input.raw_quantum;
    double g = raw - input.target[i], h = 1;
    if (input.kind != LossKind::kSquaredError) {
      const bool is_binary = input.kind == LossKind::kBinary;
      const double p = is_binary ? exact_sigmoid(raw) : input.probability[i];
      g = p - (input.target[i] == (is_binary ? 1.0 : input.output) ? 1.0 : 0.0);
      h = p * (1.0 - p);
    }
    if (input.weight != nullptr) {
      g *= input.weight[i];
      h *= input.weight[i];
    }
    ASSERT_EQ(made.g[i], g) << i;
    ASSERT_EQ(made.h[i], h) << i;
    greatest_g = std::max(greatest_g, std::abs(g));
    greatest_h = std::max(greatest_h, h);
  }
  const GreatestBits greatest = gradient_kernel().greatest(made, n);
  EXPECT_EQ(std::bit_cast<double>(greatest.g), greatest_g);
  EXPECT_EQ(std::bit_cast<double>(greatest.h), greatest_h);
  for (const bool h_is_count : {false, true}) {
    if (h_is_count && input.weight != nullptr) continue;
    const PackScale scale{0x1p21 / std::max(greatest_g, 1e-9), 0x1p10 / std::max(greatest_h, 1e-9),
                          h_is_count};
    std::vector<std::uint64_t> words(n), expected;
    const std::size_t n_few = gradient_kernel().pack(made, input.weight, scale, n, words.data());
    EXPECT_EQ(n_few, plain_pack(made, input.weight, scale, n, expected));
    EXPECT_EQ(words, expected);
  }
}

TEST(BoostingGradientKernel, GivesThePlainBits) {
  std::mt19937_64 random(testing_support::global_seeds()[0]);
  for (const std::size_t n : {1U, 2U, 7U, 8U, 33U, 511U, 512U}) {
    const Rows rows = make_rows(random, n);
    std::vector<double> expected(3 * n);
    constexpr double kQuantum = 0x1p-58;
    for (std::size_t i = 0; i < n; ++i) {
      const auto greatest = std::max({rows.raw[i], rows.raw[n + i], rows.raw[2 * n + i]});
      double sum = 0;
      for (std::size_t k = 0; k < 3; ++k) {
        const auto below = static_cast<std::int64_t>(
            static_cast<std::uint64_t>(rows.raw[k * n + i]) - static_cast<std::uint64_t>(greatest));
        expected[k * n + i] = exact_exp(static_cast<double>(below) * kQuantum);
        sum += expected[k * n + i];
      }
      for (std::size_t k = 0; k < 3; ++k) expected[k * n + i] /= sum;
    }
    for_sets([&] {
      std::vector<double> made(3 * n);
      gradient_kernel().softmax(3, n, kQuantum, rows.raw.data(), n, made.data());
      EXPECT_EQ(made, expected);
      for (const auto kind : {LossKind::kBinary, LossKind::kMultinomial, LossKind::kSquaredError}) {
        LossInput input;
        input.kind = kind;
        input.output = 2;
        input.probability = made.data() + 2 * n;
        input.raw = rows.raw.data();
        input.raw_quantum = kQuantum;
        input.target = rows.target.data();
        check_derivatives(input, n);
        input.weight = rows.weight.data();
        check_derivatives(input, n);
      }
    });
  }
}

TEST(BoostingGradientKernel, FindsTheExtremesOfTwoClasses) {
  std::mt19937_64 random(testing_support::global_seeds()[0]);
  for (std::size_t n = 0; n < 40; ++n) {
    const Rows rows = make_rows(random, n);
    std::vector<double> target;
    for (std::size_t i = 0; i < n; ++i) target.push_back(static_cast<double>(random() % 2));
    RawExtremes expected;
    for (std::size_t i = 0; i < n; ++i) {
      const std::int64_t raw = rows.raw[i];
      if (target[i] == 0) expected.greatest_of_0 = std::max(expected.greatest_of_0, raw);
      if (target[i] == 1) expected.least_of_1 = std::min(expected.least_of_1, raw);
      expected.least = std::min(expected.least, static_cast<std::uint64_t>(raw));
      expected.greatest = std::max(expected.greatest, static_cast<std::uint64_t>(raw));
    }
    const std::size_t middle = n / 3;
    for_sets([&] {
      RawExtremes found;
      gradient_kernel().find_extremes(rows.raw.data(), target.data(), middle, found);
      gradient_kernel().find_extremes(rows.raw.data() + middle, target.data() + middle, n - middle,
                                      found);
      EXPECT_EQ(found.greatest_of_0, expected.greatest_of_0) << n;
      EXPECT_EQ(found.least_of_1, expected.least_of_1) << n;
      EXPECT_EQ(found.least, expected.least) << n;
      EXPECT_EQ(found.greatest, expected.greatest) << n;
    });
  }
}

TEST(BoostingGradientKernel, PutsWhatIsNoNumberLast) {
  for_sets([] {
    for (const double odd : {std::nan(""), -std::nan(""), HUGE_VAL, -HUGE_VAL}) {
      GradientBlock block{};
      block.g[9] = odd;
      block.h[3] = 1e300;
      const GreatestBits greatest = gradient_kernel().greatest(block, 17);
      EXPECT_FALSE(std::bit_cast<double>(greatest.g) <= 0x1p1000);
      EXPECT_EQ(std::bit_cast<double>(greatest.h), 1e300);
    }
  });
}

/// Bins of one feature as a node may have them: some empty, the missing bin last.
std::vector<Sums> make_slots(std::mt19937_64& random, std::size_t n_bins, bool has_missing) {
  std::vector<Sums> slots(n_bins + 1);
  const std::uint64_t n_kinds = 2 + random() % 6;  // few: many ties
  for (std::size_t bin = 0; bin <= n_bins; ++bin) {
    if (bin == n_bins ? !has_missing : random() % n_kinds == 0) continue;
    slots[bin].g = static_cast<std::int64_t>(random() % 3) - 1;
    slots[bin].h = static_cast<std::int64_t>(1 + random() % n_kinds);
    if (random() % 2 == 0) continue;
    slots[bin].g = static_cast<std::int64_t>(random() % (1 << 22)) - (1 << 21);
  }
  return slots;
}

TEST(BoostingSumsKernel, GivesTheSplitOfThePlainSearch) {
  std::mt19937_64 random(testing_support::global_seeds()[0]);
  const std::vector<std::uint32_t> counts(256, 100);
  for (int trial = 0; trial < 2000; ++trial) {
    data::FeatureBins bins;
    bins.n_bins = static_cast<int>(1 + random() % (trial % 2 == 0 ? 255 : 12));
    for (int bin = 0; bin < bins.n_bins; ++bin) {
      bins.bin_min.push_back(static_cast<float>(bin));
      bins.bin_max.push_back(static_cast<float>(bin));
      bins.cuts.push_back(static_cast<float>(bin) + 0.5F);
    }
    const auto slots = make_slots(random, static_cast<std::size_t>(bins.n_bins), trial % 3 == 0);
    NodeSums node;
    for (const Sums& sums : slots) node.total += sums;
    node.n_rows = 1 << 20;
    SplitRules rules;
    rules.l2 = trial % 5 == 0 ? 3.5 : 0;
    rules.min_h = static_cast<double>(1 + random() % 4);
    rules.min_samples_leaf = 0;
    // With counts and no least number of rows the search goes cut by cut.
    const Candidate expected = best_split(bins, slots.data(), node, rules, counts.data());
    for_sets([&] {
      const Candidate made = best_split(bins, slots.data(), node, rules, nullptr);
      EXPECT_EQ(made.gain, expected.gain);
      if (expected.gain > 0) {
        EXPECT_EQ(made.boundary, expected.boundary);
        EXPECT_EQ(made.is_missing_left, expected.is_missing_left);
      }
    });
  }
}

TEST(BoostingSumsKernel, MovesAddsAndSubtracts) {
  std::mt19937_64 random(testing_support::global_seeds()[0]);
  for (const std::size_t n : {1U, 3U, 8U, 17U, 256U}) {
    std::vector<std::uint64_t> words;
    std::vector<Sums> expected, doubled;
    for (std::size_t i = 0; i < n; ++i) {
      words.push_back(random());
      expected.push_back(unpack(words.back()));
      doubled.push_back(expected.back());
      doubled.back() += expected.back();
    }
    for_sets([&] {
      std::vector<Sums> made(n);
      auto packed = words;
      sums_kernel().flush(packed.data(), n, made.data(), true);
      EXPECT_EQ(made, expected);
      EXPECT_EQ(packed, std::vector<std::uint64_t>(n));
      packed = words;
      sums_kernel().flush(packed.data(), n, made.data(), false);
      EXPECT_EQ(made, doubled);
      sums_kernel().subtract(made.data(), expected.data(), n);
      EXPECT_EQ(made, expected);
      sums_kernel().add(made.data(), expected.data(), n);
      EXPECT_EQ(made, doubled);
    });
  }
}

TEST(BoostingPartitionKernel, KeepsTheOrderOnBothSides) {
  std::mt19937_64 random(testing_support::global_seeds()[0]);
  for (const std::uint32_t n : {0U, 1U, 7U, 8U, 9U, 16U, 31U, 64U, 1000U, 4099U}) {
    for (const unsigned trial : {0U, 1U, 2U, 3U, 4U, 5U, 6U, 7U}) {
      const unsigned share = std::array{0U, 1U, 2U, 40U}[trial % 4];
      BinSet left{};
      for (int bin = 0; bin < 256; ++bin) {
        if (random() % 40 < share * (share == 2 ? 10 : 1)) insert(left, bin);
      }
      std::vector<Bin> column(3 * n + 4);
      for (Bin& bin : column) bin = static_cast<Bin>(random());
      std::vector<RowIndex> rows, expected, right;
      // Consecutive rows for long, or hardly ever.
      const unsigned rarity = trial < 4 ? 2 : 1500;
      for (RowIndex row = 0; rows.size() < n; row += random() % rarity == 0 ? 2 : 1) {
        rows.push_back(row);
      }
      // A node that was parted twice has its rows in no order, whatever a block begins and ends
      // with.
      if (trial == 6) {
        for (std::size_t i = 3; i + 6 < n; i += 9) std::swap(rows[i], rows[i + 3]);
      }
      for (const RowIndex row : rows) {
        (contains(left, column[row]) ? expected : right).push_back(row);
      }
      const Parted counts{static_cast<std::uint32_t>(expected.size()),
                          static_cast<std::uint32_t>(right.size())};
      for_sets([&] {
        // No room past the rows: nothing may be written there. Two calls, as between two polls.
        std::vector<RowIndex> list = rows, to_right(n);
        Parted parted;
        const std::uint32_t middle = n * 3 / 7;
        partition_kernel()(list.data(), 0, middle, column.data(), left, to_right.data(), parted);
        partition_kernel()(list.data(), middle, n, column.data(), left, to_right.data(), parted);
        ASSERT_EQ(parted.n_left, counts.n_left);
        ASSERT_EQ(parted.n_right, counts.n_right);
        list.resize(parted.n_left);
        to_right.resize(parted.n_right);
        EXPECT_EQ(list, expected);
        EXPECT_EQ(to_right, right);
      });
    }
  }
}

}  // namespace
}  // namespace orchard::learn::boosting
