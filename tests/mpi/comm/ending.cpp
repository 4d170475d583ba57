// A program that ends in the way its argument says.

#include <cstdio>
#include <exception>
#include <string>

#include "orchard/base/clock.hpp"
#include "orchard/comm/communicator.hpp"

namespace {

using orchard::Error;
using orchard::ErrorKind;
using orchard::comm::Communicator;

int end_agreed(Communicator world) {
  try {
    world.together([&] {
      if (world.rank() == 1) throw Error(ErrorKind::kData, "row 1 of a table");
    });
  } catch (const Error& error) {
    if (world.rank() == 0) std::fprintf(stderr, "rank 0: %s\n", error.what());
    return error.exit_code();
  }
  return 0;
}

int end_by_deadline(Communicator world) {
  if (world.rank() == 1) {
    orchard::sleep_s(30);
    return 0;
  }
  world.set_deadline(0.3);
  try {
    world.barrier();
  } catch (const Error& error) {
    world.abort(error);
  }
  return 0;
}

int run(const std::string& ending, Communicator world) {
  if (ending == "agreed") return end_agreed(world);
  if (ending == "abort" && world.rank() == 1) {
    world.abort(Error(ErrorKind::kResources, "too large"));
  }
  if (ending == "deadline") return end_by_deadline(world);
  // Unwinds past the environment, on all ranks.
  if (ending == "unwound") throw Error(ErrorKind::kResume, "changed");
  if (ending == "memory_left") {
    const auto memory = world.split_by_node().allocate_shared(1 << 20);
    memory.data[world.rank()] = std::byte{1};
    world.send((world.rank() + 1) % world.size(), 1, orchard::Bytes(10));
  }
  world.barrier();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    orchard::comm::Environment environment(&argc, &argv);
    return run(argc > 1 ? argv[1] : "well", environment.world());
  } catch (const Error& error) {
    return error.exit_code();
  }
}
