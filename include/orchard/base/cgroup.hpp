#pragma once
// The limits that control groups put on this process, versions 1 and 2.

#include <cstdint>
#include <optional>
#include <string>

namespace orchard {

/// Where the kernel shows control groups; tests point this at a folder of their own.
struct CgroupView {
  std::string membership = "/proc/self/cgroup";
  std::string mount = "/sys/fs/cgroup";
};

/// Processor time this process may use, in cores (1.5 = one and a half): the tightest quota from
/// its own group up to the root, or nothing when there is none.
std::optional<double> cgroup_cpu_quota(const CgroupView& view = {});

/// Bytes that may still be allocated: the least difference of limit and use from its own group up
/// to the root, 0 when already over; or nothing when there is no limit. Pages of the file cache
/// that the kernel can drop count as free.
std::optional<std::uint64_t> cgroup_memory_headroom(const CgroupView& view = {});

}  // namespace orchard
