#pragma once
// What every command that works on data has: ranks, threads, and the job they agreed on.

#include <memory>
#include <string>
#include <vector>

#include "orchard/comm/communicator.hpp"
#include "orchard/options/parse.hpp"
#include "orchard/parallel/pool.hpp"
#include "orchard/run/threads.hpp"
#include "orchard/run/watchdog.hpp"

namespace orchard::app {

class Session {
 public:
  /// Rank 0 reads the job file; all ranks resolve the same text. Makes the output directory and
  /// opens run.log. Collective.
  Session(comm::Communicator world, const options::CommandLine& command_line);

  comm::Communicator& world() { return world_; }
  comm::Communicator& node() { return node_; }
  parallel::Pool& pool() { return *pool_; }
  const options::Job& job() const { return job_; }
  const run::ThreadShare& threads() const { return threads_; }
  options::Command command() const { return command_; }
  bool is_root() const { return world_.rank() == 0; }
  /// OUTPUT_DIR/file, or `file` itself when it is absolute.
  std::string output_path(const std::string& file) const;

 private:
  void open_output();
  void check_outputs() const;
  comm::Communicator world_, node_;
  options::Command command_;
  options::Job job_;
  run::ThreadShare threads_;
  std::unique_ptr<run::Watchdog> watchdog_;  // outlives the pool, whose threads beat
  std::unique_ptr<parallel::Pool> pool_;
};

/// The job of a command line, from its file, the environment and the overrides. Local.
options::Job read_job(const options::CommandLine& command_line);

}  // namespace orchard::app
