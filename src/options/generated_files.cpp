// docs/options.md and configs/defaults.cfg, made from the table.

#include "commands.hpp"
#include "orchard/base/text.hpp"
#include "value.hpp"
#include "value_syntax.hpp"

namespace orchard::options {
namespace {

std::vector<const OptionRow*> rows_of(const std::string& section) {
  std::vector<const OptionRow*> rows;
  for (const auto& row : table()) {
    if (row.section == section && row.estimators == 0) rows.push_back(&row);
  }
  return rows;
}

std::string code(const std::string& text) { return format("`{}`", text); }

std::string accepted(const OptionRow& row) {
  std::string text = describe(row.accepts);
  if (row.accepts.is_list) text += "; a list";
  if (!row.unit.empty()) text += "; " + row.unit;
  return text;
}

std::string shown_default(const OptionRow& row) {
  return row.default_text.empty() ? row.default_rule : code(row.default_text);
}

std::string commands_of(const OptionRow& row) {
  std::vector<std::string> names;
  for (const auto& info : commands()) {
    if ((row.commands & set_of(info.command)) != 0) names.push_back(info.name);
  }
  return join(names, ", ");
}

std::string markdown_section(const std::string& section) {
  const bool has_name = section == "grid" || section == "model";
  std::string out =
      format("\n## [{}{}]\n\n{}\n\n", section, has_name ? ".NAME" : "", section_help(section));
  out += "| key | value | default | used by | changes results | meaning |\n";
  out += "|---|---|---|---|---|---|\n";
  for (const auto* row : rows_of(section)) {
    auto meaning = row->help;
    if (!row->short_option.empty()) meaning += " Short: " + code("--" + row->short_option) + ".";
    out +=
        format("| {} | {} | {} | {} | {} | {} |\n", code(row->name), accepted(*row),
               shown_default(*row), commands_of(*row), row->affects_result ? "yes" : "no", meaning);
  }
  return out;
}

std::string markdown_estimator(Estimator estimator) {
  std::string out = format("\n### {}\n\n", name_of(estimator));
  out += "| parameter | value | default | meaning |\n|---|---|---|---|\n";
  for (const auto* row : params_of(estimator)) {
    out += format("| {} | {} | {} | {} |\n", code(row->name), accepted(*row),
                  code(row->default_text), row->help);
  }
  return out;
}

/// "# " before every line of a wrapped comment.
std::string comment(const std::string& text) {
  std::string out, line(1, '#');
  for (const auto& word : split(text, ' ')) {
    if (line.size() + 1 + word.size() > 98) {
      out += line + "\n";
      line.assign(1, '#');
    }
    line += " " + word;
  }
  return out + line + "\n";
}

std::string defaults_row(const OptionRow& row, bool is_active) {
  std::string out = comment(row.help + " Expected: " + accepted(row) + ".");
  if (!row.default_text.empty()) {
    return out + format("{}{} = {}\n", is_active ? "" : "# ", row.name, row.default_text);
  }
  const bool is_required = row.default_rule == "required";
  out += comment(is_required ? "Required." : "Default: " + row.default_rule + ".");
  return out + format("{}{} = {}\n", is_active && is_required ? "" : "# ", row.name, row.example);
}

std::string defaults_grid(const std::string& name, Estimator estimator, bool is_active) {
  const char* mark = is_active ? "" : "# ";
  std::string out =
      format("\n{}[grid.{}]\n{}estimator = {}\n", mark, name, mark, name_of(estimator));
  for (const auto* row : params_of(estimator)) out += defaults_row(*row, is_active);
  return out;
}

}  // namespace

std::string options_markdown() {
  std::string out =
      "# Options\n\n"
      "Made from the table of options by `orchard list options-markdown`; do not edit.\n\n"
      "A job file holds `[section]` headers and `key = value` lines. Every key can also be given\n"
      "as `--section.key=value` on the command line or as `ORCHARD_SECTION__KEY` in the\n"
      "environment. The command line counts before the environment, the environment before the\n"
      "job file, the job file before the defaults. A job can only be resumed with the same values\n"
      "of all keys that change results; the other ones may differ, but for\n"
      "`search.share_fits`, which says what fits there are.\n\n"
      "## Values\n\n```\n" +
      value_syntax() + "```\n";
  for (const auto& section : plain_sections()) {
    if (section != "estimator") out += markdown_section(section);
  }
  out += markdown_section("model") + markdown_section("grid");
  out +=
      "\nEvery other key of a sub-grid is a parameter of its estimator, with one value or a list\n"
      "of values; the sub-grid is every combination of them. Parameters not written keep their\n"
      "defaults. `[estimator]` holds parameters for all sub-grids whose estimator has them and\n"
      "that do not set them.\n\n## Parameters\n";
  for (const auto estimator : estimators()) out += markdown_estimator(estimator);
  return out;
}

std::string defaults_file() {
  std::string out =
      "# Every option at its default. Made from the table of options by 'orchard list defaults'.\n"
      "# A line that is a comment has a default that depends on others, or is for another "
      "command.\n";
  for (const auto& section : plain_sections()) {
    if (section == "estimator") continue;
    out += format("\n{}[{}]\n", comment(section_help(section)), section);
    for (const auto* row : rows_of(section)) out += defaults_row(*row, true);
  }
  out += format("\n{}[estimator]\n", comment(section_help("estimator")));
  out += format("\n{}", comment(section_help("grid")));
  out += defaults_grid("forest", Estimator::kRandomForestClassifier, true);
  out += defaults_grid("boosting", Estimator::kHistGradientBoostingClassifier, true);
  out += format("\n{}", comment("Regressors cannot share a job with classifiers."));
  out += defaults_grid("forest", Estimator::kRandomForestRegressor, false);
  out += defaults_grid("boosting", Estimator::kHistGradientBoostingRegressor, false);
  out += format("\n{}# [model.NAME]\n", comment(section_help("model")));
  for (const auto* row : rows_of("model")) out += defaults_row(*row, false);
  return out;
}

}  // namespace orchard::options
