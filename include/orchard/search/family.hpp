#pragma once
// Grid points that can share a fit do. A family is a set of points that differ only in settings
// whose smaller value is a prefix or a pruning of the larger, or under which most of a tree stays
// the same: one fit per fold is grown and read out at every point. docs/rules.md says which.

#include <vector>

#include "orchard/learn/boosting.hpp"
#include "orchard/learn/forest.hpp"
#include "orchard/search/point.hpp"

namespace orchard::search {

/// Where a point is read out of its family's fit.
struct Member {
  std::int32_t point = 0;
  std::int32_t stage =
      0;                 ///< forests: index into `stages`; boosting: index into `boosting_members`
  std::int32_t cut = 0;  ///< forests: index into `cut_settings`; boosting: 0
  std::int32_t leaf_size = 0;  ///< forests: index into `leaf_sizes`; boosting: 0
};

struct Family {
  std::int32_t id = 0;
  options::Estimator estimator = options::Estimator::kRandomForestClassifier;
  /// What all members share, with the greatest n_estimators or max_iter of them. What else nests is
  /// that of the first: see `cut_settings` and `boosting_members`.
  options::LearnerSettings settings;
  std::vector<Member> members;  ///< ascending by point

  // Forests.
  std::vector<std::int64_t> stages;  ///< distinct n_estimators, ascending
  /// Distinct (max_depth, min_samples_split, min_impurity_decrease), at most learn::kMaxCuts.
  std::vector<options::ForestSettings> cut_settings;
  /// Distinct min_samples_leaf, at most learn::kMaxLeafSizes. Each of them has all stages and cuts.
  std::vector<options::CountOrFraction> leaf_sizes;

  // Boosting.
  std::vector<learn::BoostingMember> boosting_members;

  bool is_forest() const { return options::is_forest(estimator); }
  /// Trees of a forest (of each leaf size), or the greatest number of rounds.
  std::int64_t n_units() const;
  int max_bins() const;
};

/// Groups points into families, in the order of their first points. Leaf sizes come together where
/// they are asked for with the same stages and cuts: none grows more than its points need. With
/// `share_fits` false every point is a family of its own.
std::vector<Family> make_families(const std::vector<Point>& points, bool share_fits);

}  // namespace orchard::search
