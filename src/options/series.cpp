// range, lin, log and log2: short forms of regular lists of values.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "orchard/base/elementary.hpp"
#include "orchard/base/text.hpp"
#include "value.hpp"

namespace orchard::options {
namespace {

constexpr std::uint64_t kMaxPoints = 10'000;

[[noreturn]] void fail(std::string message) { throw Error(ErrorKind::kUsage, std::move(message)); }

struct Call {
  std::string written;
  std::string name;
  std::vector<ParamValue> arguments;
};

/// The decimal with the fewest digits, at most 15, within 1e-14 of `value`: takes the noise of log
/// and exp off values that a person would write.
double round_digits(double value) {
  std::array<char, 40> buffer;
  double rounded = value;
  for (int n_decimals = 0; n_decimals <= 14; ++n_decimals) {
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                   std::chars_format::scientific, n_decimals)
                         .ptr;
    std::from_chars(buffer.data(), end, rounded);
    if (std::abs(rounded - value) <= 1e-14 * std::abs(value)) break;
  }
  return rounded;
}

double real(const ParamValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  return std::get<double>(value);
}

bool is_number(const ParamValue& value) {
  return std::holds_alternative<std::int64_t>(value) || std::holds_alternative<double>(value);
}

bool is_integer(const ParamValue& value) { return std::holds_alternative<std::int64_t>(value); }

Values range(const Call& call) {
  const auto& arguments = call.arguments;
  for (const auto& argument : arguments) {
    if (!is_integer(argument)) fail(format("{}: range takes integers.", call.written));
  }
  if (arguments.size() < 2 || arguments.size() > 3) {
    fail(format("{}: expected range(start, stop) or range(start, stop, step).", call.written));
  }
  const auto start = std::get<std::int64_t>(arguments[0]);
  const auto stop = std::get<std::int64_t>(arguments[1]);
  const auto step = arguments.size() == 3 ? std::get<std::int64_t>(arguments[2]) : 1;
  if (step == 0) fail(format("{}: the step must not be 0.", call.written));
  const bool is_empty = step > 0 ? start >= stop : start <= stop;
  if (is_empty) fail(format("{}: holds no value; the stop is excluded.", call.written));
  // Unsigned differences cannot overflow.
  const auto from = static_cast<std::uint64_t>(start), to = static_cast<std::uint64_t>(stop);
  const auto span = step > 0 ? to - from : from - to;
  const auto stride =
      step > 0 ? static_cast<std::uint64_t>(step) : 0 - static_cast<std::uint64_t>(step);
  const auto n = (span - 1) / stride + 1;
  if (n > kMaxPoints) fail(format("{}: {} values, at most {}.", call.written, n, kMaxPoints));
  Values values;
  for (std::uint64_t i = 0; i < n; ++i) {
    values.emplace_back(static_cast<std::int64_t>(from + (step > 0 ? i * stride : 0 - i * stride)));
  }
  return values;
}

/// Checks (first, last, n) and returns n.
std::int64_t check_ends(const Call& call) {
  const auto& arguments = call.arguments;
  if (arguments.size() != 3 || !is_integer(arguments[2])) {
    fail(format("{}: expected {}(first, last, number of values).", call.written, call.name));
  }
  const auto n = std::get<std::int64_t>(arguments[2]);
  if (n < 2 || n > static_cast<std::int64_t>(kMaxPoints)) {
    fail(format("{}: the number of values must be from 2 to {}.", call.written, kMaxPoints));
  }
  if (call.name == "lin") return n;
  if (real(arguments[0]) <= 0 || real(arguments[1]) <= 0) {
    fail(format("{}: both ends must be > 0.", call.written));
  }
  return n;
}

/// Points between the ends, which stay exactly as written; integers if all of them are whole.
Values spaced(const Call& call) {
  const auto n = check_ends(call);
  const bool is_log = call.name != "lin";
  const double first = real(call.arguments[0]), last = real(call.arguments[1]);
  const double from = is_log ? exact_log(first) : first, to = is_log ? exact_log(last) : last;
  std::vector<double> points;
  for (std::int64_t i = 0; i < n; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(n - 1);
    const double at = from * (1 - share) + to * share;
    points.push_back(round_digits(is_log ? exact_exp(at) : at));
  }
  points.front() = first;
  points.back() = last;
  if (call.name == "log2") {
    for (double& point : points) point = std::round(point);
  }
  bool are_integers =
      (is_integer(call.arguments[0]) && is_integer(call.arguments[1])) || call.name == "log2";
  for (const double point : points) {
    are_integers = are_integers && point == std::round(point) && std::abs(point) < 0x1p53;
  }
  Values values;
  for (const double point : points) {
    if (are_integers) {
      values.emplace_back(static_cast<std::int64_t>(point));
    } else {
      values.emplace_back(point);
    }
  }
  return values;
}

}  // namespace

std::optional<Values> read_series(const Item& item) {
  const auto open = item.text.find('(');
  if (item.is_quoted || open == std::string::npos || item.text.back() != ')') return std::nullopt;
  Call call{escape(item.text), std::string(trim(item.text.substr(0, open))), {}};
  for (const char* random : {"uniform", "loguniform", "randint", "choice"}) {
    if (call.name == random) {
      fail(
          format("{}: {}(...) draws values at random, which strategy = grid does not. List the "
                 "values, or use range, lin, log or log2.",
                 call.written, call.name));
    }
  }
  const std::vector<std::string> known = {"range", "lin", "log", "log2"};
  if (std::find(known.begin(), known.end(), call.name) == known.end()) {
    const auto hint = did_you_mean(call.name, known);
    fail(format("{}: '{}' is unknown.{}{} Known: range, lin, log, log2.", call.written,
                escape(call.name), hint.empty() ? "" : " ", hint));
  }
  const auto inside = item.text.substr(open + 1, item.text.size() - open - 2);
  for (const auto& argument : split(inside, ',')) {
    const auto value = guess({std::string(trim(argument)), false});
    if (!is_number(value)) {
      fail(format("{}: '{}' is no number.", call.written, escape(trim(argument))));
    }
    call.arguments.push_back(value);
  }
  return call.name == "range" ? range(call) : spaced(call);
}

}  // namespace orchard::options
