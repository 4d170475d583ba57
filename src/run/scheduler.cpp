#include "orchard/run/scheduler.hpp"

#include "coordinator.hpp"
#include "worker.hpp"

namespace orchard::run {
namespace {

/// Inside a phase the other ranks wait for messages, not in a collective: a failure that only this
/// rank has ends them all.
[[noreturn]] void end_all(comm::Communicator& world, const Error& error) {
  if (world.size() == 1) throw error;
  world.abort(error);
}

}  // namespace

PhaseEnd run_phase(comm::Communicator& world, const PhaseSetup& setup) {
  auto end = PhaseEnd::kDone;
  std::optional<Error> failure;
  try {
    if (world.rank() == 0) {
      end = Coordinator(world, setup).run();
    } else {
      Worker(world, setup.tasks).run();
    }
  } catch (const Error& error) {
    // A checkpoint that cannot be written at a stop is found after the phase's end was sent.
    if (error.kind() != ErrorKind::kOutput) end_all(world, error);
    failure = error;
  } catch (const std::bad_alloc&) {
    end_all(world, Error(ErrorKind::kResources, "out of memory while growing a fit"));
  } catch (const std::exception& exception) {
    end_all(world, Error(ErrorKind::kInternal, exception.what()));
  }
  world.agree(failure);
  ByteWriter writer;
  writer.put(end);
  return ByteReader(world.broadcast(writer.take(), 0)).get<PhaseEnd>();
}

}  // namespace orchard::run
