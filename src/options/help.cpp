#include <algorithm>

#include "commands.hpp"
#include "document.hpp"
#include "orchard/base/text.hpp"
#include "value.hpp"
#include "value_syntax.hpp"

namespace orchard::options {
namespace {

constexpr std::size_t kWidth = 80;

/// `text` in lines of kWidth columns, each after `n_blanks` blanks.
std::string wrap(const std::string& text, std::size_t n_blanks) {
  const std::string indent(n_blanks, ' ');
  std::string out, line;
  for (const auto& word : split(text, ' ')) {
    if (!line.empty() && indent.size() + line.size() + 1 + word.size() > kWidth) {
      out += indent + line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return out + indent + line + "\n";
}

std::string describe_default(const OptionRow& row) {
  return row.default_text.empty() ? row.default_rule : row.default_text;
}

std::string describe_row(const OptionRow& row) {
  std::string text = row.help + " Expected: " + describe(row.accepts);
  if (row.accepts.is_list) text += "; several with commas";
  if (!row.unit.empty()) text += "; in " + row.unit;
  text += ".";
  if (!row.short_option.empty()) text += " Short: --" + row.short_option + ".";
  return format("  {}  (default: {})\n", row.name, describe_default(row)) + wrap(text, 6);
}

std::string help_section(const std::string& section, CommandSet commands) {
  std::string body;
  for (const auto& row : table()) {
    const bool is_here = row.section == section && row.estimators == 0;
    if (is_here && (row.commands & commands) != 0) body += describe_row(row);
  }
  if (section == "estimator" || section == "grid") {
    body += wrap("Parameters: see 'orchard help' with the name of an estimator.", 2);
  }
  if (body.empty()) return body;
  const bool has_name = section == "grid" || section == "model";
  return format("[{}{}]  {}\n", section, has_name ? ".NAME" : "", section_help(section)) + body +
         "\n";
}

std::vector<std::string> all_sections() {
  auto sections = plain_sections();
  sections.insert(sections.end(), {"grid", "model"});
  return sections;
}

std::string help_command(const CommandInfo& info) {
  std::string out = format("Usage: orchard {} {}", info.name, join(info.operands, " "));
  if (info.takes_job()) out += " [--section.key=value ...]";
  if (info.command == Command::kPlan) out += " [--ranks N] [--nodes N] [--cores N]";
  out += "\n\n" + info.summary + "\n";
  if (!info.takes_job()) return out;
  out += "\nKeys of the job file that " + info.name + " uses:\n\n";
  for (const auto& section : all_sections()) out += help_section(section, set_of(info.command));
  out.pop_back();
  return out;
}

std::string help_estimator(Estimator estimator) {
  std::string out = name_of(estimator) + "\n\n";
  for (const auto* row : params_of(estimator)) out += describe_row(*row);
  return out;
}

std::string help_general() {
  std::string out =
      "orchard trains, tunes and applies decision-tree learners as one batch job.\n\n"
      "Usage: orchard COMMAND [OPERANDS] [OPTIONS]\n\nCommands\n";
  for (const auto& info : commands()) {
    out += format("  {:<22} {}\n", info.name + " " + join(info.operands, " "), info.summary);
  }
  out += "\nOptions\n";
  out += format("  {:<22} {}\n", "--section.key=value", "Sets any key of the job file.");
  for (const auto& row : table()) {
    if (row.short_option.empty()) continue;
    out += format("  {:<22} Short for --{}.{}.\n", "--" + row.short_option + " VALUE", row.section,
                  row.name);
  }
  out += format("  {:<22} {}\n", "--ranks N", "plan: number of ranks to plan for.");
  out += format("  {:<22} {}\n", "--nodes N", "plan: number of nodes they are spread over.");
  out += format("  {:<22} {}\n", "--cores N", "plan: cores of each node.");
  out += format("  {:<22} {}\n", "-v, -q", "Print more, print less (job.verbose = 2 or 0).");
  out += format("  {:<22} {}\n", "-h, --help", "Shows this, or the help of a command.");
  out += format("  {:<22} {}\n", "--version", "Shows the version.");
  out +=
      "\nValues come from defaults, then the job file, then environment variables\n"
      "ORCHARD_SECTION__KEY, then the command line; the last one counts.\n\n"
      "Exit codes: 0 done, 1 internal error, 2 command line or job file, 3 input data,\n"
      "4 resume refused, 5 no usable checkpoint, 6 output cannot be written,\n"
      "7 resources, 75 stopped with a checkpoint: run the same command again.\n";
  return out;
}

std::string help_option(const std::string& topic) {
  const auto dot = topic.rfind('.');
  if (dot == std::string::npos) return {};
  const auto section = section_family(topic.substr(0, dot)).value_or(topic.substr(0, dot));
  const auto name = topic.substr(dot + 1);
  if (const auto* row = find_option(section, name)) return describe_row(*row);
  std::string out;
  if (section != "grid" && section != "estimator") return out;
  std::vector<const OptionRow*> shown;
  for (const auto estimator : estimators()) {
    const auto* row = find_param(estimator, name);
    if (row == nullptr || std::find(shown.begin(), shown.end(), row) != shown.end()) continue;
    shown.push_back(row);
    out += name_of(estimator) + "\n" + describe_row(*row);
  }
  return out;
}

}  // namespace

std::string value_syntax() {
  return "key = value           one key a line, a list on one line\n"
         "a, b, c               a list; quotes protect a comma: \"x, y\"\n"
         "none  true  false     words, written in small letters\n"
         "8   0.5   1e-3        an integer is a count, a real number a fraction or a size\n"
         "range(1, 10, 3)       1, 4, 7: integers, the stop is excluded\n"
         "lin(0, 1, 5)          5 values at equal distances, both ends included\n"
         "log(0.01, 1, 3)       0.01, 0.1, 1: at equal ratios, both ends included\n"
         "log2(1, 64, 4)        1, 4, 16, 64: as log, rounded to integers\n"
         "0, log(0.1, 10, 3)    lists may mix them\n"
         "# comment             at the start of a line, or after a blank\n";
}

std::string help_text(const std::string& topic) {
  if (topic.empty()) return help_general();
  if (topic == "values") return value_syntax();
  if (const auto* info = find_command(topic)) return help_command(*info);
  if (const auto estimator = find_estimator(topic)) return help_estimator(*estimator);
  const auto sections = all_sections();
  if (std::find(sections.begin(), sections.end(), topic) != sections.end()) {
    return help_section(topic, ~CommandSet{0});
  }
  if (auto text = help_option(topic); !text.empty()) return text;
  auto known = command_names();
  known.insert(known.end(), sections.begin(), sections.end());
  known.emplace_back("values");
  for (const auto estimator : estimators()) known.push_back(name_of(estimator));
  throw Error(ErrorKind::kUsage, format("there is no help on '{}'.", escape(topic)), {},
              did_you_mean(topic, known) + " Topics: " + join(known, ", ") + ", section.key.");
}

}  // namespace orchard::options
