#include "orchard/run/scheduler.hpp"

#include <algorithm>

#include "coordinator.hpp"
#include "orchard/base/log.hpp"
#include "orchard/base/text.hpp"
#include "worker.hpp"

namespace orchard::run {
namespace {

/// Inside a phase the other ranks wait for messages, not in a collective: a failure that only this
/// rank has ends them all.
[[noreturn]] void end_all(comm::Communicator& world, const Error& error) {
  if (world.size() == 1) throw error;
  world.abort(error);
}

/// Tells how well the ranks were used, if there was anything to do. Collective.
void report_use(comm::Communicator& world, const RankUse& use, double wall_s) {
  ByteWriter writer;
  writer.put(use);
  double busy_s = 0, least_s = wall_s, wait_s = 0;
  for (const auto& bytes : world.gather(writer.take(), 0)) {
    const auto one = ByteReader(bytes).get<RankUse>();
    busy_s += one.busy_s();
    least_s = std::min(least_s, one.busy_s());
    wait_s = std::max(wait_s, one.longest_wait_s());
  }
  if (busy_s == 0) return;
  log::info(
      format("ranks busy {:.1f} % of {:.2f} s, the least busy {:.1f} %; longest wait for a task "
             "{:.1f} ms",
             100 * busy_s / (wall_s * world.size()), wall_s, 100 * least_s / wall_s, 1e3 * wait_s));
}

}  // namespace

PhaseEnd run_phase(comm::Communicator& world, const PhaseSetup& setup) {
  const double began_s = monotonic_s();
  RankUse use;
  auto end = PhaseEnd::kDone;
  std::optional<Error> failure;
  try {
    if (world.rank() == 0) {
      Coordinator coordinator(world, setup);
      end = coordinator.run();
      use = coordinator.use();
    } else {
      use = Worker(world, setup).run();
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
  const double wall_s = monotonic_s() - began_s;
  world.agree(failure);
  report_use(world, use, wall_s);
  ByteWriter writer;
  writer.put(end);
  return ByteReader(world.broadcast(writer.take(), 0)).get<PhaseEnd>();
}

}  // namespace orchard::run
