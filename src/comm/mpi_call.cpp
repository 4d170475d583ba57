#include "mpi_call.hpp"

#include <string>

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::comm {

void check(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw Error(ErrorKind::kInternal,
              format("{} failed: {}", call, std::string(text, static_cast<std::size_t>(length))));
}

}  // namespace orchard::comm
