#include "orchard/base/cgroup.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <sstream>

#include "orchard/base/text.hpp"

namespace orchard {
namespace {

/// Version 1 says "no limit" by a number near 2^63.
constexpr std::int64_t kNoLimit = std::int64_t{1} << 60;

std::optional<std::string> first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

std::optional<std::int64_t> read_number(const std::string& path) {
  const auto line = first_line(path);
  return line ? parse_int(trim(*line)) : std::nullopt;
}

/// The number after `name` in a file of "name number" lines, or 0.
std::int64_t read_named(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  std::string key;
  std::int64_t value = 0;
  while (file >> key >> value) {
    if (key == name) return value;
  }
  return 0;
}

bool lists(const std::string& controllers, const std::string& name) {
  const auto names = split(controllers, ',');
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Visits the folder of this process's group and those above it, for the version 2 tree (empty
/// `controller`) or the version 1 tree of a controller. Folders that a container hides are simply
/// not readable there.
void visit_groups(const CgroupView& view, const std::string& controller,
                  const std::function<void(const std::string& folder)>& visit) {
  std::ifstream membership(view.membership);
  for (std::string line; std::getline(membership, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool is_wanted =
        controller.empty() ? controllers.empty() : lists(controllers, controller);
    if (!is_wanted) continue;
    std::vector<std::string> roots = {view.mount + "/" + controllers,
                                      view.mount + "/" + controller};
    if (controller.empty()) roots = {view.mount, view.mount + "/unified"};
    for (const auto& root : roots) {
      std::string path = line.substr(second + 1);
      while (!path.empty() && path.back() == '/') path.pop_back();
      for (;;) {
        visit(root + path);
        if (path.empty()) break;
        path.resize(path.find_last_of('/') == std::string::npos ? 0 : path.find_last_of('/'));
      }
    }
  }
}

template <class T>
void keep_least(std::optional<T>& least, T value) {
  least = least ? std::min(*least, value) : value;
}

}  // namespace

std::optional<double> cgroup_cpu_quota(const CgroupView& view) {
  std::optional<double> quota;
  visit_groups(view, "", [&](const std::string& folder) {
    const auto line = first_line(folder + "/cpu.max");
    if (!line) return;
    std::istringstream fields(*line);
    double allowed_us = 0, period_us = 0;
    if (fields >> allowed_us >> period_us && allowed_us > 0 && period_us > 0) {
      keep_least(quota, allowed_us / period_us);
    }
  });
  visit_groups(view, "cpu", [&](const std::string& folder) {
    const auto allowed_us = read_number(folder + "/cpu.cfs_quota_us");
    const auto period_us = read_number(folder + "/cpu.cfs_period_us");
    if (!allowed_us || !period_us || *allowed_us <= 0 || *period_us <= 0) return;
    keep_least(quota, static_cast<double>(*allowed_us) / static_cast<double>(*period_us));
  });
  return quota;
}

std::optional<std::uint64_t> cgroup_memory_headroom(const CgroupView& view) {
  std::optional<std::uint64_t> headroom;
  const auto keep = [&](const std::string& folder, const char* limit_file, const char* use_file,
                        const char* cache_name) {
    const auto limit = read_number(folder + limit_file);
    const auto use = read_number(folder + use_file);
    if (!limit || !use || *limit >= kNoLimit) return;
    const auto cache = std::clamp<std::int64_t>(read_named(folder + "/memory.stat", cache_name), 0,
                                                std::max<std::int64_t>(0, *use));
    keep_least(headroom,
               static_cast<std::uint64_t>(std::max<std::int64_t>(0, *limit - (*use - cache))));
  };
  visit_groups(view, "", [&](const std::string& folder) {
    keep(folder, "/memory.max", "/memory.current", "inactive_file");
  });
  visit_groups(view, "memory", [&](const std::string& folder) {
    keep(folder, "/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_inactive_file");
  });
  return headroom;
}

}  // namespace orchard
