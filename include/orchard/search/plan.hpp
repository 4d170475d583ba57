#pragma once
// What a job will do: its points, the families they share fits in, and the tasks handed to ranks.

#include <string>
#include <vector>

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
  double cost = 0;  ///< relative; longest first
};

struct DataShape {
  std::uint64_t n_rows = 0, n_features = 0, n_classes = 0;
  Task task = Task::kClassification;
};

struct Plan {
  std::vector<Point> points;
  std::vector<Family> families;
  std::int32_t n_folds = 0;
  /// Trees of a forest's block: 0 keeps every fit whole. Chosen for the ranks of the first start
  /// and kept by restarts; results do not depend on it.
  std::int32_t block_trees = 0;
  std::vector<TaskSpec> tasks;  ///< cross-validation tasks, id = place

  std::size_t n_fits() const { return families.size() * static_cast<std::size_t>(n_folds); }
};

/// Trees of a block so that `n_ranks` ranks find enough tasks of like size: 0 (whole fits) when
/// there are at least four fits a rank.
std::int32_t choose_block_trees(const std::vector<Family>& families, std::int32_t n_folds,
                                int n_ranks);

Plan make_plan(std::vector<Point> points, bool share_fits, std::int32_t n_folds,
               const DataShape& shape, std::int32_t block_trees);

/// Cuts the trees of one fit into blocks that also end at every stage.
std::vector<TaskSpec> make_blocks(const Family& family, std::int32_t fold,
                                  std::int32_t block_trees);

/// Cost of a task in arbitrary units, comparable between learners.
double estimate_cost(const Family& family, std::int64_t n_units, const DataShape& shape);

/// A family of one point, for the refit.
Family family_of(const Point& point);

}  // namespace orchard::search
