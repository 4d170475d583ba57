#include "orchard/base/elementary.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include "../../support/global_seed.hpp"

namespace orchard {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kTiny = std::numeric_limits<double>::denorm_min();
constexpr double kMax = std::numeric_limits<double>::max();
constexpr int kSamples = 250000;

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

/// One unit in the last place at `value`.
long double unit(double value) { return std::ldexp(1.0L, std::max(std::ilogb(value) - 52, -1074)); }

/// The largest error of `f` in units in the last place. The reference has 64 bits of mantissa.
struct Worst {
  long double error = 0;
  double at = 0;
  void judge(double x, double y, long double expected) {
    const long double error_here =
        std::abs(static_cast<long double>(y) - expected) / unit(static_cast<double>(expected));
    if (!(error_here <= error)) {
      error = error_here;
      at = x;
    }
  }
};

std::function<double()> uniform(std::mt19937_64& random, double low, double high) {
  return [&random, low, high] {
    return low + (high - low) * (static_cast<double>(random() >> 11) * 0x1p-53);
  };
}

/// Samples drawn near 0 on a scale of exponents, both signs.
std::function<double()> near_zero(std::mt19937_64& random) {
  return [&random] {
    const double value = static_cast<double>(random() >> 11) * 0x1p-53 - 0.5;
    return std::ldexp(value, -static_cast<int>(random() % 80));
  };
}

template <class F, class Reference>
void expect_error_below_one(F f, Reference reference, const std::function<double()>& draw) {
  Worst worst;
  for (int i = 0; i < kSamples; ++i) {
    const double x = draw();
    worst.judge(x, f(x), reference(static_cast<long double>(x)));
  }
  EXPECT_LT(worst.error, 0.95L) << "at " << worst.at;
}

const auto kExp = [](double x) { return exact_exp(x); };
const auto kLog = [](double x) { return exact_log(x); };
const auto kSigmoid = [](double x) { return exact_sigmoid(x); };

long double sigmoid_reference(long double x) {
  return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}

TEST(ElementaryTest, ExpIsWithinOneUnit) {
  const auto reference = [](long double x) { return std::exp(x); };
  for (const auto seed : testing_support::global_seeds()) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    expect_error_below_one(kExp, reference, uniform(random, -1, 1));
    expect_error_below_one(kExp, reference, uniform(random, -30, 30));
    expect_error_below_one(kExp, reference, uniform(random, -745, 709.78));
    expect_error_below_one(kExp, reference, uniform(random, -744, -700));
    expect_error_below_one(kExp, reference, near_zero(random));
  }
}

TEST(ElementaryTest, LogIsWithinOneUnit) {
  const auto reference = [](long double x) { return std::log(x); };
  for (const auto seed : testing_support::global_seeds()) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const auto around_one = near_zero(random);
    expect_error_below_one(kLog, reference, uniform(random, 0.5, 2));
    expect_error_below_one(kLog, reference, uniform(random, 0.7, 0.72));
    expect_error_below_one(kLog, reference, uniform(random, 1.40, 1.42));
    expect_error_below_one(kLog, reference, [&] {
      const double x = 1 + around_one();
      return x == 1 ? 2 : x;
    });
    const auto any_positive = [&] {
      return std::bit_cast<double>(1 + random() % 0x7fefffffffffffff);
    };
    expect_error_below_one(kLog, reference, any_positive);
    expect_error_below_one(
        kLog, reference, [&] { return std::bit_cast<double>(1 + random() % 0x000fffffffffffff); });
  }
}

TEST(ElementaryTest, SigmoidIsWithinOneUnit) {
  for (const auto seed : testing_support::global_seeds()) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    expect_error_below_one(kSigmoid, sigmoid_reference, uniform(random, -2, 2));
    expect_error_below_one(kSigmoid, sigmoid_reference, uniform(random, -40, 40));
    expect_error_below_one(kSigmoid, sigmoid_reference, uniform(random, -745, 745));
    expect_error_below_one(kSigmoid, sigmoid_reference, near_zero(random));
  }
}

TEST(ElementaryTest, ExpAtItsEnds) {
  EXPECT_EQ(exact_exp(0.0), 1.0);
  EXPECT_EQ(exact_exp(-0.0), 1.0);
  EXPECT_EQ(exact_exp(kTiny), 1.0);
  EXPECT_EQ(exact_exp(1.0), 0x1.5bf0a8b145769p+1);
  EXPECT_EQ(exact_exp(kInfinity), kInfinity);
  EXPECT_EQ(exact_exp(-kInfinity), 0.0);
  EXPECT_EQ(exact_exp(kMax), kInfinity);
  EXPECT_EQ(exact_exp(-kMax), 0.0);
  EXPECT_TRUE(std::isfinite(exact_exp(0x1.62e42fefa39efp+9)));  // the last one that is finite
  EXPECT_EQ(exact_exp(0x1.62e42fefa39fp+9), kInfinity);
  EXPECT_EQ(exact_exp(-0x1.74910d52d3051p+9), kTiny);  // the last one above half of the least
  EXPECT_EQ(exact_exp(-0x1.74910d52d3053p+9), 0.0);
  EXPECT_TRUE(std::isnan(exact_exp(kNan)));
  EXPECT_TRUE(std::isnan(exact_exp(-kNan)));
}

TEST(ElementaryTest, LogAtItsEnds) {
  EXPECT_EQ(bits(exact_log(1.0)), bits(0.0));
  EXPECT_EQ(exact_log(2.0), 0x1.62e42fefa39efp-1);
  EXPECT_EQ(exact_log(0.0), -kInfinity);
  EXPECT_EQ(exact_log(-0.0), -kInfinity);
  EXPECT_EQ(exact_log(kInfinity), kInfinity);
  EXPECT_EQ(exact_log(kTiny), -0x1.74385446d71c3p+9);
  EXPECT_EQ(exact_log(kMax), 0x1.62e42fefa39efp+9);
  for (const double x : {-kTiny, -1.0, -kMax, -kInfinity, kNan}) {
    EXPECT_TRUE(std::isnan(exact_log(x))) << x;
  }
}

TEST(ElementaryTest, SigmoidAtItsEnds) {
  EXPECT_EQ(exact_sigmoid(0.0), 0.5);
  EXPECT_EQ(exact_sigmoid(-0.0), 0.5);
  EXPECT_EQ(exact_sigmoid(40.0), 1.0);
  EXPECT_EQ(exact_sigmoid(kInfinity), 1.0);
  EXPECT_EQ(exact_sigmoid(kMax), 1.0);
  EXPECT_EQ(exact_sigmoid(-kInfinity), 0.0);
  EXPECT_EQ(exact_sigmoid(-kMax), 0.0);
  EXPECT_GT(exact_sigmoid(-745.0), 0.0);
  EXPECT_TRUE(std::isnan(exact_sigmoid(kNan)));
}

/// Neighbours in order, over steps from one bit up.
void expect_increasing(double (*f)(double), double from, double to) {
  for (const double step : {0x1p-52, 0x1p-45, 0x1p-35}) {
    double x = from, y = f(x);
    for (int i = 0; i < 100000 && x < to; ++i) {
      const double next_x = std::nextafter(x + std::abs(x) * step, kInfinity);
      const double next_y = f(next_x);
      ASSERT_LE(y, next_y) << "from " << x << " to " << next_x;
      x = next_x;
      y = next_y;
    }
  }
}

TEST(ElementaryTest, SigmoidNeverFalls) {
  for (const double from : {-700.0, -37.0, -1.0, -0.3, 0.3, 0.6931, 1.0, 5.0, 30.0}) {
    expect_increasing(
        +[](double x) { return exact_sigmoid(x); }, from, from + 40);
  }
}

// The same bits everywhere: numbers recorded once from this implementation.
TEST(ElementaryTest, BitsAreThoseRecorded) {
  std::uint64_t hash = 1469598103934665603u;
  for (int i = 0; i < 40000; ++i) {
    const double x = (i - 20000) * 0.0371;
    for (const double y : {exact_exp(x), exact_log(std::abs(x)), exact_sigmoid(x / 8)}) {
      hash = (hash ^ bits(y)) * 1099511628211u;
    }
  }
  EXPECT_EQ(hash, 11682320522727269551u);
}

TEST(ElementaryTest, ArraysHaveTheBitsOfSingleValuesAtEveryPosition) {
  std::mt19937_64 random(5);
  const auto draw = uniform(random, -750, 750);
  for (std::size_t n_values = 0; n_values < 70; ++n_values) {
    std::vector<double> x(n_values), out(n_values);
    for (auto& value : x) value = random() % 8 == 0 ? draw() / 1e4 : draw();
    if (n_values > 4) x[n_values / 2] = random() % 2 == 0 ? 0.0 : -kInfinity;
    const auto expect_bits = [&](double (*f)(double), const char* name) {
      for (std::size_t i = 0; i < n_values; ++i) {
        EXPECT_EQ(bits(out[i]), bits(f(x[i]))) << name << " of " << x[i] << ", position " << i;
      }
    };
    exact_exp(x, out);
    expect_bits(
        +[](double v) { return exact_exp(v); }, "exp");
    exact_log(x, out);
    expect_bits(
        +[](double v) { return exact_log(v); }, "log");
    exact_sigmoid(x, out);
    expect_bits(
        +[](double v) { return exact_sigmoid(v); }, "sigmoid");
    out = x;
    exact_sigmoid(out, out);
    expect_bits(
        +[](double v) { return exact_sigmoid(v); }, "sigmoid in place");
  }
}

}  // namespace
}  // namespace orchard
