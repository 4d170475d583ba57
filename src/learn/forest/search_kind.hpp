#pragma once
// Which split search knows a plan.

#include <cstdint>

#include "forest/classes.hpp"
#include "forest/pair.hpp"

namespace orchard::learn {

/// make.operator()<Search>() with the PairSearch or ClassSearch that suits the plan: sums in small
/// numbers where they fit, an exact judge where there is one.
template <class Make>
auto with_search_kind(const ForestPlan& plan, Make make) {
  const bool is_small = !plan.targets.has_weights && plan.n_draws < (std::uint64_t{1} << 31);
  if (plan.context.schema.task == Task::kRegression) {
    return plan.targets.has_weights ? make.template operator()<PairSearch<WeightedValues>>()
                                    : make.template operator()<PairSearch<Values>>();
  }
  using Counts = std::uint32_t;
  using Weights = std::int64_t;
  const bool is_plain_gini = plan.settings.criterion != options::Criterion::kEntropy &&
                             plan.settings.class_weight == options::ClassWeight::kNone;
  if (is_plain_gini && plan.targets.n_classes == 2) {
    return is_small ? make.template operator()<PairSearch<BinaryCounts>>()
                    : make.template operator()<PairSearch<BinaryWeights>>();
  }
  if (is_plain_gini) {
    return is_small
               ? make.template operator()<ClassSearch<Counts, ExactGini<Counts, std::int64_t>>>()
               : make.template operator()<ClassSearch<Weights, ExactGini<Weights, Int128>>>();
  }
  return is_small ? make.template operator()<ClassSearch<Counts, WeightedImpurity<Counts>>>()
                  : make.template operator()<ClassSearch<Weights, WeightedImpurity<Weights>>>();
}

}  // namespace orchard::learn
