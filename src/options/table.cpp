#include "table.hpp"

#include <algorithm>

#include "value.hpp"

namespace orchard::options {
namespace {

bool has(EstimatorSet set, Estimator estimator) { return (set & set_of(estimator)) != 0; }

}  // namespace

const std::vector<OptionRow>& table() {
  static const std::vector<OptionRow> rows = [] {
    auto all = job_rows();
    for (const auto& part : {run_rows(), learner_rows()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    for (auto& row : all) {
      if (row.default_text.empty()) continue;
      auto reading = read_option(row, row.default_text);
      require(reading.problems.empty(), "a row accepts its own default");
      row.default_values = std::move(reading.values);
    }
    return all;
  }();
  return rows;
}

const OptionRow* find_option(const std::string& section, const std::string& name) {
  for (const auto& row : table()) {
    if (row.estimators == 0 && row.section == section && row.name == name) return &row;
  }
  return nullptr;
}

const OptionRow* find_param(Estimator estimator, const std::string& name) {
  for (const auto* row : params_of(estimator)) {
    if (row->name == name) return row;
  }
  return nullptr;
}

const std::vector<const OptionRow*>& params_of(Estimator estimator) {
  static const auto rows_of = [] {
    std::vector<std::vector<const OptionRow*>> all;
    for (const auto each : estimators()) {
      auto& rows = all.emplace_back();
      for (const auto& row : table()) {
        if (has(row.estimators, each)) rows.push_back(&row);
      }
    }
    return all;
  }();
  return rows_of.at(static_cast<std::size_t>(estimator));
}

std::vector<std::string> names_in(const std::string& section) {
  std::vector<std::string> names;
  for (const auto& row : table()) {
    const bool is_here = section == "estimator" ? row.estimators != 0 : row.section == section;
    if (is_here && std::find(names.begin(), names.end(), row.name) == names.end()) {
      names.push_back(row.name);
    }
  }
  return names;
}

const std::vector<std::string>& plain_sections() {
  static const std::vector<std::string> names = {"job",      "data",       "cv",     "search",
                                                 "parallel", "checkpoint", "output", "estimator"};
  return names;
}

std::vector<std::string> file_keys() {
  std::vector<std::string> keys;
  for (const auto& section : plain_sections()) {
    for (const auto& name : names_in(section)) keys.push_back(section + "." + name);
  }
  keys.insert(keys.end(), {"grid.*", "model.*"});
  return keys;
}

std::string section_help(const std::string& section) {
  if (section == "job") return "The job itself.";
  if (section == "data") return "What is read.";
  if (section == "cv") return "How the rows are split into folds.";
  if (section == "search") return "How points are tried and judged.";
  if (section == "parallel") return "What the job may use of the machine.";
  if (section == "checkpoint") return "How an interrupted job continues.";
  if (section == "output") return "Files that the job writes.";
  if (section == "estimator") return "Parameters shared by all sub-grids that have them.";
  if (section == "grid") return "One sub-grid a section: a learner and the values to combine.";
  if (section == "model") return "predict: one model a section.";
  require(false, "a section is known");
  return {};
}

const std::vector<Estimator>& estimators() {
  static const std::vector<Estimator> all = {
      Estimator::kRandomForestClassifier, Estimator::kRandomForestRegressor,
      Estimator::kHistGradientBoostingClassifier, Estimator::kHistGradientBoostingRegressor};
  return all;
}

std::optional<Estimator> find_estimator(const std::string& name) {
  for (const auto estimator : estimators()) {
    if (name_of(estimator) == name) return estimator;
  }
  return std::nullopt;
}

std::vector<std::string> scorer_choices(Task task) {
  if (task == Task::kClassification) {
    return {"accuracy", "balanced_accuracy", "neg_log_loss", "roc_auc", "roc_auc_ovr"};
  }
  return {"r2", "neg_root_mean_squared_error", "neg_mean_absolute_error"};
}

std::vector<std::string> scorer_choices() {
  auto names = scorer_choices(Task::kClassification);
  for (auto& name : scorer_choices(Task::kRegression)) names.push_back(std::move(name));
  return names;
}

}  // namespace orchard::options
