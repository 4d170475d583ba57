// `orchard list`.

#include "orchard/base/text.hpp"
#include "value.hpp"

namespace orchard::options {
namespace {

std::string list_estimators() {
  std::string out;
  for (const auto estimator : estimators()) out += name_of(estimator) + "\n";
  return out;
}

std::string list_scorers() {
  std::string out;
  for (const auto& [task, noun] : {std::pair(Task::kClassification, "classifiers"),
                                   std::pair(Task::kRegression, "regressors")}) {
    for (const auto& name : scorer_choices(task)) out += format("{:<28} {}\n", name, noun);
  }
  return out;
}

std::string list_parameters() {
  std::string out;
  for (const auto estimator : estimators()) {
    out += name_of(estimator) + "\n";
    for (const auto* row : params_of(estimator)) {
      out += format("  {:<22} {:<14} {}\n", row->name, row->default_text, describe(row->accepts));
    }
  }
  return out;
}

std::string list_options() {
  std::string out;
  for (const auto& row : table()) {
    if (row.estimators != 0) continue;
    const bool has_name = row.section == "grid" || row.section == "model";
    const auto key = row.section + (has_name ? ".NAME." : ".") + row.name;
    out +=
        format("{:<36} {}\n", key, row.default_text.empty() ? row.default_rule : row.default_text);
  }
  return out;
}

}  // namespace

std::string list_text(const std::string& topic) {
  if (topic.empty()) return "estimators\nscorers\nparameters\noptions\n";
  if (topic == "estimators") return list_estimators();
  if (topic == "scorers") return list_scorers();
  if (topic == "parameters") return list_parameters();
  if (topic == "options") return list_options();
  if (topic == "options-markdown") return options_markdown();
  if (topic == "defaults") return defaults_file();
  const std::vector<std::string> known = {"estimators", "scorers", "parameters", "options"};
  throw Error(ErrorKind::kUsage, format("there is no list of '{}'.", escape(topic)), {},
              did_you_mean(topic, known) + " Lists: " + join(known, ", ") + ".");
}

}  // namespace orchard::options
