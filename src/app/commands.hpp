#pragma once
// One function a command: from the command line to the exit code.

#include "orchard/comm/communicator.hpp"
#include "orchard/options/parse.hpp"

namespace orchard::app {

/// search, train. Collective.
int run_search(comm::Communicator& world, const options::CommandLine& command_line);
/// predict. Collective.
int run_predict(comm::Communicator& world, const options::CommandLine& command_line);
/// plan. Collective.
int run_plan(comm::Communicator& world, const options::CommandLine& command_line);

// Local; run by rank 0 alone.
int run_inspect(const options::CommandLine& command_line);
int run_compare(const options::CommandLine& command_line);
int run_list(const options::CommandLine& command_line);
int run_help(const options::CommandLine& command_line);

}  // namespace orchard::app
