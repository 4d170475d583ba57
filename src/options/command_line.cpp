#include <algorithm>
#include <map>

#include "boost_parser.hpp"
#include "commands.hpp"
#include "document.hpp"
#include "ini_lines.hpp"
#include "orchard/base/text.hpp"
#include "suggest.hpp"

namespace orchard::options {
namespace {

const std::vector<std::string>& flags() {
  static const std::vector<std::string> names = {"help", "version", "verbose", "quiet"};
  return names;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Numbers that plan alone takes.
struct PlanNumber {
  const char* name;
  std::optional<std::int64_t> CommandLine::*store;
};
constexpr PlanNumber kPlanNumbers[] = {{"ranks", &CommandLine::n_ranks},
                                       {"nodes", &CommandLine::n_nodes},
                                       {"cores", &CommandLine::n_cores}};

const PlanNumber* plan_number(const std::string& name) {
  for (const auto& each : kPlanNumbers) {
    if (name == each.name) return &each;
  }
  return nullptr;
}

/// "n-jobs" -> "parallel.n_jobs"; "" when it is no short form.
std::string key_of_short_form(const std::string& name) {
  for (const auto& row : table()) {
    if (!name.empty() && row.short_option == name) return row.section + "." + row.name;
  }
  return {};
}

/// Why --name is no option, or "" when it is one that takes a value.
std::string explain_option(const std::string& name) {
  if (plan_number(name) != nullptr || !key_of_short_form(name).empty()) return {};
  const auto dot = name.rfind('.');
  if (dot != std::string::npos) {
    const auto section = name.substr(0, dot), key = name.substr(dot + 1);
    const auto family = section_family(section);
    if (!family) return explain_unknown_section(section);
    auto keys = names_in(*family);
    return contains(keys, key) ? "" : explain_unknown_key(*family, section, key);
  }
  auto known = flags();
  for (const auto& each : kPlanNumbers) known.emplace_back(each.name);
  for (const auto& row : table()) {
    if (!row.short_option.empty()) known.push_back(row.short_option);
  }
  const auto near = nearest_names(name, known);
  if (!near.empty()) return format("unknown option. Did you mean --{}?", near.front());
  auto key = name;
  std::replace(key.begin(), key.end(), '-', '_');
  if (const auto ours = foreign_meaning(key); !ours.empty()) key = ours;
  for (const auto& row : table()) {
    if (row.name != key) continue;
    if (!row.short_option.empty()) {
      return format("unknown option. Did you mean --{}?", row.short_option);
    }
    const auto* sub = row.section == "grid" || row.section == "model" ? ".NAME" : "";
    return format("unknown option. Write --{}{}.{}=VALUE.", row.section, sub, row.name);
  }
  return "unknown option. Options are written --section.key=value; see 'orchard help'.";
}

/// Cuts the arguments into options and operands without guessing, and closes what
/// Boost.ProgramOptions leaves open: prefixes, an option taken as another's value, options given
/// twice, empty values, stray words.
class Scanner {
 public:
  Scanner(std::span<const std::string> arguments, Problems& problems)
      : arguments_(arguments), problems_(problems) {
    for (at_ = 0; at_ < arguments.size(); ++at_) {
      const auto& argument = arguments[at_];
      if (argument == "--") {
        operands_.insert(operands_.end(), arguments.begin() + static_cast<std::ptrdiff_t>(at_) + 1,
                         arguments.end());
        break;
      }
      if (const auto bad = find_bad_bytes(argument)) {
        report(escape(argument), *bad);
      } else if (argument.starts_with("--")) {
        scan_long(argument.substr(2));
      } else if (argument.starts_with('-') && argument.size() > 1) {
        scan_short(argument);
      } else {
        operands_.push_back(argument);
      }
    }
  }

  /// Options as --name or --name=value, each once.
  const std::vector<std::string>& options() const { return options_; }
  const std::vector<std::string>& operands() const { return operands_; }
  bool has_unknown() const { return has_unknown_; }

 private:
  void report(const std::string& where, const std::string& text) {
    problems_.add({where, static_cast<int>(at_)}, text);
  }

  void scan_long(const std::string& text) {
    const auto equals = text.find('=');
    const auto name = text.substr(0, equals);
    const auto where = "--" + escape(name);
    if (contains(flags(), name)) {
      if (equals != std::string::npos) report(where, "takes no value.");
      add(where, name, "--" + name);
      return;
    }
    if (const auto why = explain_option(name); !why.empty()) {
      has_unknown_ = true;
      report(where, why);
      if (equals == std::string::npos) skip_number();
      return;
    }
    std::string value = equals == std::string::npos ? next_value() : text.substr(equals + 1);
    if (trim(value).empty()) {
      report(where, "needs a value.");
      return;
    }
    add(where, name, "--" + name + "=" + value);
  }

  void scan_short(const std::string& argument) {
    if (argument == "-v") return add(argument, "verbose", "--verbose");
    if (argument == "-q") return add(argument, "quiet", "--quiet");
    if (argument == "-h") return add(argument, "help", "--help");
    has_unknown_ = true;
    report(escape(argument), "unknown option. One-letter options are -v, -q and -h.");
  }

  /// The next argument unless it is an option; negative numbers are values.
  std::string next_value() {
    if (at_ + 1 >= arguments_.size()) return {};
    const auto& next = arguments_[at_ + 1];
    if (next.starts_with('-') && !parse_double(next)) return {};
    ++at_;
    return next;
  }

  /// An unknown option's value is not worth a complaint of its own.
  void skip_number() {
    if (at_ + 1 < arguments_.size() && parse_double(arguments_[at_ + 1])) ++at_;
  }

  void add(const std::string& where, const std::string& name, const std::string& option) {
    auto key = key_of_short_form(name);
    if (key.empty()) key = name == "verbose" || name == "quiet" ? "job.verbose" : name;
    const auto [first, is_new] = seen_.emplace(key, where);
    if (!is_new) {
      const bool is_same = first->second == where;
      report(where, is_same ? "is given twice." : format("sets the same as {}.", first->second));
      return;
    }
    options_.push_back(option);
  }

  std::span<const std::string> arguments_;
  Problems& problems_;
  std::size_t at_ = 0;
  std::vector<std::string> options_, operands_;
  std::map<std::string, std::string> seen_;
  bool has_unknown_ = false;
};

std::vector<ParsedOption> parse_with_boost(const Scanner& scanner) {
  auto keys = file_keys();
  for (const auto& row : table()) {
    if (!row.short_option.empty()) keys.push_back(row.short_option);
  }
  for (const auto& each : kPlanNumbers) keys.emplace_back(each.name);
  const std::vector<std::string> boost_flags = {"help,h", "version", "verbose,v", "quiet,q"};
  auto tokens = scanner.options();
  tokens.emplace_back("--");
  tokens.insert(tokens.end(), scanner.operands().begin(), scanner.operands().end());
  std::vector<ParsedOption> options;
  parse_arguments_with_boost(keys, boost_flags, tokens,
                             [&](const ParsedOption& option) { options.push_back(option); });
  return options;
}

std::string usage(const CommandInfo& info) {
  return format("orchard {} {}", info.name, join(info.operands, " "));
}

void check_operands(const CommandInfo& info, const CommandLine& line, Problems& problems) {
  const Place place{"command line", kCommandLine};
  const auto n = line.operands.size();
  if (n < info.n_required()) {
    problems.add(place, format("{} needs {}: {}.", info.name, info.operands[n], usage(info)));
  }
  for (std::size_t i = info.operands.size(); i < n; ++i) {
    problems.add(place, format("unexpected '{}': {}.", escape(line.operands[i]), usage(info)));
  }
  for (const auto& operand : line.operands) {
    if (trim(operand).empty()) problems.add(place, "an empty operand.");
  }
}

void check_options(const CommandInfo& info, const CommandLine& line, Problems& problems) {
  for (const auto& each : kPlanNumbers) {
    if (line.*each.store && info.command != Command::kPlan) {
      problems.add({format("--{}", each.name), 0}, "is an option of plan only.");
    }
  }
  if (info.takes_job()) return;
  for (const auto& each : line.overrides) {
    problems.add({"--" + escape(each.key), 0}, format("{} takes no options.", info.name));
  }
}

void take_option(const ParsedOption& option, CommandLine& line, Problems& problems) {
  const auto& name = option.key;
  if (name == "verbose" || name == "quiet") {
    line.overrides.push_back({"job.verbose", name == "verbose" ? "2" : "0"});
  } else if (const auto* plan = plan_number(name)) {
    auto& number = line.*plan->store;
    number = parse_int(option.value);
    if (!number || *number < 1 || *number > 1'000'000) {
      problems.add({"--" + name, 0},
                   format("{}: expected an integer from 1 to 1000000.", escape(option.value)));
    }
  } else {
    const auto key = key_of_short_form(name);
    line.overrides.push_back({key.empty() ? name : key, option.value});
  }
}

void check_command(const std::vector<std::string>& words, bool may_be_missing, Problems& problems) {
  const Place place{"command line", kCommandLine};
  if (words.empty()) {
    if (may_be_missing) return;
    problems.add(place, format("no command. Usage: orchard COMMAND [OPERANDS] [OPTIONS]. Commands: "
                               "{}. Run 'orchard help' for more.",
                               join(command_names(), ", ")));
  } else if (find_command(words.front()) == nullptr) {
    const auto hint = did_you_mean(words.front(), command_names());
    problems.add(place, format("unknown command '{}'.{}{} Commands: {}.", escape(words.front()),
                               hint.empty() ? "" : " ", hint, join(command_names(), ", ")));
  }
}

}  // namespace

CommandLine parse_command_line(std::span<const std::string> arguments) {
  Problems problems;
  const Scanner scanner(arguments, problems);
  const auto& words = scanner.operands();
  const auto* info = words.empty() ? nullptr : find_command(words.front());
  CommandLine line;
  bool has_help = false, has_version = false;
  for (const auto& option : parse_with_boost(scanner)) {
    if (option.key.empty()) {
      line.operands.push_back(option.value);
    } else if (option.key == "help") {
      has_help = true;
    } else if (option.key == "version") {
      has_version = true;
    } else {
      take_option(option, line, problems);
    }
  }
  check_command(words, has_help || has_version, problems);
  if (has_help || has_version) {
    problems.throw_if_any();
    CommandLine request;
    request.command = has_help ? Command::kHelp : Command::kVersion;
    if (has_help && info != nullptr) request.operands = {info->name};
    return request;
  }
  if (info != nullptr) {
    line.command = info->command;
    line.operands.erase(line.operands.begin());
    if (!scanner.has_unknown()) check_operands(*info, line, problems);
    check_options(*info, line, problems);
  }
  problems.throw_if_any();
  return line;
}

}  // namespace orchard::options
