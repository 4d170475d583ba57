#include "orchard/search/cost_scale.hpp"

namespace orchard::search {

CostScale::CostScale(const std::vector<Family>& families) : of_family_(families.size()) {
  for (const auto& family : families) is_forest_.push_back(family.is_forest());
}

void CostScale::add(std::int32_t family, double cost, double seconds) {
  const auto place = static_cast<std::size_t>(family);
  for (Known* known : {&of_family_[place], &of_kind_[is_forest_[place] ? 1 : 0], &of_all_}) {
    known->cost += cost;
    known->seconds += seconds;
  }
}

double CostScale::factor(std::int32_t family) const {
  const auto place = static_cast<std::size_t>(family);
  for (const Known* known : {&of_family_[place], &of_kind_[is_forest_[place] ? 1 : 0], &of_all_}) {
    if (known->is_known()) return known->seconds / known->cost;
  }
  return 1;
}

}  // namespace orchard::search
