#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <optional>

#include "commands.hpp"
#include "orchard/base/env.hpp"
#include "orchard/base/instruction_set.hpp"
#include "orchard/base/log.hpp"
#include "orchard/run/signals.hpp"

namespace {

using namespace orchard;

// Ranks that do not arrive at the end of a failed command within this time did not share the
// failure: the rank that has it then ends them.
constexpr double kAgreeOnFailure_s = 5;

// Looks of GNU OpenMP before it sleeps, about a quarter of a millisecond: waking a thread costs as
// much as the steps of a tree's small nodes, and most waits are shorter than this. It looks but
// once where a process has more threads than cores.
constexpr const char* kLooksBeforeSleep = "10000";

/// OpenMP reads its settings before main runs. Waiting threads must soon sleep, not spin on shared
/// cores: unless the user has chosen, the program starts itself once more with the settings in
/// place.
void make_waiting_threads_sleep(char** argv) {
  const auto policy = env("OMP_WAIT_POLICY");
  const bool has_looks = env("GOMP_SPINCOUNT").has_value();
  if (policy && (*policy != "passive" || has_looks)) return;
  set_env("OMP_WAIT_POLICY", "passive");
  if (!has_looks) set_env("GOMP_SPINCOUNT", kLooksBeforeSleep);
  run::hold_signals();  // what arrives in between waits for the handlers
  // By its path, for its name in lists of processes. Returns only when it fails: then threads spin,
  // and nothing else.
  std::error_code none;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", none);
  execv(path.c_str(), argv);
}

int dispatch(comm::Communicator& world, const options::CommandLine& command_line) {
  using options::Command;
  world.together([] { instruction_set(); });  // a wrong word ends the job before any work
  switch (command_line.command) {
    case Command::kSearch:
    case Command::kTrain:
      return app::run_search(world, command_line);
    case Command::kPredict:
      return app::run_predict(world, command_line);
    case Command::kPlan:
      return app::run_plan(world, command_line);
    default:
      break;
  }
  int code = 0;
  world.together([&] {
    if (world.rank() != 0) return;
    if (command_line.command == Command::kInspect) {
      code = app::run_inspect(command_line);
    } else if (command_line.command == Command::kCompare) {
      code = app::run_compare(command_line);
    } else if (command_line.command == Command::kList) {
      code = app::run_list(command_line);
    } else {
      code = app::run_help(command_line);
    }
  });
  ByteWriter writer;
  writer.put(code);
  return ByteReader(world.broadcast(writer.take(), 0)).get<int>();
}

/// Leaves together when all ranks failed alike; ends the others when only this one did.
int fail(comm::Communicator& world, const Error& error) {
  try {
    world.set_deadline(kAgreeOnFailure_s);
    world.agree(error);
  } catch (const Error& agreed) {
    if (agreed.what() != std::string(error.what()) && world.size() > 1) world.abort(error);
  }
  if (world.rank() == 0) log::error(error.what());
  return error.exit_code();
}

int execute(comm::Communicator& world, int argc, char** argv) {
  try {
    return dispatch(world,
                    options::parse_command_line(std::vector<std::string>(argv + 1, argv + argc)));
  } catch (const Error& error) {
    return fail(world, error);
  } catch (const std::bad_alloc&) {
    return fail(world, Error(ErrorKind::kResources, "out of memory"));
  } catch (const std::exception& exception) {
    return fail(world, Error(ErrorKind::kInternal, exception.what()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  make_waiting_threads_sleep(argv);
  run::install_signal_handlers();
  std::optional<comm::Environment> environment;
  try {
    environment.emplace(&argc, &argv);
  } catch (const Error& error) {
    log::error(error.what());
    return error.exit_code();
  }
  auto world = environment->world();
  log::configure(world.rank() == 0, log::Level::kInfo);
  return execute(world, argc, argv);
}
