#include "commands.hpp"

#include "orchard/base/error.hpp"

namespace orchard::options {

const std::vector<CommandInfo>& commands() {
  static const std::vector<CommandInfo> all = {
      {Command::kSearch,
       "search",
       {"JOB"},
       "Tries every point of the grids, then refits the best."},
      {Command::kTrain, "train", {"JOB"}, "Fits one point and writes its model."},
      {Command::kPredict, "predict", {"JOB"}, "Applies models to a table of data."},
      {Command::kPlan, "plan", {"JOB"}, "Shows what a search would do, without doing it."},
      {Command::kInspect, "inspect", {"FILE"}, "Shows a model, checkpoint or result file."},
      {Command::kCompare, "compare", {"DIR_A", "DIR_B"}, "Compares the results of two jobs."},
      {Command::kList, "list", {"[TOPIC]"}, "Lists estimators, scorers, parameters or options."},
      {Command::kHelp,
       "help",
       {"[TOPIC]"},
       "Explains a command, a section, an option, an estimator, or 'values'."},
  };
  return all;
}

const CommandInfo* find_command(const std::string& name) {
  for (const auto& each : commands()) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const auto& each : commands()) names.push_back(each.name);
  return names;
}

std::string name_of(Command command) {
  for (const auto& each : commands()) {
    if (each.command == command) return each.name;
  }
  require(command == Command::kVersion, "a command has a name");
  return "version";
}

}  // namespace orchard::options
