#include <sched.h>

#include <algorithm>
#include <cmath>

#include "orchard/base/cgroup.hpp"
#include "orchard/parallel/pool.hpp"

namespace orchard::parallel {
namespace {

// More cores than any kernel is configured for today (NR_CPUS <= 8192).
constexpr int kMaxCores = 1 << 15;

}  // namespace

std::vector<int> affinity_mask() {
  std::vector<int> cores;
  cpu_set_t* const mask = CPU_ALLOC(kMaxCores);
  if (mask == nullptr) return cores;
  const std::size_t n_bytes = CPU_ALLOC_SIZE(kMaxCores);
  CPU_ZERO_S(n_bytes, mask);
  if (sched_getaffinity(0, n_bytes, mask) == 0) {
    for (int core = 0; core < kMaxCores; ++core) {
      if (CPU_ISSET_S(core, n_bytes, mask)) cores.push_back(core);
    }
  }
  CPU_FREE(mask);
  return cores;
}

bool keep_to(const std::vector<int>& cores) {
  cpu_set_t* const mask = CPU_ALLOC(kMaxCores);
  if (mask == nullptr) return false;
  const std::size_t n_bytes = CPU_ALLOC_SIZE(kMaxCores);
  CPU_ZERO_S(n_bytes, mask);
  for (const int core : cores) CPU_SET_S(core, n_bytes, mask);
  const bool is_kept = sched_setaffinity(0, n_bytes, mask) == 0;
  CPU_FREE(mask);
  return is_kept;
}

int allowed_cores() {
  int n_cores = std::max(1, static_cast<int>(affinity_mask().size()));
  if (const auto quota = cgroup_cpu_quota()) {
    n_cores = std::clamp(static_cast<int>(std::ceil(std::min(*quota, 1e6))), 1, n_cores);
  }
  return n_cores;
}

}  // namespace orchard::parallel
