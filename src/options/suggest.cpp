#include "suggest.hpp"

#include <algorithm>

#include "foreign_names.hpp"
#include "orchard/base/text.hpp"

namespace orchard::options {
namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string brackets(const std::string& section) {
  return section == "grid" || section == "model" ? "[" + section + ".NAME]" : "[" + section + "]";
}

/// Sections other than `section` in which `name` is a key.
std::vector<std::string> homes_of(const std::string& name, const std::string& section) {
  std::vector<std::string> homes;
  for (const auto& row : table()) {
    const bool is_own = row.section == section || (section == "estimator" && row.estimators != 0);
    if (row.name == name && !is_own && !contains(homes, brackets(row.section))) {
      homes.push_back(brackets(row.section));
    }
  }
  return homes;
}

/// Keys that may stand in the section; with an estimator, only its own parameters.
std::vector<std::string> keys_of(const std::string& section, std::optional<Estimator> estimator) {
  if (!estimator) return names_in(section);
  std::vector<std::string> names = {"estimator", "like"};
  for (const auto* row : params_of(*estimator)) names.push_back(row->name);
  return names;
}

/// A parameter of other learners.
std::string explain_other_learner(const std::string& name, Estimator estimator) {
  std::vector<std::string> owners;
  for (const auto other : estimators()) {
    if (find_param(other, name) != nullptr) owners.push_back(name_of(other));
  }
  if (owners.empty()) return {};
  const std::string start = format("'{}' is not a parameter of {}.", name, name_of(estimator));
  if (name == "n_estimators") return start + " scikit-learn calls it 'max_iter'.";
  if (name == "max_iter") return start + " scikit-learn calls it 'n_estimators'.";
  return format("{} It belongs to {}.", start, join(owners, " and "));
}

std::string explain_foreign(const std::string& name, const std::string& section,
                            const std::vector<std::string>& keys,
                            std::optional<Estimator> estimator) {
  for (const auto& foreign : foreign_option_names()) {
    if (foreign.name != to_lower(name)) continue;
    const std::string start = format("'{}' is {} name.", name, foreign.owner);
    for (const auto here : foreign.here) {
      if (contains(keys, here)) return format("{} Here it is '{}'.", start, here);
    }
    if (estimator) {
      const auto text = explain_other_learner(std::string(foreign.here[0]), *estimator);
      if (!text.empty()) return start + " " + text;
    }
    for (const auto here : foreign.here) {
      const auto homes = homes_of(std::string(here), section);
      if (!homes.empty()) return format("{} Here it is '{}' in {}.", start, here, homes.front());
    }
  }
  return {};
}

std::string hint_of_other_sections(const std::string& name, const std::string& section) {
  std::vector<std::string> elsewhere;
  for (const auto& row : table()) {
    if (row.section != section && !contains(elsewhere, row.name)) elsewhere.push_back(row.name);
  }
  const auto near = nearest_names(name, elsewhere);
  if (near.empty()) return {};
  const auto homes = homes_of(near.front(), section);
  if (homes.empty()) return {};
  return format("Did you mean '{}', which belongs to {}?", near.front(), homes.front());
}

}  // namespace

std::string explain_unknown_key(const std::string& section, const std::string& shown_section,
                                const std::string& name, std::optional<Estimator> estimator) {
  const auto shown = escape(name);
  if (estimator) {
    if (auto text = explain_other_learner(name, *estimator); !text.empty()) return text;
  }
  const auto keys = keys_of(section, estimator);
  const std::string start = format("unknown key '{}' in [{}].", shown, escape(shown_section));
  if (const auto homes = homes_of(name, section); !homes.empty()) {
    return format("{} It belongs to {}.", start, join(homes, " or "));
  }
  if (auto text = explain_foreign(name, section, keys, estimator); !text.empty()) return text;
  if (const auto hint = did_you_mean(name, keys); !hint.empty()) return start + " " + hint;
  if (const auto hint = hint_of_other_sections(name, section); !hint.empty()) {
    return start + " " + hint;
  }
  return format("{} Known: {}.", start, join(keys, ", "));
}

std::string explain_unknown_section(const std::string& written) {
  const auto shown = escape(written);
  if (written == "grid" || written == "model") {
    return format("section [{}] needs a name: write [{}.NAME].", shown, shown);
  }
  const auto dot = written.find('.');
  const auto family = written.substr(0, dot);
  if (dot != std::string::npos && (family == "grid" || family == "model")) {
    return format("section [{}]: NAME in [{}.NAME] is made of letters, digits, '_' and '-'.", shown,
                  family);
  }
  std::vector<std::string> known = plain_sections();
  if (dot != std::string::npos) {
    const auto near = nearest_names(family, std::vector<std::string>{"grid", "model"});
    if (!near.empty()) {
      return format("unknown section [{}]. Did you mean [{}{}]?", shown, near.front(),
                    escape(written.substr(dot)));
    }
  }
  known.insert(known.end(), {"grid", "model"});
  const auto near = nearest_names(written, known);
  if (!near.empty()) {
    const auto& name = near.front();
    return format("unknown section [{}]. Did you mean {}?", shown, brackets(name));
  }
  std::vector<std::string> all;
  for (const auto& name : known) all.push_back(brackets(name));
  return format("unknown section [{}]. Known: {}.", shown, join(all, " "));
}

std::string foreign_value(const std::string& option, const std::string& word) {
  const std::string key = option == "refit" ? "scoring" : option;
  for (const auto& foreign : foreign_option_values()) {
    if (foreign.option == key && to_lower(foreign.word) == to_lower(word)) {
      return format("Did you mean '{}'?", foreign.here);
    }
  }
  return {};
}

std::string foreign_meaning(const std::string& name) {
  for (const auto& foreign : foreign_option_names()) {
    if (foreign.name == name) return std::string(foreign.here[0]);
  }
  return {};
}

std::vector<std::string> foreign_names() {
  std::vector<std::string> names;
  for (const auto& foreign : foreign_option_names()) names.emplace_back(foreign.name);
  return names;
}

}  // namespace orchard::options
