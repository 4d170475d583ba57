#include "column_role.hpp"

#include <algorithm>
#include <map>

#include "csv_text.hpp"
#include "number.hpp"
#include "orchard/base/text.hpp"

namespace orchard::data {
namespace {

using Names = std::vector<std::string>;

bool holds(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string shown_header(const Names& header) {
  constexpr std::size_t kMaxShown = 400;
  std::string out = "The header holds: ";
  for (std::size_t column = 0; column < header.size(); ++column) {
    if (out.size() > kMaxShown) return out + format("... ({} in all).", header.size());
    out += (column > 0 ? ", " : "") + escape(header[column]);
  }
  return out + ".";
}

/// A name that is used for `use`, e.g. "target".
void check_known(const std::string& path, const Names& header, const std::string& name,
                 const std::string& use) {
  if (name.empty() || holds(header, name)) return;
  std::string hint = did_you_mean(name, header);
  if (std::all_of(header.begin(), header.end(), [](const auto& cell) { return is_number(cell); })) {
    hint = "The first line holds nothing but numbers: is the header missing?";
  }
  throw data_error(path, 1, format("no column '{}' for {}.", escape(name), use),
                   hint + (hint.empty() ? "" : " ") + shown_header(header));
}

void check_separator(const std::string& path, const Names& header, const ReadRequest& request) {
  if (header.size() != 1) return;
  const auto separator = header[0].find_first_of(";\t");
  if (separator == std::string::npos) return;
  if (request.schema != nullptr && request.schema->n_features() == 1 &&
      request.schema->features[0].name == header[0]) {
    return;
  }
  throw data_error(path, 1,
                   format("the header has no comma but {}.",
                          header[0][separator] == ';' ? "semicolons" : "tabs"),
                   "Cells must be separated by commas, with a point in decimal numbers.");
}

/// Names must be there and be different; with a schema only those that it wants.
void check_unique(const std::string& path, const Names& header, const ReadRequest& request) {
  std::map<std::string, std::size_t> first_column;
  const auto roles = roles_of(header, request);
  for (std::size_t column = 0; column < header.size(); ++column) {
    const auto [first, is_new] = first_column.emplace(header[column], column);
    if (request.schema != nullptr && roles[first->second] == ColumnRole::kIgnored) continue;
    if (header[column].empty()) {
      throw data_error(path, 1, format("column {} of the header has no name.", column + 1),
                       header.size() == 1 ? "" : "Was an index written with the table?");
    }
    if (!is_new) {
      throw data_error(path, 1,
                       format("columns {} and {} of the header have the same name '{}'.",
                              first->second + 1, column + 1, escape(header[column])));
    }
  }
}

/// No column may serve two uses.
void check_uses(const std::string& path, const ReadRequest& request) {
  std::map<std::string, std::string> use_of;
  const auto add = [&](const std::string& name, const std::string& use) {
    if (name.empty()) return;
    const auto [known, is_new] = use_of.emplace(name, use);
    if (!is_new && known->second != use) {
      throw data_error(
          path, 1,
          format("column '{}' is asked for as {} and as {}.", escape(name), known->second, use));
    }
  };
  add(request.target, "target");
  add(request.weight, "weight");
  add(request.fold_column, "fold_column");
  for (const auto& name : request.drop) add(name, "drop");
  for (const auto& name : request.categorical_features) add(name, "categorical feature");
}

}  // namespace

std::int32_t column_index(const Names& header, const std::string& name) {
  const auto found = std::find(header.begin(), header.end(), name);
  return found == header.end() ? -1 : static_cast<std::int32_t>(found - header.begin());
}

std::vector<ColumnRole> roles_of(const Names& header, const ReadRequest& request) {
  const bool has_schema = request.schema != nullptr;
  std::vector<ColumnRole> roles(header.size(),
                                has_schema ? ColumnRole::kIgnored : ColumnRole::kUndeclared);
  const auto set = [&](const std::string& name, ColumnRole role) {
    if (name.empty()) return;
    const auto column = column_index(header, name);
    if (column >= 0) roles[static_cast<std::size_t>(column)] = role;
  };
  if (has_schema) {
    for (const auto& feature : request.schema->features) {
      set(feature.name, feature.kind == model::FeatureKind::kNumeric ? ColumnRole::kNumeric
                                                                     : ColumnRole::kCategorical);
    }
  } else {
    for (const auto& name : request.categorical_features) set(name, ColumnRole::kCategorical);
    for (const auto& name : request.drop) set(name, ColumnRole::kIgnored);
  }
  const Task task = has_schema ? request.schema->task : request.task;
  set(request.target,
      task == Task::kClassification ? ColumnRole::kClassTarget : ColumnRole::kValueTarget);
  set(request.weight, ColumnRole::kWeight);
  set(request.fold_column, ColumnRole::kFold);
  return roles;
}

void check_names(const std::string& path, const Names& header, const ReadRequest& request) {
  check_separator(path, header, request);
  check_known(path, header, request.target, "target");
  check_known(path, header, request.weight, "weight");
  check_known(path, header, request.fold_column, "fold_column");
  if (request.schema != nullptr) {
    for (const auto& feature : request.schema->features) {
      check_known(path, header, feature.name, "a feature of the model");
    }
  } else {
    for (const auto& name : request.drop) check_known(path, header, name, "drop");
    for (const auto& name : request.categorical_features) {
      check_known(path, header, name, "categorical_features");
    }
    check_uses(path, request);
  }
  check_unique(path, header, request);
  const auto roles = roles_of(header, request);
  const bool has_feature = std::any_of(roles.begin(), roles.end(), [](ColumnRole role) {
    return role == ColumnRole::kUndeclared || role == ColumnRole::kNumeric ||
           role == ColumnRole::kCategorical;
  });
  if (!has_feature) {
    throw data_error(path, 1, "no column is left as a feature.", shown_header(header));
  }
}

}  // namespace orchard::data
