#include "orchard/search/plan.hpp"

#include <algorithm>
#include <cmath>

namespace orchard::search {

std::int32_t choose_block_trees(const std::vector<Family>& families, std::int32_t n_folds,
                                int n_ranks) {
  const auto n_fits = static_cast<std::int64_t>(families.size()) * n_folds;
  if (n_ranks <= 1 || n_fits >= 4 * static_cast<std::int64_t>(n_ranks)) return 0;
  std::int64_t n_trees = 0;
  for (const auto& family : families) {
    if (family.is_forest()) n_trees += family.n_units() * n_folds;
  }
  const std::int64_t n_blocks = 8 * static_cast<std::int64_t>(n_ranks);
  return static_cast<std::int32_t>(std::max<std::int64_t>(4, (n_trees + n_blocks - 1) / n_blocks));
}

double estimate_cost(const Family& family, std::int64_t n_units, const DataShape& shape) {
  const double rows = static_cast<double>(shape.n_rows);
  const double features = static_cast<double>(shape.n_features);
  if (const auto* forest = std::get_if<options::ForestSettings>(&family.settings)) {
    double depth = std::log2(std::max(2.0, rows));
    if (forest->max_depth) depth = std::min(depth, static_cast<double>(*forest->max_depth));
    const auto tried = forest->max_features.resolve(static_cast<std::int64_t>(shape.n_features));
    const double classes = std::max<double>(1.0, static_cast<double>(shape.n_classes));
    return static_cast<double>(n_units) * rows * depth *
           (static_cast<double>(tried) + 0.2 * classes + 2.0);
  }
  const auto& boosting = std::get<options::BoostingSettings>(family.settings);
  const double leaves = static_cast<double>(boosting.max_leaf_nodes.value_or(255));
  const double outputs = shape.n_classes > 2 ? static_cast<double>(shape.n_classes) : 1.0;
  return static_cast<double>(n_units) * outputs *
         (rows * (features * 0.4 + std::log2(std::max(2.0, leaves))) + leaves * features * 255.0);
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

Plan make_plan(std::vector<Point> points, bool share_fits, std::int32_t n_folds,
               const DataShape& shape, std::int32_t block_trees) {
  Plan plan;
  plan.families = make_families(points, share_fits);
  plan.points = std::move(points);
  plan.n_folds = n_folds;
  plan.block_trees = block_trees;
  for (std::int32_t fold = 0; fold < n_folds; ++fold) {
    for (const auto& family : plan.families) {
      for (auto task : make_blocks(family, fold, block_trees)) {
        task.id = static_cast<std::int32_t>(plan.tasks.size());
        task.cost = estimate_cost(family, task.last_unit - task.first_unit, shape);
        plan.tasks.push_back(task);
      }
    }
  }
  return plan;
}

Family family_of(const Point& point) {
  Point alone = point;
  alone.id = 0;
  return make_families({alone}, false).front();
}

}  // namespace orchard::search
