#include "orchard/search/plan.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>

namespace orchard::search {
namespace {

/// Every fit's tasks, fold by fold, numbered in that order.
std::vector<TaskSpec> make_tasks(const std::vector<Family>& families, std::int32_t n_folds,
                                 const DataShape& shape, const Cutting& cutting) {
  const auto n_forests =
      std::count_if(families.begin(), families.end(), [](const auto& f) { return f.is_forest(); });
  std::int64_t n_whole = n_forests * n_folds - cutting.n_fits;  // forest fits before the cut ones
  std::vector<TaskSpec> tasks;
  for (std::int32_t fold = 0; fold < n_folds; ++fold) {
    for (const auto& family : families) {
      const bool is_cut = family.is_forest() && --n_whole < 0;
      for (auto task : make_blocks(family, fold, is_cut ? cutting.block_trees : 0)) {
        task.id = static_cast<std::int32_t>(tasks.size());
        task.cost = estimate_cost(family, task.last_unit - task.first_unit, shape);
        tasks.push_back(task);
      }
    }
  }
  return tasks;
}

std::vector<double> costs_of(const std::vector<TaskSpec>& tasks) {
  std::vector<double> costs;
  for (const auto& task : tasks) costs.push_back(task.cost);
  return costs;
}

}  // namespace

double makespan(std::vector<double> costs, int n_ranks) {
  std::sort(costs.begin(), costs.end(), std::greater<>());
  std::priority_queue<double, std::vector<double>, std::greater<>> busy_until;
  for (int rank = 0; rank < n_ranks; ++rank) busy_until.push(0);
  double end = 0;
  for (const double cost : costs) {
    const double until = busy_until.top() + cost;
    busy_until.pop();
    busy_until.push(until);
    end = std::max(end, until);
  }
  return end;
}

Cutting choose_cutting(const std::vector<Family>& families, std::int32_t n_folds,
                       const DataShape& shape, int n_ranks) {
  std::int64_t n_forest_fits = 0, n_trees_a_fold = 0;
  for (const auto& family : families) {
    if (!family.is_forest()) continue;
    n_forest_fits += n_folds;
    n_trees_a_fold += family.n_units();
  }
  const auto n_fits = static_cast<std::int64_t>(families.size()) * n_folds;
  if (n_ranks <= 1 || n_forest_fits == 0 || n_fits >= 8 * std::int64_t{n_ranks}) return {};
  const std::int64_t n_trees_a_fit = n_trees_a_fold * n_folds / n_forest_fits;

  double total = 0;
  for (const auto& task : make_tasks(families, n_folds, shape, {})) total += task.cost;
  Cutting best;
  double best_end = makespan(costs_of(make_tasks(families, n_folds, shape, {})), n_ranks);
  for (std::int64_t n_cut = 1; n_cut <= n_forest_fits && best_end > 1.05 * total / n_ranks;
       n_cut += 1 + n_cut / 8) {
    const auto n_blocks = 4 * std::int64_t{n_ranks};
    const auto block_trees =
        std::max<std::int64_t>(4, (n_cut * n_trees_a_fit + n_blocks - 1) / n_blocks);
    const Cutting cutting{static_cast<std::int32_t>(n_cut), static_cast<std::int32_t>(block_trees)};
    const double end = makespan(costs_of(make_tasks(families, n_folds, shape, cutting)), n_ranks);
    if (end < best_end) {
      best = cutting;
      best_end = end;
    }
  }
  return best;
}

std::vector<TaskSpec> make_blocks(const Family& family, std::int32_t fold,
                                  std::int32_t block_trees) {
  std::vector<TaskSpec> blocks;
  const auto n_units = static_cast<std::int32_t>(family.n_units());
  if (!family.is_forest() || block_trees <= 0) {
    blocks.push_back({0, family.id, fold, 0, n_units, 0});
    return blocks;
  }
  std::int32_t begin = 0;
  for (const auto stage : family.stages) {
    const auto stage_end = static_cast<std::int32_t>(stage);
    while (begin < stage_end) {
      const auto end = std::min(stage_end, begin + block_trees);
      blocks.push_back({0, family.id, fold, begin, end, 0});
      begin = end;
    }
  }
  return blocks;
}

std::vector<TaskSpec> make_refit_blocks(const Family& family) {
  return make_blocks(
      family, kRefitFold,
      static_cast<std::int32_t>(std::max<std::int64_t>(8, (family.n_units() + 31) / 32)));
}

Plan make_plan(std::vector<Point> points, bool share_fits, std::int32_t n_folds,
               const DataShape& shape, const Cutting& cutting) {
  Plan plan;
  plan.families = make_families(points, share_fits);
  plan.points = std::move(points);
  plan.n_folds = n_folds;
  plan.cutting = cutting;
  plan.tasks = make_tasks(plan.families, n_folds, shape, cutting);
  return plan;
}

Family family_of(const Point& point) {
  Point alone = point;
  alone.id = 0;
  return make_families({alone}, false).front();
}

}  // namespace orchard::search
