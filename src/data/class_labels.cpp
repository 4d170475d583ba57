#include "class_labels.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <tuple>

#include "number.hpp"

namespace orchard::data {
namespace {

/// The values of all labels, or nothing when one is no finite number.
template <class Labels>
std::optional<std::vector<double>> label_values(const Labels& labels) {
  std::vector<double> values;
  for (const auto& label : labels) {
    const auto value = parse_number(label);
    if (!value || !std::isfinite(*value)) return std::nullopt;
    values.push_back(*value + 0.0);
  }
  return values;
}

}  // namespace

std::vector<std::string> class_labels(const std::set<std::string>& texts) {
  const auto values = label_values(texts);
  if (!values) return {texts.begin(), texts.end()};
  struct Label {
    double value;
    std::string text;
  };
  std::vector<Label> labels;
  auto value = values->begin();
  for (const auto& text : texts) labels.push_back({*value++, std::string(trim_blanks(text))});
  std::sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) {
    return std::forward_as_tuple(a.value, a.text.size(), a.text) <
           std::forward_as_tuple(b.value, b.text.size(), b.text);
  });
  std::vector<std::string> classes;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (i == 0 || labels[i].value != labels[i - 1].value) classes.push_back(labels[i].text);
  }
  return classes;
}

ClassIndex::ClassIndex(const std::vector<std::string>& classes) {
  const auto values = label_values(classes);
  is_numeric_ = values.has_value() && !classes.empty();
  if (!is_numeric_) {
    for (std::size_t i = 0; i < classes.size(); ++i) {
      class_of_text_.emplace(classes[i], static_cast<std::int32_t>(i));
    }
    return;
  }
  class_of_value_.resize(classes.size());
  std::iota(class_of_value_.begin(), class_of_value_.end(), 0);
  const auto value_of = [&](std::int32_t i) { return (*values)[static_cast<std::size_t>(i)]; };
  std::stable_sort(class_of_value_.begin(), class_of_value_.end(),
                   [&](std::int32_t a, std::int32_t b) { return value_of(a) < value_of(b); });
  for (const auto i : class_of_value_) values_.push_back(value_of(i));
}

std::int32_t ClassIndex::find(std::string_view text) const {
  if (!is_numeric_) {
    const auto found = class_of_text_.find(text);
    return found == class_of_text_.end() ? -1 : found->second;
  }
  const auto value = parse_number(text);
  if (!value) return -1;
  const auto found = std::lower_bound(values_.begin(), values_.end(), *value);
  if (found == values_.end() || *found != *value) return -1;
  return class_of_value_[static_cast<std::size_t>(found - values_.begin())];
}

}  // namespace orchard::data
