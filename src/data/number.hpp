#pragma once
// Numbers in text: syntax and value, without locale. A number is [+-] digits [. digits] [e [+-]
// digits] with at least one digit before the exponent; "5." and ".5" are numbers, "nan", "inf",
// hexadecimal and "1d5" are not.

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>

namespace orchard::data {

/// A scanned number: digits * 10^exponent.
struct Decimal {
  std::uint64_t digits = 0;   ///< valid while n_digits <= 19
  std::int64_t n_digits = 0;  ///< without leading zeros
  std::int64_t exponent = 0;
  bool is_negative = false;
};

namespace number_detail {
inline bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

inline const char* take_digits(const char* at, const char* end, std::uint64_t& digits) {
  for (; at < end && is_digit(*at); ++at) {
    digits = digits * 10 + static_cast<std::uint64_t>(*at - '0');
  }
  return at;
}

inline const char* skip_zeros(const char* at, const char* end) {
  while (at < end && *at == '0') ++at;
  return at;
}

/// The exponent part, `at` on the letter. Null when digits are missing.
inline const char* take_exponent(const char* at, const char* end, std::int64_t& exponent) {
  constexpr std::int64_t kHuge = 1'000'000'000'000;  // decides overflow however long the text is
  ++at;
  const bool is_negative = at < end && *at == '-';
  if (at < end && (*at == '-' || *at == '+')) ++at;
  if (at == end || !is_digit(*at)) return nullptr;
  std::int64_t value = 0;
  for (; at < end && is_digit(*at); ++at) {
    if (value < kHuge) value = value * 10 + (*at - '0');
  }
  exponent += is_negative ? -value : value;
  return at;
}
}  // namespace number_detail

/// Scans the longest number at the beginning of [at, end) and returns its end, or null when there
/// is none.
inline const char* scan_number(const char* at, const char* end, Decimal& out) {
  using namespace number_detail;
  out = {};
  if (at < end && (*at == '-' || *at == '+')) {
    out.is_negative = *at == '-';
    ++at;
  }
  const char* const whole = at;
  const char* significant = skip_zeros(at, end);
  at = take_digits(significant, end, out.digits);
  out.n_digits = at - significant;
  bool has_digits = at > whole;
  if (at < end && *at == '.') {
    const char* const fraction = ++at;
    significant = out.n_digits == 0 ? skip_zeros(at, end) : at;
    at = take_digits(significant, end, out.digits);
    out.n_digits += at - significant;
    out.exponent = fraction - at;
    has_digits = has_digits || at > fraction;
  }
  if (!has_digits) return nullptr;
  if (at < end && (*at == 'e' || *at == 'E')) return take_exponent(at, end, out.exponent);
  return at;
}

/// The general case of `number_value`.
double rounded_value(const Decimal& decimal, std::string_view text);

/// The correctly rounded value of a number that was scanned from `text`; too great gives infinity,
/// too small zero. Fast path after Clinger (PLDI 1990): digits and power of ten are both exact.
inline double number_value(const Decimal& decimal, std::string_view text) {
  static constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (decimal.n_digits > 19 || decimal.digits > (std::uint64_t{1} << 53) ||
      decimal.exponent < -22 || decimal.exponent > 22) {
    return rounded_value(decimal, text);
  }
  const double digits = static_cast<double>(decimal.digits);
  const double value = decimal.exponent < 0 ? digits / kPowers[-decimal.exponent]
                                            : digits * kPowers[decimal.exponent];
  return decimal.is_negative ? -value : value;
}

namespace number_detail {
inline constexpr std::size_t kShortText = 24;  // sign, two words and what stands between them

/// The digits at `at`, up to 7 of them, from one word; 8 when there are 8 or more.
inline int short_digits(const char* at, std::uint64_t& value) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  word ^= 0x3030303030303030u;
  // The lowest byte above 9 gets its top bit set; what a carry does to higher ones is no matter.
  const std::uint64_t others = ((word + 0x7676767676767676u) | word) & 0x8080808080808080u;
  if (others == 0) return 8;
  const int n_digits = std::countr_zero(others) / 8;
  // The first digit lies lowest: with zeros before it, pairs, fours and eights are joined.
  word = word << (56 - 8 * n_digits) << 8;
  word = (word * 2561) >> 8 & 0x00ff00ff00ff00ffu;
  word = (word * 6553601) >> 16 & 0x0000ffff0000ffffu;
  value = (word * 42949672960001u) >> 32;
  return n_digits;
}
}  // namespace number_detail

/// Reads a whole cell that holds a number in its usual short form, [-] 1-7 digits [. 0-7 digits]:
/// `out` is number_value as float32, without -0.0. Returns where the cell ends, or null for any
/// other cell and near the end of the text.
inline const char* read_short_number(const char* at, const char* end, float& out) {
  static constexpr double kPowers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};
  static constexpr std::uint64_t kIntegerPowers[] = {1,      10,      100,       1'000,
                                                     10'000, 100'000, 1'000'000, 10'000'000};
  if constexpr (std::endian::native != std::endian::little) return nullptr;
  if (end - at < static_cast<std::ptrdiff_t>(number_detail::kShortText)) return nullptr;
  const bool is_negative = *at == '-';
  at += is_negative ? 1 : 0;
  std::uint64_t digits = static_cast<unsigned char>(*at - '0');
  if (digits > 9) return nullptr;
  int n_digits = 1, n_decimals = 0;
  if (number_detail::is_digit(at[1])) {
    n_digits = number_detail::short_digits(at, digits);
    if (n_digits == 8) return nullptr;
  }
  at += n_digits;
  if (*at == '.') {
    std::uint64_t decimals = 0;
    n_decimals = number_detail::short_digits(++at, decimals);
    if (n_decimals == 8) return nullptr;
    at += n_decimals;
    digits = digits * kIntegerPowers[n_decimals] + decimals;
  }
  if (*at != ',' && *at != '\n' && *at != '\r') return nullptr;
  const double value = static_cast<double>(static_cast<std::int64_t>(digits)) / kPowers[n_decimals];
  out = static_cast<float>(is_negative ? -value : value) + 0.0f;
  return at;
}

/// An integer from 0, or -1.
inline bool is_fold_number(double value) {
  return value == std::floor(value) && value >= -1 &&
         value <= std::numeric_limits<std::int32_t>::max() - 1;
}

/// The text without blanks and tabs around it.
std::string_view trim_blanks(std::string_view text);
/// Whether the whole text, without blanks around it, is a number.
bool is_number(std::string_view text);
/// Its value (infinite when too great), or nothing when it is no number.
std::optional<double> parse_number(std::string_view text);

}  // namespace orchard::data
