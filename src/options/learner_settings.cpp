#include "orchard/options/learner_settings.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "orchard/base/text.hpp"
#include "table.hpp"
#include "value.hpp"

namespace orchard::options {
namespace {

/// Shortest digits that read back as `value`, laid out as Python does; always a real number.
std::string print_real(double value) {
  if (!std::isfinite(value)) return print_double(value);
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::scientific)
                       .ptr;
  const std::string scientific(buffer.data(), end);
  const int exponent = std::atoi(scientific.substr(scientific.find('e') + 1).c_str());
  if (exponent < -4 || exponent >= 16) return scientific;
  const auto fixed_end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed)
          .ptr;
  std::string fixed(buffer.data(), fixed_end);
  return fixed.find('.') == std::string::npos ? fixed + ".0" : fixed;
}

std::string quote_python(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

}  // namespace

std::string name_of(Estimator estimator) {
  switch (estimator) {
    case Estimator::kRandomForestClassifier:
      return "RandomForestClassifier";
    case Estimator::kRandomForestRegressor:
      return "RandomForestRegressor";
    case Estimator::kHistGradientBoostingClassifier:
      return "HistGradientBoostingClassifier";
    case Estimator::kHistGradientBoostingRegressor:
      return "HistGradientBoostingRegressor";
  }
  require(false, "an estimator has a name");
  return {};
}

Task task_of(Estimator estimator) {
  return estimator == Estimator::kRandomForestClassifier ||
                 estimator == Estimator::kHistGradientBoostingClassifier
             ? Task::kClassification
             : Task::kRegression;
}

bool is_forest(Estimator estimator) {
  return estimator == Estimator::kRandomForestClassifier ||
         estimator == Estimator::kRandomForestRegressor;
}

std::int64_t resolve_count(const CountOrFraction& value, std::int64_t n) {
  if (const auto* count = std::get_if<std::int64_t>(&value)) return *count;
  return static_cast<std::int64_t>(std::ceil(std::get<double>(value) * static_cast<double>(n)));
}

std::int64_t MaxFeatures::resolve(std::int64_t n_features) const {
  if (n_features < 1) return n_features;
  std::int64_t n = n_features;
  switch (rule) {
    case Rule::kSqrt:
      n = static_cast<std::int64_t>(std::sqrt(static_cast<double>(n_features)));
      break;
    case Rule::kLog2:
      n = std::bit_width(static_cast<std::uint64_t>(n_features)) - 1;
      break;
    case Rule::kAll:
      break;
    case Rule::kCountOrFraction:
      if (const auto* fraction = std::get_if<double>(&value)) {
        n = static_cast<std::int64_t>(*fraction * static_cast<double>(n_features));
      } else {
        n = std::get<std::int64_t>(value);
      }
      break;
  }
  return std::clamp<std::int64_t>(n, 1, n_features);
}

std::string print_value(const ParamValue& value) {
  if (std::holds_alternative<std::monostate>(value)) return "none";
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return format("{}", *integer);
  if (const auto* real = std::get_if<double>(&value)) return print_real(*real);
  return print_text(std::get<std::string>(value));
}

std::string print_python(const ParamValue& value) {
  if (std::holds_alternative<std::monostate>(value)) return "None";
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "True" : "False";
  if (const auto* text = std::get_if<std::string>(&value)) return quote_python(*text);
  return print_value(value);
}

std::vector<Param> resolved_params(Estimator estimator, const std::vector<Param>& params) {
  const auto& rows = params_of(estimator);
  std::vector<Param> out;
  for (const auto* row : rows) out.push_back({row->name, row->default_values.at(0)});
  for (const auto& param : params) {
    const auto at = std::find_if(out.begin(), out.end(),
                                 [&](const Param& known) { return known.name == param.name; });
    if (at == out.end()) {
      throw Error(ErrorKind::kUsage,
                  format("'{}' is not a parameter of {}.", param.name, name_of(estimator)));
    }
    const auto& row = *rows[static_cast<std::size_t>(at - out.begin())];
    const auto value = fit(row.accepts, param.value);
    if (!value) throw Error(ErrorKind::kUsage, misfit(row, print_value(param.value)));
    at->value = *value;
  }
  return out;
}

LearnerSettings make_settings(Estimator estimator, const std::vector<Param>& params) {
  LearnerSettings settings;
  if (!is_forest(estimator)) settings = BoostingSettings{};
  const auto resolved = resolved_params(estimator, params);
  const auto& rows = params_of(estimator);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i]->store({.learner = &settings}, {resolved[i].value});
  }
  const auto* forest = std::get_if<ForestSettings>(&settings);
  if (forest != nullptr && !forest->bootstrap && forest->max_samples) {
    throw Error(ErrorKind::kUsage, kMaxSamplesNeedsBootstrap);
  }
  return settings;
}

}  // namespace orchard::options
