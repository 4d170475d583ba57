#pragma once

#include <mpi.h>

namespace orchard::comm {

/// Throws kInternal with the library's text unless `code` says success. Communicators and windows
/// of ours return their errors (MPI_ERRORS_RETURN).
void check(int code, const char* call);

}  // namespace orchard::comm
