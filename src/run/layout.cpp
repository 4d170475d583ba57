#include "orchard/run/layout.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "orchard/base/env.hpp"
#include "orchard/base/text.hpp"

namespace orchard::run {
namespace {

constexpr std::size_t kMinShareRows = 8192;
// Exchanging the sums of a split and agreeing on it takes some tenths of a millisecond on a node.
constexpr double kMinSplit_s = 0.5e-3;

std::optional<std::size_t> demanded_share_rows() {
  const std::string name = "ORCHARD_MIN_SHARE_ROWS";
  const auto text = env(name);
  if (!text) return std::nullopt;
  const auto value = parse_int(*text);
  if (!value || *value < 1) {
    throw Error(ErrorKind::kUsage,
                format("expected a positive number of rows, found '{}'", escape(*text)), name);
  }
  return static_cast<std::size_t>(*value);
}

/// Whether a split of the family's trees takes one rank, with all its threads, long enough to be
/// worth exchanging.
bool is_worth_joining(const search::Family& family, const search::DataShape& shape, int n_threads) {
  const double n_trees = static_cast<double>(search::trees_a_unit(family, shape));
  return search::estimate_cost(family, 1, shape) / search::thread_speedup(family, n_threads) >=
         kMinSplit_s * n_trees * search::expected_leaves(family, shape);
}

bool has_boosting(const std::vector<search::Family>& families) {
  return !std::all_of(families.begin(), families.end(),
                      [](const auto& f) { return f.is_forest(); });
}

std::vector<int> nodes_of_ranks(comm::Communicator& world, comm::Communicator& node) {
  ByteWriter lowest;
  lowest.put<std::int32_t>(world.rank());
  const Bytes own = node.broadcast(lowest.take(), 0);
  std::vector<int> nodes;
  for (const auto& bytes : world.all_gather(own)) {
    nodes.push_back(ByteReader(bytes).get<std::int32_t>());
  }
  return nodes;
}

}  // namespace

void check_layout(const options::ParallelSettings& settings,
                  const std::vector<search::Family>& families, int n_ranks) {
  const auto refuse = [](const std::string& reason, const char* where, const char* hint) {
    throw Error(ErrorKind::kResources, reason, where, hint);
  };
  if (settings.layout == options::Layout::kTrees && has_boosting(families)) {
    refuse("layout trees grows forests only: the rounds of boosting need each other",
           "parallel.layout", "Use layout = auto, or jobs of their own for the two kinds.");
  }
  if (settings.ranks_per_fit.value_or(1) > n_ranks) {
    refuse(format("ranks_per_fit = {}, but the job has {}", *settings.ranks_per_fit,
                  counted(n_ranks, "rank")),
           "parallel.ranks_per_fit", "Start more ranks, or lower ranks_per_fit.");
  }
}

std::vector<options::ParallelSettings> ways_to_grow(const options::ParallelSettings& settings,
                                                    int n_ranks, int n_nodes) {
  std::vector<options::ParallelSettings> ways = {settings};
  if (settings.layout != options::Layout::kAuto || n_ranks == 1) return ways;
  auto by_rows = settings;
  by_rows.layout = options::Layout::kRows;
  const int n_here = (n_ranks + n_nodes - 1) / n_nodes;
  for (int size = n_here;; size *= 2) {
    by_rows.ranks_per_fit = std::min(size, n_ranks);
    if (*by_rows.ranks_per_fit > 1) ways.push_back(by_rows);
    if (size >= n_ranks) return ways;
  }
}

std::vector<std::vector<int>> make_groups(const std::vector<int>& node_of_rank,
                                          const options::ParallelSettings& settings,
                                          std::size_t n_fits) {
  std::map<int, std::vector<int>> ranks_of_group;
  const auto n_nodes = std::set<int>(node_of_rank.begin(), node_of_rank.end()).size();
  for (std::size_t rank = 0; rank < node_of_rank.size(); ++rank) {
    const auto size = static_cast<std::size_t>(settings.ranks_per_fit.value_or(1));
    const int group = settings.ranks_per_fit ? static_cast<int>(rank / size)
                      : n_fits >= n_nodes    ? node_of_rank[rank]
                                             : 0;
    ranks_of_group[group].push_back(static_cast<int>(rank));
  }
  std::vector<std::vector<int>> groups;
  for (const auto& [group, ranks] : ranks_of_group) groups.push_back(ranks);
  return groups;
}

Layout plan_layout(std::vector<int> node_of_rank, const options::ParallelSettings& settings,
                   const std::vector<search::Family>& families, std::size_t n_fits,
                   const search::DataShape& shape, int n_threads) {
  Layout layout;
  layout.node_of_rank = std::move(node_of_rank);
  const auto n_ranks = layout.node_of_rank.size();
  check_layout(settings, families, static_cast<int>(n_ranks));
  if (settings.layout == options::Layout::kRows) {
    layout.groups = make_groups(layout.node_of_rank, settings, n_fits);
  } else if (settings.layout == options::Layout::kAuto) {
    const auto demanded = demanded_share_rows();
    const auto most =
        std::min<std::size_t>(shape.n_rows / demanded.value_or(kMinShareRows), n_ranks);
    layout.max_joined_ranks = std::max(1, static_cast<int>(most));
    for (const auto& family : families) {
      if (demanded || family.is_forest() || is_worth_joining(family, shape, n_threads)) continue;
      layout.unjoined_families.insert(family.id);
    }
  }
  return layout;
}

Layout choose_layout(comm::Communicator& world, comm::Communicator& node,
                     const options::ParallelSettings& settings,
                     const std::vector<search::Family>& families, std::size_t n_fits,
                     const search::DataShape& shape, int n_threads) {
  auto nodes = nodes_of_ranks(world, node);
  Layout layout;
  world.together([&] {
    layout = plan_layout(std::move(nodes), settings, families, n_fits, shape, n_threads);
  });
  return layout;
}

std::optional<comm::Communicator> own_group(comm::Communicator& world, const Layout& layout) {
  for (std::size_t group = 0; group < layout.groups.size(); ++group) {
    const auto& ranks = layout.groups[group];
    if (!std::binary_search(ranks.begin(), ranks.end(), world.rank())) continue;
    return world.split(static_cast<int>(group));
  }
  return std::nullopt;
}

search::Cutting choose_cutting(const options::ParallelSettings& settings,
                               const std::vector<search::Family>& families, std::int32_t n_folds,
                               const search::DataShape& shape, int n_ranks) {
  if (settings.layout == options::Layout::kReplicated) return {};
  return search::choose_cutting(families, n_folds, shape, n_ranks);
}

std::string print_ranks(const std::vector<int>& ranks) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < ranks.size();) {
    std::size_t last = i;
    while (last + 1 < ranks.size() && ranks[last + 1] == ranks[last] + 1) ++last;
    parts.push_back(last == i ? format("{}", ranks[i]) : format("{}-{}", ranks[i], ranks[last]));
    i = last + 1;
  }
  return join(parts, ", ");
}

}  // namespace orchard::run
