#include "document.hpp"

#include <algorithm>

#include "boost_parser.hpp"
#include "ini_lines.hpp"
#include "orchard/base/text.hpp"
#include "suggest.hpp"

namespace orchard::options {
namespace {

Place line_place(const std::string& path, int number) {
  return {format("{}:{}", path, number), number};
}

bool is_sub_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

/// Opens [name]; nullptr when it is unknown (reported) so that its keys are passed over.
Section* open_section(const IniLine& line, Document& document, Problems& problems) {
  const auto place = line_place(document.path, line.number);
  if (!line.is_usable) return nullptr;
  const auto family = section_family(line.section);
  if (!family) {
    problems.add(place, explain_unknown_section(line.section));
    return nullptr;
  }
  if (auto* known = document.find(line.section)) {
    problems.add(place, format("section [{}] is given twice (first at line {}).", line.section,
                               known->place.order));
    return known;
  }
  return &document.sections.emplace_back(Section{line.section, *family, place, {}, {}});
}

void add_line(const IniLine& line, Document& document, Section& section, Problems& problems) {
  const auto place = line_place(document.path, line.number);
  if (!line.is_usable) {
    if (!line.key.empty()) section.broken_keys.push_back(line.key);
    return;
  }
  if (const auto* first = section.find(line.key)) {
    problems.add(place, format("'{}' is given twice in [{}] (first at line {}).", escape(line.key),
                               section.name, first->place.order));
    return;
  }
  section.lines.push_back({line.key, line.value, place, place.where});
}

/// Whether the table has the key. Keys of sub-grids depend on the estimator and are checked later.
bool is_known(const std::string& family, const std::string& key) {
  const auto keys = names_in(family);
  return family == "grid" || std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// Runs the checked lines through Boost.ProgramOptions and drops the keys it does not know.
void parse_lines(Document& document, Problems& problems) {
  std::string cleaned;
  for (const auto& section : document.sections) {
    cleaned += format("[{}]\n", section.name);
    for (const auto& line : section.lines) cleaned += format("{}={}\n", line.key, line.value);
  }
  std::vector<ParsedOption> options;
  parse_ini_with_boost(file_keys(), cleaned,
                       [&](const ParsedOption& option) { options.push_back(option); });
  auto option = options.begin();
  for (auto& section : document.sections) {
    std::vector<Written> kept;
    for (auto& line : section.lines) {
      require(option != options.end() && option->key == section.name + "." + line.key &&
                  option->value == line.value,
              "Boost.ProgramOptions reads a job file as it was checked");
      if (option->is_unregistered || !is_known(section.family, line.key)) {
        problems.add(line.place, explain_unknown_key(section.family, section.name, line.key));
      } else {
        kept.push_back(std::move(line));
      }
      ++option;
    }
    section.lines = std::move(kept);
  }
}

/// Puts one line over the file's. `section_name` exists for sub-grids and models.
void put(Written line, const std::string& section_name, Document& document, Problems& problems) {
  if (const auto bad = find_bad_bytes(line.value)) {
    problems.add(line.place, *bad);
    return;
  }
  if (trim(line.value).empty()) {
    problems.add(line.place, "needs a value.");
    return;
  }
  line.value = std::string(trim(line.value));
  const auto family = section_family(section_name);
  if (!family) {
    problems.add(line.place, explain_unknown_section(section_name));
    return;
  }
  auto* section = document.find(section_name);
  if (section == nullptr && *family != section_name) {
    std::vector<std::string> known;
    for (const auto& each : document.sections) {
      if (each.family == *family) known.push_back(each.name);
    }
    const auto hint = did_you_mean(section_name, known);
    problems.add(line.place, format("the job file has no section [{}].{}{}", section_name,
                                    hint.empty() ? "" : " ", hint));
    return;
  }
  if (!is_known(*family, line.key)) {
    problems.add(line.place, explain_unknown_key(*family, section_name, line.key));
    return;
  }
  if (section == nullptr) {
    section = &document.sections.emplace_back(Section{section_name, *family, line.place, {}, {}});
  }
  const auto at = std::find_if(section->lines.begin(), section->lines.end(),
                               [&](const Written& known) { return known.key == line.key; });
  if (at != section->lines.end()) {
    *at = std::move(line);
  } else {
    section->lines.push_back(std::move(line));
  }
}

/// "FOREST" -> "grid.forest" when the file has such a section, compared without case and with '_'
/// for '-', since variables cannot spell more.
std::string match_sub_section(const std::string& family, const std::string& variable,
                              const Document& document) {
  for (const auto& section : document.sections) {
    auto name = to_lower(section.name);
    std::replace(name.begin(), name.end(), '-', '_');
    if (name == family + "." + to_lower(variable)) return section.name;
  }
  return family + "." + to_lower(variable);
}

}  // namespace

const Written* Section::find(const std::string& key) const {
  for (const auto& line : lines) {
    if (line.key == key) return &line;
  }
  return nullptr;
}

Section* Document::find(const std::string& name) {
  for (auto& section : sections) {
    if (section.name == name) return &section;
  }
  return nullptr;
}

const Section* Document::find(const std::string& name) const {
  return const_cast<Document*>(this)->find(name);
}

Place Document::place_of(const std::string& section, const std::string& key) const {
  const auto* at = find(section);
  if (at == nullptr) return {path, kWholeFile};
  const auto* line = at->find(key);
  return line != nullptr ? line->place : at->place;
}

std::optional<std::string> section_family(const std::string& name) {
  const auto& plain = plain_sections();
  if (std::find(plain.begin(), plain.end(), name) != plain.end()) return name;
  for (const std::string family : {"grid", "model"}) {
    if (name.starts_with(family + ".") && is_sub_name(name.substr(family.size() + 1))) {
      return family;
    }
  }
  return std::nullopt;
}

Document read_document(const std::string& path, const std::string& text, Problems& problems) {
  Document document{path, {}};
  const auto lines = read_ini_lines(path, text, problems);
  if (lines.empty() && problems.is_empty()) {
    problems.add({path, 0}, "the file holds no options.");
  }
  Section* section = nullptr;
  bool is_before_sections = true;
  for (const auto& line : lines) {
    if (line.is_section) {
      section = open_section(line, document, problems);
      is_before_sections = false;
    } else if (section != nullptr) {
      add_line(line, document, *section, problems);
    } else if (is_before_sections && line.is_usable) {
      problems.add(line_place(path, line.number),
                   format("'{}' stands before any [section].", escape(line.key)));
    }
  }
  parse_lines(document, problems);
  return document;
}

void apply_environment(const std::vector<std::pair<std::string, std::string>>& environment,
                       Document& document, Problems& problems) {
  const std::string prefix = "ORCHARD_";
  int order = kEnvironment;
  for (const auto& [variable, value] : environment) {
    const bool names_an_option =
        variable.starts_with(prefix) && variable.find("__") != std::string::npos;
    if (!names_an_option) continue;
    auto section = variable.substr(prefix.size());
    const auto last = section.rfind("__");
    const auto key = to_lower(section.substr(last + 2));
    section = section.substr(0, last);
    const auto first = section.find("__");
    section = first == std::string::npos ? to_lower(section)
                                         : match_sub_section(to_lower(section.substr(0, first)),
                                                             section.substr(first + 2), document);
    put({key, value, {escape(variable), order++}, "environment"}, section, document, problems);
  }
}

void apply_overrides(const std::vector<CommandLine::Override>& overrides, Document& document,
                     Problems& problems) {
  int order = kCommandLine;
  for (const auto& each : overrides) {
    const Place place{"--" + escape(each.key), order++};
    const auto dot = each.key.rfind('.');
    if (dot == std::string::npos) {
      problems.add(place, "expected --section.key=value.");
      continue;
    }
    put({each.key.substr(dot + 1), each.value, place, "command line"}, each.key.substr(0, dot),
        document, problems);
  }
}

}  // namespace orchard::options
