#include "orchard/base/fault.hpp"

#include "orchard/base/env.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard {

void fault_point(std::string_view name, int rank) {
  const auto wanted = env("ORCHARD_FAULT");
  if (wanted && *wanted == format("{}@{}", name, rank)) {
    throw Error(ErrorKind::kInternal, format("fault injected at {}", name));
  }
}

}  // namespace orchard
