#include "forest/plan.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::learn {
namespace {

/// scikit-learn's count: an integer as it is, a fraction rounded, halves to the even neighbour.
std::uint64_t count_draws(const options::ForestSettings& settings, RowIndex n_train) {
  if (!settings.bootstrap || !settings.max_samples) return n_train;
  if (const auto* count = std::get_if<std::int64_t>(&*settings.max_samples)) {
    if (*count < 1 || *count > static_cast<std::int64_t>(n_train)) {
      throw Error(ErrorKind::kData, format("max_samples is {}; expected 1 to the {}", *count,
                                           counted(n_train, "training row")));
    }
    return static_cast<std::uint64_t>(*count);
  }
  const double n = std::nearbyint(std::get<double>(*settings.max_samples) * n_train);
  return static_cast<std::uint64_t>(std::clamp(n, 1.0, static_cast<double>(n_train)));
}

}  // namespace

Cut cut_of(const options::ForestSettings& settings, RowIndex n_train) {
  Cut cut;
  cut.max_depth = settings.max_depth;
  cut.min_samples_split =
      std::max<std::int64_t>(2, options::resolve_count(settings.min_samples_split, n_train));
  cut.min_impurity_decrease = settings.min_impurity_decrease;
  return cut;
}

namespace {

void set_leaf_sizes(const std::vector<options::CountOrFraction>& sizes, RowIndex n_train,
                    ForestPlan& plan) {
  require(!sizes.empty() && sizes.size() <= kMaxLeafSizes, "a family has 1 to 16 leaf sizes");
  std::vector<std::uint32_t> n_rows;
  for (const auto& size : sizes) {
    n_rows.push_back(static_cast<std::uint32_t>(
        std::max<std::int64_t>(1, options::resolve_count(size, n_train))));
  }
  plan.leaf_places.resize(sizes.size());
  std::iota(plan.leaf_places.begin(), plan.leaf_places.end(), 0);
  std::stable_sort(plan.leaf_places.begin(), plan.leaf_places.end(),
                   [&](auto a, auto b) { return n_rows[a] < n_rows[b]; });
  for (const auto place : plan.leaf_places) plan.leaf_rows.push_back(n_rows[place]);
}

}  // namespace

ForestPlan make_plan(const FitContext& context, const options::ForestSettings& settings,
                     std::vector<Cut> cuts,
                     const std::vector<options::CountOrFraction>& leaf_sizes) {
  require(!cuts.empty() && cuts.size() <= kMaxCuts, "a family has 1 to 64 cuts");
  const RowIndex n_train = context.data.train_share.n;
  if (n_train == 0) throw Error(ErrorKind::kData, "there are no training rows");
  ForestPlan plan{context, settings, std::move(cuts), {}, {}, 0, {}, {}, 1, 0};
  plan.n_draws = count_draws(settings, n_train);
  set_leaf_sizes(leaf_sizes.empty() ? std::vector{settings.min_samples_leaf} : leaf_sizes, n_train,
                 plan);
  plan.n_tried = static_cast<std::size_t>(
      settings.max_features.resolve(static_cast<std::int64_t>(context.data.n_features())));
  plan.targets = make_targets(context, settings, plan.n_draws);
  plan.value_exponent = context.schema.task == Task::kClassification
                            ? -kFractionBits
                            : plan.targets.exponent - kLeafBits;
  return plan;
}

std::uint64_t stops_before(const ForestPlan& plan, std::uint64_t cuts, bool is_pure,
                           std::size_t n_rows, std::int64_t depth) {
  if (is_pure) return cuts;
  std::uint64_t stops = 0;
  for (; cuts != 0; cuts &= cuts - 1) {
    const Cut& cut = plan.cuts[static_cast<std::size_t>(std::countr_zero(cuts))];
    const bool is_deep = cut.max_depth && depth >= *cut.max_depth;
    if (is_deep || static_cast<std::int64_t>(n_rows) < cut.min_samples_split) {
      stops |= cuts & -cuts;
    }
  }
  return stops;
}

std::uint64_t stops_below(const ForestPlan& plan, std::uint64_t cuts, double decrease) {
  std::uint64_t stops = 0;
  for (; cuts != 0; cuts &= cuts - 1) {
    const Cut& cut = plan.cuts[static_cast<std::size_t>(std::countr_zero(cuts))];
    if (decrease < cut.min_impurity_decrease) stops |= cuts & -cuts;
  }
  return stops;
}

void count_rows(const ForestPlan& plan, const TreeStart& start,
                std::vector<std::uint32_t>& multiplicity) {
  multiplicity.assign(plan.context.data.n_train(), 0);
  add_rows(plan, start, [&](RowIndex row, std::uint32_t n) { multiplicity[row] += n; });
}

}  // namespace orchard::learn
