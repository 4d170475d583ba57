#include "orchard/run/threads.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <thread>

#include "orchard/base/cgroup.hpp"
#include "orchard/base/env.hpp"
#include "orchard/base/text.hpp"
#include "orchard/parallel/pool.hpp"
#include "orchard/run/placement.hpp"

namespace orchard::run {
namespace {

/// OMP_NUM_THREADS may be a list, a number for each level of nesting: ours is the first.
std::optional<std::int64_t> positive_number(const std::string& variable) {
  const auto text = env(variable);
  if (!text) return std::nullopt;
  const auto number = parse_int(trim(split(*text, ',').front()));
  if (!number || *number < 1) return std::nullopt;
  return number;
}

std::string binding_warning(const CoresOfNode& node) {
  const auto n_node_cores = std::thread::hardware_concurrency();
  const double fair = static_cast<double>(n_node_cores) / static_cast<double>(node.masks.size());
  if (fair < 2 || node.masks[node.own].size() > 1) return {};
  return format(
      "each rank may use one core of the {} on this node: the launcher bound it. Pass --bind-to "
      "none or --map-by slot:PE=N to mpirun.",
      n_node_cores);
}

/// The OpenMP runtime would start no more threads than this.
void cut(ThreadShare& share, std::int64_t limit, const char* variable) {
  if (share.n_threads <= limit) return;
  share.warning = format("{}={} is less than the {} threads this rank would use; using {}",
                         variable, limit, share.n_threads, limit);
  share.n_threads = static_cast<int>(limit);
}

}  // namespace

double share_of_cores(const CoresOfNode& node) {
  std::map<int, int> n_users;
  for (const auto& mask : node.masks) {
    for (const auto core : mask) ++n_users[core];
  }
  double share = 0;
  for (const auto core : node.masks[node.own]) share += 1.0 / n_users[core];
  if (node.quota) share = std::min(share, *node.quota / static_cast<double>(node.masks.size()));
  return share;
}

ThreadShare choose_threads(const CoresOfNode& node, const options::ParallelSettings& settings) {
  ThreadShare out;
  out.n_cores = share_of_cores(node);
  const auto whole = std::max<std::int64_t>(1, static_cast<std::int64_t>(out.n_cores + 1e-9));
  const auto thread_limit = positive_number("OMP_THREAD_LIMIT");
  if (settings.n_jobs) {
    const auto asked = *settings.n_jobs;
    const auto n_threads = asked > 0 ? asked : std::max<std::int64_t>(1, whole + 1 + asked);
    if (n_threads > 1 && n_threads > whole && !settings.oversubscribe) {
      throw Error(ErrorKind::kResources,
                  format("n_jobs = {} asks for more threads than the {} that this rank may use "
                         "({} on its node).",
                         asked, counted(whole, "core"), counted(node.masks.size(), "rank")),
                  "parallel.n_jobs",
                  "Lower n_jobs or the ranks per node, or insist with "
                  "--parallel.oversubscribe=true.");
    }
    if (n_threads > 1024) {
      throw Error(ErrorKind::kResources, format("n_jobs = {} is beyond 1024 threads a rank", asked),
                  "parallel.n_jobs");
    }
    if (thread_limit && n_threads > *thread_limit && asked > 0) {
      throw Error(ErrorKind::kResources,
                  format("n_jobs = {} asks for more threads than OMP_THREAD_LIMIT={} allows", asked,
                         *thread_limit),
                  "parallel.n_jobs");
    }
    out.n_threads = static_cast<int>(n_threads);
    out.origin = "n_jobs";
    if (thread_limit) cut(out, *thread_limit, "OMP_THREAD_LIMIT");
    return out;
  }
  out.n_threads = static_cast<int>(whole);
  out.origin = "share of cores";
  for (const char* variable : {"OMP_NUM_THREADS", "SLURM_CPUS_PER_TASK"}) {
    if (const auto number = positive_number(variable)) {
      out.n_threads = static_cast<int>(std::min(*number, whole));
      out.origin = variable;
      if (*number > whole) {
        out.warning = format("{}={} is more than this rank's {}; using {}", variable, *number,
                             counted(whole, "core"), whole);
      }
      if (thread_limit) cut(out, *thread_limit, "OMP_THREAD_LIMIT");
      return out;
    }
  }
  out.warning = binding_warning(node);
  if (thread_limit) cut(out, *thread_limit, "OMP_THREAD_LIMIT");
  return out;
}

ThreadShare share_threads(comm::Communicator& node, const options::ParallelSettings& settings) {
  const auto mine = parallel::affinity_mask();
  ByteWriter writer;
  writer.put(std::vector<std::int32_t>(mine.begin(), mine.end()));
  CoresOfNode cores;
  for (const auto& bytes : node.all_gather(writer.take())) {
    const auto mask = ByteReader(bytes).get_vector<std::int32_t>();
    cores.masks.emplace_back(mask.begin(), mask.end());
  }
  cores.own = static_cast<std::size_t>(node.rank());
  cores.quota = cgroup_cpu_quota();
  auto share = choose_threads(cores, settings);
  if (settings.bind_to == options::BindTo::kNuma) {
    share.domain = choose_domain(cores, numa_domains(), share.n_threads);
  }
  return share;
}

}  // namespace orchard::run
