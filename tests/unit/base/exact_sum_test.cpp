#include "orchard/base/exact_sum.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "../../support/global_seed.hpp"

namespace orchard {
namespace {

using Values = std::vector<double>;

constexpr double kMax = std::numeric_limits<double>::max();
constexpr double kTiny = std::numeric_limits<double>::denorm_min();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

ExactSum sum_of(const Values& values) {
  ExactSum sum;
  for (const double value : values) sum.add(value);
  return sum;
}

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

/// Shewchuk's adaptive sum, as in Python's math.fsum: exact as long as nothing overflows.
double fsum(const Values& values) {
  Values partials;  // do not overlap, increasing in magnitude
  for (double x : values) {
    std::size_t n_kept = 0;
    for (double y : partials) {
      if (std::abs(x) < std::abs(y)) std::swap(x, y);
      const double high = x + y;
      const double low = y - (high - x);
      if (low != 0) partials[n_kept++] = low;
      x = high;
    }
    partials.resize(n_kept);
    partials.push_back(x);
  }
  if (partials.empty()) return 0;
  double high = partials.back();
  partials.pop_back();
  double low = 0;
  while (!partials.empty()) {
    const double x = high, y = partials.back();
    partials.pop_back();
    high = x + y;
    low = y - (high - x);
    if (low != 0) break;
  }
  const bool is_half_way = !partials.empty() && low != 0 && (low < 0) == (partials.back() < 0);
  if (is_half_way && (high + 2 * low) - high == 2 * low) high += 2 * low;
  return high;
}

/// Values of any exponent whose sum cannot overflow, with cancelling pairs among them.
Values nasty_values(std::mt19937_64& random, std::size_t n_values, int n_exponents) {
  Values values;
  while (values.size() < n_values) {
    const auto exponent = static_cast<std::uint64_t>(1000 - n_exponents / 2) +
                          random() % static_cast<std::uint64_t>(n_exponents);
    const double value = std::bit_cast<double>((random() & 0x800fffffffffffff) | (exponent << 52));
    values.push_back(value);
    if (random() % 4 == 0) values.push_back(-value);
  }
  return values;
}

TEST(ExactSumTest, NothingIsZero) { EXPECT_EQ(bits(ExactSum().value()), bits(0.0)); }

TEST(ExactSumTest, OneValueComesBackUnchanged) {
  for (const double value :
       {1.0, -1.0, 0.1, kTiny, -kTiny, 3 * kTiny, 0x1p-1022, 0x0.fffffffffffffp-1022, kMax, -kMax,
        0x1p-1000, 1e300, 0x1.fffffffffffffp31, 0x1p32}) {
    EXPECT_EQ(bits(sum_of({value}).value()), bits(value)) << value;
  }
  std::mt19937_64 random(3);
  for (int i = 0; i < 100000; ++i) {
    const auto value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    EXPECT_EQ(bits(sum_of({value}).value()), bits(value));
  }
}

TEST(ExactSumTest, BigValuesCancelAndLeaveTheSmallOne) {
  EXPECT_EQ(sum_of({1e308, -1e308, 1e-300}).value(), 1e-300);
  EXPECT_EQ(sum_of({1e308, 1e-300, -1e308}).value(), 1e-300);
  EXPECT_EQ(sum_of({kMax, kTiny, -kMax}).value(), kTiny);
  EXPECT_EQ(sum_of({kMax, kMax, -kMax, -kMax, -kTiny}).value(), -kTiny);
  EXPECT_EQ(bits(sum_of({1.5, -1.5}).value()), bits(0.0));
}

TEST(ExactSumTest, TenTenthsAreOne) { EXPECT_EQ(sum_of(Values(10, 0.1)).value(), 1.0); }

TEST(ExactSumTest, RoundsOnceToNearestTiesToEven) {
  const double half_ulp = 0x1p-53;
  EXPECT_EQ(sum_of({1, half_ulp}).value(), 1.0);
  EXPECT_EQ(sum_of({1, half_ulp, kTiny}).value(), 1 + 0x1p-52);
  EXPECT_EQ(sum_of({1, half_ulp, -kTiny}).value(), 1.0);
  EXPECT_EQ(sum_of({1 + 0x1p-52, half_ulp}).value(), 1 + 0x1p-51);
  EXPECT_EQ(sum_of({-1, -half_ulp, -kTiny}).value(), -(1 + 0x1p-52));
  EXPECT_EQ(sum_of({-1, -half_ulp}).value(), -1.0);
  EXPECT_EQ(sum_of({0x1.fffffffffffffp0, half_ulp}).value(), 2.0);
  EXPECT_EQ(sum_of({0x1p-1022, -kTiny}).value(), 0x0.fffffffffffffp-1022);
}

TEST(ExactSumTest, SumsBeyondEveryDoubleAreInfinite) {
  EXPECT_EQ(sum_of({kMax, kMax}).value(), kInfinity);
  EXPECT_EQ(sum_of({-kMax, -kMax, -kMax}).value(), -kInfinity);
  EXPECT_EQ(sum_of({kMax, 0x1p969}).value(), kMax);
  EXPECT_EQ(sum_of({kMax, 0x1p970}).value(), kInfinity);
}

TEST(ExactSumTest, NonFiniteSummandsPoison) {
  for (const double value : {kInfinity, -kInfinity, std::nan("")}) {
    EXPECT_TRUE(std::isnan(sum_of({1, value, 1}).value()));
    ExactSum sum = sum_of({1});
    sum.merge(sum_of({value}));
    EXPECT_TRUE(std::isnan(sum.value()));
  }
}

TEST(ExactSumTest, EqualsShewchukOnNastyValues) {
  for (const auto seed : testing_support::global_seeds()) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    for (int i = 0; i < 300; ++i) {
      const int n_exponents = i % 3 == 0 ? 8 : (i % 3 == 1 ? 130 : 1900);
      const Values values = nasty_values(random, 1 + random() % 60, n_exponents);
      EXPECT_EQ(bits(sum_of(values).value()), bits(fsum(values)));
    }
  }
}

TEST(ExactSumTest, EqualsIntegersOnFixedPoint) {
  std::mt19937_64 random(11);
  __int128 expected = 0;
  ExactSum sum;
  for (int i = 0; i < 100000; ++i) {
    const auto value = static_cast<std::int64_t>(random()) >> 11;
    expected += value;
    sum.add(static_cast<double>(value) * 0x1p-40);
  }
  EXPECT_EQ(sum.value(), std::ldexp(static_cast<double>(expected), -40));
}

TEST(ExactSumTest, OrderAndPartitionDoNotMatter) {
  for (const auto seed : testing_support::global_seeds()) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    Values values = nasty_values(random, 500, 1900);
    const auto expected = bits(sum_of(values).value());
    for (int i = 0; i < 50; ++i) {
      std::shuffle(values.begin(), values.end(), random);
      EXPECT_EQ(bits(sum_of(values).value()), expected);

      std::vector<ExactSum> parts(1 + random() % 7);
      for (const double value : values) parts[random() % parts.size()].add(value);
      while (parts.size() > 1) {
        const auto into = random() % (parts.size() - 1);
        parts[into].merge(parts.back());
        parts.pop_back();
      }
      EXPECT_EQ(bits(parts[0].value()), expected);
    }
  }
}

TEST(ExactSumTest, AddGoesOnAfterValueAndMerge) {
  ExactSum sum = sum_of({1, -2});
  EXPECT_EQ(sum.value(), -1.0);
  sum.add(0.5);
  EXPECT_EQ(sum.value(), -0.5);
  sum.merge(sum);
  EXPECT_EQ(sum.value(), -1.0);
  sum.merge(ExactSum());
  sum.add(3);
  EXPECT_EQ(sum.value(), 2.0);
}

TEST(ExactSumTest, ManyMergesDoNotOverflowALimb) {
  ExactSum sum = sum_of({0x1.fffffffffffffp0});
  for (int i = 0; i < 200; ++i) sum.merge(sum);
  EXPECT_EQ(sum.value(), 0x1.fffffffffffffp200);
  ExactSum minus = sum_of({-0x1.fffffffffffffp0});
  for (int i = 0; i < 200; ++i) minus.merge(minus);
  sum.merge(minus);
  EXPECT_EQ(bits(sum.value()), bits(0.0));
}

}  // namespace
}  // namespace orchard
