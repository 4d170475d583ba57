#pragma once
// What a job will do: its points, the families they share fits in, and the tasks handed to ranks.

#include <string>
#include <vector>

#include "orchard/search/cost.hpp"
#include "orchard/search/family.hpp"

namespace orchard::search {

/// The number of the refit's data among the folds.
inline constexpr std::int32_t kRefitFold = -1;

/// A piece of work for one rank: the fit of a family on a fold, or a block of that forest's trees.
struct TaskSpec {
  std::int32_t id = 0;
  std::int32_t family = 0;
  std::int32_t fold = 0;        ///< kRefitFold for the refit
  std::int32_t first_unit = 0;  ///< forests: trees [first_unit, last_unit)
  std::int32_t last_unit = 0;
  double cost = 0;  ///< estimated seconds of one thread; longest first
};

/// Which fits are handed out in blocks of trees, so that few fits keep many ranks busy: the last
/// `n_fits` forest fits in task order. Chosen for the ranks of a job's first start and kept by its
/// restarts, because task numbers go by it. Results do not depend on it.
struct Cutting {
  std::int32_t n_fits = 0;
  std::int32_t block_trees = 0;
};

struct Plan {
  std::vector<Point> points;
  std::vector<Family> families;
  std::int32_t n_folds = 0;
  Cutting cutting;
  std::vector<TaskSpec> tasks;  ///< cross-validation tasks, id = place

  std::size_t n_fits() const { return families.size() * static_cast<std::size_t>(n_folds); }
};

/// Cuts as few fits as possible so that handing tasks out longest first keeps `n_ranks` ranks busy
/// to within a twentieth, by the estimated costs.
Cutting choose_cutting(const std::vector<Family>& families, std::int32_t n_folds,
                       const DataShape& shape, int n_ranks);

Plan make_plan(std::vector<Point> points, bool share_fits, std::int32_t n_folds,
               const DataShape& shape, const Cutting& cutting);

/// Cuts the trees of one fit into blocks that also end at every stage.
std::vector<TaskSpec> make_blocks(const Family& family, std::int32_t fold,
                                  std::int32_t block_trees);

/// The tasks of a refit: of a forest, blocks whose size is a function of the job alone, so that a
/// restart on other ranks finds the same.
std::vector<TaskSpec> make_refit_blocks(const Family& family);

/// When the last of `n_ranks` ranks is done, if tasks of these costs are handed out longest first.
double makespan(std::vector<double> costs, int n_ranks);

/// A family of one point, for the refit.
Family family_of(const Point& point);

}  // namespace orchard::search
