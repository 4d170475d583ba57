#pragma once
// From command line, job file and environment to a Job.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "orchard/options/job.hpp"

namespace orchard::options {

enum class Command : std::uint8_t {
  kSearch,
  kTrain,
  kPredict,
  kPlan,
  kInspect,
  kCompare,
  kList,
  kHelp,
  kVersion
};

struct CommandLine {
  Command command = Command::kHelp;
  std::vector<std::string> operands;  ///< JOB; FILE; DIR_A DIR_B; a topic for list and help
  /// --section.key=value and the short forms, as (key, value) in the order given.
  struct Override {
    std::string key, value;
  };
  std::vector<Override> overrides;
  std::optional<std::int64_t> n_ranks;  ///< plan --ranks N
  std::optional<std::int64_t> n_nodes;  ///< plan --nodes N
  std::optional<std::int64_t> n_cores;  ///< plan --cores N: of each node
};

/// `arguments` are without the program's name. `--help` gives kHelp with the command, if any, as
/// the topic. Throws kUsage with all problems in one message: unknown command or option with the
/// nearest name, missing or surplus operands, an option given twice, an option without its value.
CommandLine parse_command_line(std::span<const std::string> arguments);

/// Reads the job file and resolves it. `text` is the file's content, `path` names it in messages.
/// `environment` holds ORCHARD_SECTION__KEY variables; names without "__" are passed over. Reports
/// every problem of the file at once, one line each ("path:line: ..."), as one kUsage error. Which
/// keys are required depends on `command`. Local; only rank 0 needs to read the file itself.
Job parse_job(Command command, const std::string& path, const std::string& text,
              const std::vector<CommandLine::Override>& overrides,
              const std::vector<std::pair<std::string, std::string>>& environment);

/// Help texts and generated files, all made from the option table; each ends with a line feed.
/// Throws kUsage, with the nearest topic, for an unknown one.
/// Topics of help: "" | a command | a section | section.key | an estimator | values.
std::string help_text(const std::string& topic);
std::string options_markdown();  ///< docs/options.md
std::string defaults_file();     ///< configs/defaults.cfg
/// estimators | scorers | parameters | options; for programs, options-markdown | defaults, which
/// are options_markdown() and defaults_file(). "" lists the topics.
std::string list_text(const std::string& topic);

}  // namespace orchard::options
