#include "number.hpp"

#include <charconv>
#include <cmath>
#include <limits>

namespace orchard::data {

double rounded_value(const Decimal& decimal, std::string_view text) {
  // The value lies in [10^(magnitude - 1), 10^magnitude).
  const std::int64_t magnitude = decimal.n_digits + decimal.exponent;
  const double sign = decimal.is_negative ? -1.0 : 1.0;
  if (decimal.n_digits == 0 || magnitude < -330) return sign * 0.0;
  if (magnitude > 310) return sign * std::numeric_limits<double>::infinity();
  if (text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) {
    return sign * (magnitude > 0 ? std::numeric_limits<double>::infinity() : 0.0);
  }
  return value;
}

std::string_view trim_blanks(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_number(std::string_view text) {
  text = trim_blanks(text);
  Decimal decimal;
  return scan_number(text.data(), text.data() + text.size(), decimal) ==
             text.data() + text.size() &&
         !text.empty();
}

std::optional<double> parse_number(std::string_view text) {
  text = trim_blanks(text);
  Decimal decimal;
  const char* const end = text.data() + text.size();
  if (text.empty() || scan_number(text.data(), end, decimal) != end) return std::nullopt;
  return number_value(decimal, text);
}

}  // namespace orchard::data
