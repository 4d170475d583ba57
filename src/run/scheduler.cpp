#include "orchard/run/scheduler.hpp"

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

std::int64_t nanoseconds(double seconds) { return static_cast<std::int64_t>(seconds * 1e9); }

/// Tells how well the ranks were used, if there was anything to do. Collective.
void report_use(comm::Communicator& world, const RankUse& use, double wall_s) {
  const auto busy_ns = nanoseconds(use.busy_s());
  const auto all_ns = static_cast<double>(world.sum(busy_ns)) / world.size();
  const auto least_ns = static_cast<double>(world.min(busy_ns));
  const auto wait_ns = static_cast<double>(world.max(nanoseconds(use.longest_wait_s())));
  if (all_ns == 0) return;
  log::info(
      format("ranks busy {:.1f} % of {:.2f} s, the least busy {:.1f} %; longest wait for a task "
             "{:.1f} ms",
             1e-7 * all_ns / wall_s, wall_s, 1e-7 * least_ns / wall_s, 1e-6 * wait_ns));
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
