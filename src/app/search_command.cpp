#include "commands.hpp"
#include "search_job.hpp"

namespace orchard::app {

int run_search(comm::Communicator& world, const options::CommandLine& command_line) {
  Session session(world, command_line);
  return SearchJob(session).run();
}

}  // namespace orchard::app
