// Commands about files and about the program itself: inspect, list, help, version.

#include <cstdio>

#include "commands.hpp"
#include "orchard/comm/communicator.hpp"
#include "orchard/store/describe.hpp"

namespace orchard::app {
namespace {

int print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  if (!text.empty() && text.back() != '\n') std::fputc('\n', stdout);
  std::fflush(stdout);
  return 0;
}

}  // namespace

int run_inspect(const options::CommandLine& command_line) {
  return print(store::describe_file(command_line.operands.at(0)));
}

int run_list(const options::CommandLine& command_line) {
  return print(
      options::list_text(command_line.operands.empty() ? "" : command_line.operands.front()));
}

int run_help(const options::CommandLine& command_line) {
  if (command_line.command == options::Command::kVersion) {
    return print(std::string("orchard ") + ORCHARD_VERSION + ", " +
                 comm::Environment::library_version());
  }
  return print(
      options::help_text(command_line.operands.empty() ? "" : command_line.operands.front()));
}

}  // namespace orchard::app
