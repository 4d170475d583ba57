#include "node_memory.hpp"

#include <sys/mman.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>

#include "orchard/base/cgroup.hpp"
#include "orchard/base/env.hpp"
#include "orchard/base/text.hpp"
#include "orchard/comm/communicator.hpp"

namespace orchard::comm {
namespace {

constexpr const char* kSharedFolder = "/dev/shm";
/// The library adds a few pages of its own to a window.
constexpr std::uint64_t kWindowOverhead_bytes = 1 << 16;

Error refusal(std::size_t n_bytes, std::uint64_t free_bytes, const std::string& where,
              const std::string& hint) {
  return Error(ErrorKind::kResources,
               format("a block of {} ({} bytes) is needed on a node, but only {} ({} bytes) is "
                      "free there",
                      print_bytes(n_bytes), n_bytes, print_bytes(free_bytes), free_bytes),
               where, hint);
}

std::size_t mapped_bytes(std::size_t n_bytes) { return std::max<std::size_t>(n_bytes, 1); }

}  // namespace

std::optional<std::uint64_t> free_shared_bytes() {
  struct statvfs status;
  if (statvfs(kSharedFolder, &status) != 0) return std::nullopt;
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

std::optional<std::uint64_t> available_memory_bytes() {
  std::ifstream file("/proc/meminfo");
  std::string key, unit;
  std::uint64_t kibibytes = 0;
  while (file >> key >> kibibytes) {
    std::getline(file, unit);
    if (key == "MemAvailable:") return kibibytes * 1024;
  }
  return std::nullopt;
}

std::optional<Error> refuse_block(std::size_t n_bytes, bool is_window) {
  const std::uint64_t needed = n_bytes > std::numeric_limits<std::size_t>::max() / 2
                                   ? n_bytes
                                   : n_bytes + (is_window ? kWindowOverhead_bytes : 0);
  const auto shared = is_window ? free_shared_bytes() : std::nullopt;
  if (shared && *shared < needed) {
    return refusal(n_bytes, *shared, kSharedFolder,
                   "In a container make /dev/shm larger (--shm-size), or run one rank on a node "
                   "with more threads.");
  }
  const auto headroom = cgroup_memory_headroom();
  if (headroom && *headroom < needed) {
    return refusal(n_bytes, *headroom, "memory limit of the control group",
                   "Ask the scheduler for more memory on each node, or for more nodes.");
  }
  const auto available = available_memory_bytes();
  if (available && *available < needed) {
    return refusal(n_bytes, *available, "memory of the node",
                   "Use nodes with more memory, or more nodes.");
  }
  return std::nullopt;
}

std::byte* map_memory(std::size_t n_bytes) {
  void* const data = mmap(nullptr, mapped_bytes(n_bytes), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) {
    throw Error(ErrorKind::kResources,
                format("the system refused a block of {}", print_bytes(n_bytes)));
  }
  return static_cast<std::byte*>(data);
}

void unmap_memory(std::byte* data, std::size_t n_bytes) { munmap(data, mapped_bytes(n_bytes)); }

int artificial_ranks_per_node() {
  const std::string name = "ORCHARD_RANKS_PER_NODE";
  const auto text = env(name);
  if (!text) return 0;
  const auto value = parse_int(*text);
  if (!value || *value < 1 || *value > std::numeric_limits<int>::max()) {
    throw Error(ErrorKind::kUsage,
                format("expected a positive number of ranks, found '{}'", escape(*text)), name);
  }
  return static_cast<int>(*value);
}

}  // namespace orchard::comm
