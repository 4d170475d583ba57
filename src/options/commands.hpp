#pragma once

#include "orchard/options/parse.hpp"

namespace orchard::options {

struct CommandInfo {
  Command command;
  std::string name;
  std::vector<std::string> operands;  ///< "JOB"; "[TOPIC]" may be left out
  std::string summary;                ///< one sentence

  bool takes_job() const { return !operands.empty() && operands.front() == "JOB"; }
  std::size_t n_required() const {
    return operands.empty() || operands.front().starts_with('[') ? 0 : operands.size();
  }
};

/// All commands in the order of the help text; --version is none.
const std::vector<CommandInfo>& commands();
const CommandInfo* find_command(const std::string& name);
std::vector<std::string> command_names();
std::string name_of(Command command);

}  // namespace orchard::options
