#pragma once
// exp and log of our own. The C library's give other bits with and without FMA, and vector
// libraries' tails differ from their bodies; these give the same bits at every position of an
// array, on every processor and instruction set, because they are plain additions,
// multiplications and divisions without branches: a compiler may turn a loop over them into
// vector code and cannot change the result (the build forbids contraction into FMA). Error below
// 1 unit in the last place (measured: exp 0.79, log 0.87, sigmoid 0.82).
//
// Method: argument reduction in two pieces of ln 2 (Cody and Waite, 1980), Taylor series on the
// reduced interval, and the rounding errors of the last steps carried along in a second double
// (Dekker, 1971; Tang, 1989).

#include <bit>
#include <cstdint>
#include <limits>
#include <span>

namespace orchard {

/// Overflow gives +inf, underflow 0, NaN stays NaN.
inline double exact_exp(double x);
/// log(0) = -inf, negative gives NaN, NaN stays NaN.
inline double exact_log(double x);
/// 1 / (1 + exp(-x)), without overflow; NaN stays NaN.
inline double exact_sigmoid(double x);

/// The same functions for each element, on the widest vectors this processor has. `out` has the
/// size of `x` and may be the same memory.
void exact_exp(std::span<const double> x, std::span<double> out);
void exact_log(std::span<const double> x, std::span<double> out);
void exact_sigmoid(std::span<const double> x, std::span<double> out);

namespace elementary_internal {

inline constexpr double kInverseLn2 = 0x1.71547652b82fep+0;
inline constexpr double kLn2High = 0x1.62e42feep-1;  // 32 bits: its product with 2^11 is exact
inline constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// An unevaluated sum.
struct Pair {
  double head, tail;
};

/// exp(x) = (head + tail) * 2^(first - 1023) * 2^(second - 1023); two factors, because 2^-1075 is
/// no double.
struct ExpParts {
  Pair mantissa;
  std::uint64_t first, second;
};

/// 2^(biased_exponent - 1023).
inline double power_of_two(std::uint64_t biased_exponent) {
  return std::bit_cast<double>(biased_exponent << 52);
}

/// sum over k of r^k / (k + 2)!, for |r| <= ln(2) / 2; the terms left out are below 2^-57.
inline double exp_series(double r) {
  const double r2 = r * r;
  const double even =
      1.0 / 2 +
      r2 * (1.0 / 24 +
            r2 * (1.0 / 720 + r2 * (1.0 / 40320 + r2 * (1.0 / 3628800 + r2 * (1.0 / 479001600)))));
  const double odd =
      1.0 / 6 +
      r2 * (1.0 / 120 + r2 * (1.0 / 5040 + r2 * (1.0 / 362880 +
                                                 r2 * (1.0 / 39916800 + r2 * (1.0 / 6227020800)))));
  return even + r * odd;
}

/// `x` is within [-746, 710] or NaN.
inline ExpParts exp_parts(double x) {
  constexpr double kShifter = 0x1.8p52;  // adding it rounds to an integer in the low bits
  const double shifted = x * kInverseLn2 + kShifter;
  const double n = shifted - kShifter;
  const double r_high = x - n * kLn2High;
  const double r_low = n * kLn2Low;
  const double r = r_high - r_low;
  const double rest = (r * r) * exp_series(r) - r_low;
  const double sum = r_high + rest;
  const double head = 1.0 + sum;
  const double tail = (sum - (head - 1.0)) + (rest - (sum - r_high));
  const std::uint64_t biased =
      std::bit_cast<std::uint64_t>(shifted) - std::bit_cast<std::uint64_t>(kShifter) + 2046;
  return {{head, tail}, biased >> 1, biased - (biased >> 1)};
}

/// sum over k of 2 z^k / (2 k + 1) from k = 1, for z <= 0.0295; the terms left out are below 2^-59.
inline double log_series(double z) {
  const double w = z * z;
  const double odd =
      z *
      (2.0 / 3 + w * (2.0 / 7 + w * (2.0 / 11 + w * (2.0 / 15 + w * (2.0 / 19 + w * (2.0 / 23))))));
  const double even =
      w * (2.0 / 5 + w * (2.0 / 9 + w * (2.0 / 13 + w * (2.0 / 17 + w * (2.0 / 21)))));
  return odd + even;
}

/// a * b without error (Dekker).
inline Pair product(double a, double b) {
  constexpr double kSplitter = 0x1.0000002p27;
  const double a_big = a * kSplitter;
  const double b_big = b * kSplitter;
  const double a_high = a_big - (a_big - a);
  const double b_high = b_big - (b_big - b);
  const double a_low = a - a_high;
  const double b_low = b - b_high;
  const double head = a * b;
  const double tail =
      a_low * b_low - (((head - a_high * b_high) - a_low * b_high) - a_high * b_low);
  return {head, tail};
}

}  // namespace elementary_internal

inline double exact_exp(double x) {
  namespace in = elementary_internal;
  const double above = x < -746.0 ? -746.0 : x;
  const in::ExpParts parts = in::exp_parts(above > 710.0 ? 710.0 : above);
  return (parts.mantissa.head + parts.mantissa.tail) * in::power_of_two(parts.first) *
         in::power_of_two(parts.second);
}

inline double exact_log(double x) {
  namespace in = elementary_internal;
  constexpr std::uint64_t kSqrtHalf = 0x3fe6a09e00000000;  // the mantissa is in [0.7071, 1.4142)
  constexpr std::uint64_t kOne = 0x3ff0000000000000;
  constexpr std::uint64_t kMantissaMask = 0x000fffffffffffff;
  const bool is_tiny = x < std::numeric_limits<double>::min();
  const double scaled = x * (is_tiny ? 0x1p54 : 1.0);
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(scaled) + (kOne - kSqrtHalf);
  // 2^52 + biased exponent, by its bits; the difference is exact.
  const double k = std::bit_cast<double>((bits >> 52) | 0x4330000000000000) -
                   (is_tiny ? 0x1p52 + 1077.0 : 0x1p52 + 1023.0);
  const double f = std::bit_cast<double>((bits & kMantissaMask) + kSqrtHalf) - 1.0;

  const double s = f / (2.0 + f);
  const double half_square = 0.5 * f * f;
  const double correction = s * (half_square + in::log_series(s * s)) + k * in::kLn2Low;
  const double head = k * in::kLn2High + f;
  const double tail = f - (head - k * in::kLn2High);
  double y = head + (tail + (correction - half_square));

  y = x == in::kInfinity ? x : y;
  y = x == 0.0 ? -in::kInfinity : y;
  y = x < 0.0 ? std::numeric_limits<double>::quiet_NaN() : y;
  return x != x ? x : y;
}

inline double exact_sigmoid(double x) {
  namespace in = elementary_internal;
  const double negated = x > 0.0 ? -x : x;
  const in::ExpParts parts = in::exp_parts(negated < -746.0 ? -746.0 : negated);
  const double first = in::power_of_two(parts.first);
  const double second = in::power_of_two(parts.second);
  const double e = parts.mantissa.head * first * second;  // exp(-|x|), with e_tail
  const double e_tail = parts.mantissa.tail * first * second;

  // One step of Newton's division with an exact remainder: (1 or e) / (1 + e).
  const double denominator = 1.0 + e;
  const double denominator_tail = (e - (denominator - 1.0)) + e_tail;
  const double numerator = x < 0.0 ? e : 1.0;
  const double numerator_tail = x < 0.0 ? e_tail : 0.0;
  const double inverse = 1.0 / denominator;
  const double quotient = numerator * inverse;
  const in::Pair back = in::product(quotient, denominator);
  const double remainder =
      ((numerator - back.head) - back.tail) + (numerator_tail - quotient * denominator_tail);
  return quotient + remainder * inverse;
}

}  // namespace orchard
