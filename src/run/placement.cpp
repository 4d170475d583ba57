#include "orchard/run/placement.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "orchard/base/text.hpp"

namespace orchard::run {
namespace {

/// "0-3,8" as the kernel writes lists of cores.
std::vector<int> parse_list(const std::string& text) {
  std::vector<int> cores;
  for (const auto& part : split(trim(text), ',')) {
    const auto borders = split(part, '-');
    const auto first = parse_int(borders.front()), last = parse_int(borders.back());
    if (!first || !last) continue;
    for (auto core = *first; core <= *last; ++core) cores.push_back(static_cast<int>(core));
  }
  return cores;
}

std::vector<int> common(const std::vector<int>& a, const std::vector<int>& b) {
  std::vector<int> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

}  // namespace

std::vector<std::vector<int>> numa_domains(const std::string& directory) {
  namespace fs = std::filesystem;
  std::map<std::int64_t, std::vector<int>> found;  // by the kernel's number
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(directory, none)) {
    const auto name = entry.path().filename().string();
    const auto number = name.starts_with("node") ? parse_int(name.substr(4)) : std::nullopt;
    if (!number) continue;
    std::string list;
    std::getline(std::ifstream(entry.path() / "cpulist"), list);  // its size is not told beforehand
    auto cores = parse_list(list);
    if (!cores.empty()) found[*number] = std::move(cores);
  }
  std::vector<std::vector<int>> domains;
  for (auto& [number, cores] : found) domains.push_back(std::move(cores));
  return domains;
}

std::optional<std::vector<int>> choose_domain(const CoresOfNode& node,
                                              const std::vector<std::vector<int>>& domains,
                                              int n_threads) {
  const auto& own_mask = node.masks[node.own];
  const bool is_unbound = std::all_of(node.masks.begin(), node.masks.end(),
                                      [&](const auto& mask) { return mask == own_mask; });
  std::vector<std::vector<int>> allowed;
  for (const auto& domain : domains) {
    auto cores = common(domain, own_mask);
    if (!cores.empty()) allowed.push_back(std::move(cores));
  }
  const std::size_t n_ranks = node.masks.size();
  if (!is_unbound || allowed.size() < 2 || n_ranks < allowed.size()) return std::nullopt;
  const auto domain_of = [&](std::size_t rank) { return rank * allowed.size() / n_ranks; };
  std::vector<std::size_t> n_needed(allowed.size());
  for (std::size_t rank = 0; rank < n_ranks; ++rank) {
    n_needed[domain_of(rank)] += static_cast<std::size_t>(n_threads);
  }
  for (std::size_t domain = 0; domain < allowed.size(); ++domain) {
    if (n_needed[domain] > allowed[domain].size()) return std::nullopt;
  }
  return allowed[domain_of(node.own)];
}

}  // namespace orchard::run
