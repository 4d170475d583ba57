#pragma once

#include "orchard/comm/communicator.hpp"

namespace orchard::testing {

/// All ranks of a test program started by mpirun (linked with main_mpi.cpp). Its waits end after
/// 20 s. Every test is run by all ranks, and ends with an agreement on its failures.
comm::Communicator mpi_world();

}  // namespace orchard::testing
