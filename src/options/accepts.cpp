// Whether a value fits its option, and how that is said.

#include <algorithm>
#include <cmath>

#include "orchard/base/text.hpp"
#include "suggest.hpp"
#include "value.hpp"

namespace orchard::options {
namespace {

bool has_word(const Accepts& accepts, std::string_view word) {
  return std::find(accepts.words.begin(), accepts.words.end(), word) != accepts.words.end();
}

bool holds(const IntegerRange& range, std::int64_t value) {
  return value >= range.min && value <= range.max && (value != 0 || range.has_zero);
}

bool holds(const RealRange& range, double value) {
  if (range.adds_zero && value == 0) return true;
  return std::isfinite(value) && (range.is_min_open ? value > range.min : value >= range.min) &&
         (range.is_max_open ? value < range.max : value <= range.max);
}

/// Reals above this have no neighbours one apart, so an integer might not survive.
constexpr std::int64_t kMaxExactInteger = std::int64_t{1} << 53;

std::string describe(const IntegerRange& range) {
  constexpr IntegerRange kOpen;
  if (range.max == kOpen.max) return format("an integer >= {}", range.min);
  return format("{} from {} to {}", range.has_zero ? "an integer" : "an integer other than 0",
                range.min, range.max);
}

std::string describe(const RealRange& range, const char* noun) {
  if (std::isinf(range.max)) {
    return format("{} {} {}", noun, range.is_min_open ? ">" : ">=", range.min);
  }
  return format("{}{} in {}{}, {:.0f}{}", range.adds_zero ? "0 or " : "", noun,
                range.is_min_open ? '(' : '[', range.min, range.max, range.is_max_open ? ')' : ']');
}

std::string describe(TextKind kind) {
  switch (kind) {
    case TextKind::kNone:
      return {};
    case TextKind::kPath:
      return "a path";
    case TextKind::kColumn:
      return "a column name";
    case TextKind::kName:
      return "a name of letters, digits, '.', '_' and '-' that begins with no '.' or '-'";
  }
  return {};
}

}  // namespace

std::optional<ParamValue> fit(const Accepts& accepts, const ParamValue& value) {
  if (std::holds_alternative<std::monostate>(value)) {
    return has_word(accepts, "none") ? std::optional(value) : std::nullopt;
  }
  if (const auto* truth = std::get_if<bool>(&value)) {
    return has_word(accepts, *truth ? "true" : "false") ? std::optional(value) : std::nullopt;
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    const bool is_typed_word = *text == "none" || *text == "true" || *text == "false";
    if (accepts.text != TextKind::kNone) return value;
    return !is_typed_word && has_word(accepts, *text) ? std::optional(value) : std::nullopt;
  }
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    if (accepts.integers) {
      return holds(*accepts.integers, *integer) ? std::optional(value) : std::nullopt;
    }
    const bool is_exact = *integer >= -kMaxExactInteger && *integer <= kMaxExactInteger;
    if (!accepts.reals || !is_exact) return std::nullopt;
    return fit(accepts, static_cast<double>(*integer));
  }
  if (!accepts.reals || !holds(*accepts.reals, std::get<double>(value))) return std::nullopt;
  return value;
}

std::string describe(const Accepts& accepts) {
  std::vector<std::string> parts;
  if (accepts.integers) parts.push_back(describe(*accepts.integers));
  if (accepts.reals) {
    parts.push_back(describe(*accepts.reals, accepts.integers ? "a fraction" : "a number"));
  }
  if (accepts.text != TextKind::kNone) parts.push_back(describe(accepts.text));
  parts.insert(parts.end(), accepts.words.begin(), accepts.words.end());
  if (parts.size() < 2) return join(parts, "");
  const std::string last = parts.back();
  parts.pop_back();
  return join(parts, ", ") + " or " + last;
}

std::string misfit(const OptionRow& row, const std::string& written) {
  const auto& accepts = row.accepts;
  std::string hint = foreign_value(row.name, written);
  if (hint.empty()) hint = did_you_mean(written, accepts.words);
  if (!hint.empty()) hint = " " + hint;
  const bool is_choice = !accepts.integers && !accepts.reals && accepts.text == TextKind::kNone;
  if (!is_choice || has_word(accepts, "true")) {
    return format("{} = {}: expected {}.{}", row.name, escape(written), describe(accepts), hint);
  }
  const std::string known =
      row.name == "scoring" || row.name == "refit"
          ? format("Run 'orchard list scorers' for all {}.", scorer_choices().size())
          : format("Known: {}.", join(accepts.words, ", "));
  return format("{} '{}' is unknown.{} {}", row.name, escape(written), hint, known);
}

}  // namespace orchard::options
