#include <mpi.h>

#include <exception>
#include <utility>

#include "mpi_backend.hpp"
#include "mpi_call.hpp"
#include "orchard/base/env.hpp"
#include "orchard/base/text.hpp"

namespace orchard::comm {
namespace {

#ifdef ORCHARD_SIMULATION
/// SimGrid's SMPI reports no more than this, and its ranks have one thread each.
constexpr int kThreadLevel = MPI_THREAD_SINGLE;
#else
constexpr int kThreadLevel = MPI_THREAD_FUNNELED;
#endif

/// A launcher that speaks to MPI libraries leaves one of these. Open MPI's mpirun, Hydra and
/// Slurm's pmi2, anything with PMIx, and SimGrid's smpirun.
bool is_launched() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMIX_RANK", "SMPI_GLOBAL_SIZE"}) {
    if (env(name)) return true;
  }
  return false;
}

/// A Slurm step of several tasks in which each task sees a world of its own. The allocation's task
/// count (SLURM_NTASKS) says nothing: a batch script that runs the program directly has it too.
void refuse_lonely_tasks() {
  const auto n_tasks = parse_int(env("SLURM_STEP_NUM_TASKS").value_or(""));
  const bool is_step = env("SLURM_STEP_ID") && env("SLURM_PROCID");
  if (!is_step || !n_tasks || *n_tasks <= 1 || env("OMPI_COMM_WORLD_SIZE")) return;
  throw Error(
      ErrorKind::kResources,
      format("Slurm started {} tasks, but each of them sees an MPI world of one rank", *n_tasks),
      "", "Start them with `srun --mpi=pmix`, or with mpirun inside the batch script.");
}

std::size_t piece_bytes() {
  constexpr std::size_t kDefault = std::size_t{1} << 30;
  const auto text = env("ORCHARD_PIECE_BYTES");
  if (!text) return kDefault;
  const auto value = parse_int(*text);
  if (!value || *value < 1 || *value > static_cast<std::int64_t>(kDefault)) {
    throw Error(ErrorKind::kUsage,
                format("expected a number of bytes up to {}, found '{}'", kDefault, escape(*text)),
                "ORCHARD_PIECE_BYTES");
  }
  return static_cast<std::size_t>(*value);
}

int world_size() {
  int size = 1;
  check(MPI_Comm_size(MPI_COMM_WORLD, &size), "MPI_Comm_size");
  return size;
}

}  // namespace

Environment::Environment(int* argc, char*** argv) {
  if (!is_launched()) {
    refuse_lonely_tasks();
    world_ = make_self_backend();
    return;
  }
  auto context = std::make_shared<MpiContext>();
  context->piece_bytes = piece_bytes();
  int granted = MPI_THREAD_SINGLE;
  check(MPI_Init_thread(argc, argv, kThreadLevel, &granted), "MPI_Init_thread");
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  if (granted < kThreadLevel) {
    throw Error(ErrorKind::kResources, "the MPI library does not grant MPI_THREAD_FUNNELED", "",
                "Use an MPI library built with thread support.");
  }
  if (world_size() == 1) refuse_lonely_tasks();
  world_ = MpiBackend::make_world(std::move(context));
  is_initialised_ = true;
}

Environment::~Environment() {
  if (!is_initialised_ || std::uncaught_exceptions() > 0) return;
  auto& world = static_cast<MpiBackend&>(*world_);
  if (world.is_broken()) return;
  try {
    world.leave();
  } catch (const std::exception& error) {
    world.abort(Error(ErrorKind::kInternal, error.what()));
  }
  MPI_Finalize();
}

Communicator Environment::world() { return Communicator(world_); }

std::string Environment::library_version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0;
  if (MPI_Get_library_version(text, &length) != MPI_SUCCESS) return "none";
  return std::string(
      trim(split(std::string(text, static_cast<std::size_t>(length)), '\n').front()));
}

}  // namespace orchard::comm
