#pragma once
// The estimates of cost, set right by what the first fits of a job have taken.

#include <cstdint>
#include <vector>

#include "orchard/search/family.hpp"

namespace orchard::search {

/// Seconds over estimated seconds of each family. Pure: no clock.
class CostScale {
 public:
  explicit CostScale(const std::vector<Family>& families);

  /// So much estimated cost of a family has taken so many seconds more than was known.
  void add(std::int32_t family, double cost, double seconds);
  /// As measured on the family; before that on all of its kind, forests or boosting, then on all; 1
  /// where nothing is known.
  double factor(std::int32_t family) const;

 private:
  struct Known {
    double cost = 0, seconds = 0;
    bool is_known() const { return cost > 0 && seconds > 0; }
  };
  std::vector<Known> of_family_;
  std::vector<bool> is_forest_;
  Known of_kind_[2];  ///< boosting, forests
  Known of_all_;
};

}  // namespace orchard::search
