#include "orchard/run/threads.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <thread>

#include "orchard/base/env.hpp"
#include "orchard/base/text.hpp"
#include "orchard/parallel/pool.hpp"

namespace orchard::run {
namespace {

/// This rank's part of the cores: each core counts 1 / (ranks that may use it), and the ranks of a
/// node share a cgroup quota evenly.
double share_of_cores(comm::Communicator& node) {
  const auto mine = parallel::affinity_mask();
  ByteWriter writer;
  writer.put(std::vector<std::int32_t>(mine.begin(), mine.end()));
  std::map<std::int32_t, int> n_users;
  for (const auto& bytes : node.all_gather(writer.take())) {
    for (const auto core : ByteReader(bytes).get_vector<std::int32_t>()) ++n_users[core];
  }
  double share = 0;
  for (const auto core : mine) share += 1.0 / std::max(1, n_users[core]);
  const double quota = static_cast<double>(parallel::allowed_cores());
  if (quota < static_cast<double>(mine.size())) {
    share = std::min(share, quota / static_cast<double>(node.size()));
  }
  return share;
}

std::optional<std::int64_t> positive_number(const std::string& variable) {
  const auto text = env(variable);
  if (!text) return std::nullopt;
  const auto number = parse_int(trim(*text));
  if (!number || *number < 1) return std::nullopt;
  return number;
}

std::string binding_warning(const comm::Communicator& node, double share) {
  const auto n_node_cores = std::thread::hardware_concurrency();
  const double fair = static_cast<double>(n_node_cores) / node.size();
  if (share >= 1.5 || fair < 2 || parallel::affinity_mask().size() > 1) return {};
  return format(
      "each rank may use one core of the {} on this node: the launcher bound it. Pass --bind-to "
      "none or --map-by slot:PE=N to mpirun.",
      n_node_cores);
}

}  // namespace

ThreadShare share_threads(comm::Communicator& node, const options::ParallelSettings& settings) {
  ThreadShare out;
  out.n_cores = share_of_cores(node);
  const auto whole = std::max<std::int64_t>(1, static_cast<std::int64_t>(out.n_cores + 1e-9));
  if (settings.n_jobs) {
    const auto asked = *settings.n_jobs;
    const auto n_threads = asked > 0 ? asked : std::max<std::int64_t>(1, whole + 1 + asked);
    if (n_threads > 1 && n_threads > whole && !settings.oversubscribe) {
      throw Error(
          ErrorKind::kResources,
          format("n_jobs = {} asks for more threads than the {} core{} that this rank may "
                 "use ({} rank{} on its node).",
                 asked, whole, whole == 1 ? "" : "s", node.size(), node.size() == 1 ? "" : "s"),
          "parallel.n_jobs",
          "Lower n_jobs or the ranks per node, or insist with "
          "--parallel.oversubscribe=true.");
    }
    if (n_threads > 1024) {
      throw Error(ErrorKind::kResources, format("n_jobs = {} is beyond 1024 threads a rank", asked),
                  "parallel.n_jobs");
    }
    out.n_threads = static_cast<int>(n_threads);
    out.origin = "n_jobs";
    return out;
  }
  out.n_threads = static_cast<int>(whole);
  out.origin = "share of cores";
  for (const char* variable : {"OMP_NUM_THREADS", "SLURM_CPUS_PER_TASK"}) {
    if (const auto number = positive_number(variable)) {
      out.n_threads = static_cast<int>(std::min(*number, whole));
      out.origin = variable;
      if (*number > whole) {
        out.warning = format("{}={} is more than this rank's {} core{}; using {}", variable,
                             *number, whole, whole == 1 ? "" : "s", whole);
      }
      return out;
    }
  }
  out.warning = binding_warning(node, out.n_cores);
  return out;
}

}  // namespace orchard::run
