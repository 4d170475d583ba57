#include "orchard/search/results.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "orchard/search/search_state.hpp"

namespace orchard::search {
namespace {

/// Ranks of one scorer's means, 1 is best; equal means share the least; NaN comes last.
void rank_points(Results& results, std::size_t scorer) {
  const std::size_t n_points = results.points.size(), n_scorers = results.scorers.size();
  const auto mean = [&](std::size_t point) {
    const double value = results.mean_scores[point * n_scorers + scorer];
    return std::isnan(value) ? -std::numeric_limits<double>::infinity() : value;
  };
  std::vector<double> sorted(n_points);
  for (std::size_t point = 0; point < n_points; ++point) sorted[point] = mean(point);
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  for (std::size_t point = 0; point < n_points; ++point) {
    const auto at = std::lower_bound(sorted.begin(), sorted.end(), mean(point), std::greater<>());
    results.ranks[point * n_scorers + scorer] = static_cast<std::int32_t>(at - sorted.begin()) + 1;
  }
}

/// Share of the family's fit that a member needed, by units: what its fit time is charged with.
double share_of_units(const Family& family, const Member& member) {
  const auto all = static_cast<double>(family.n_units());
  if (family.is_forest()) {
    return static_cast<double>(family.stages[static_cast<std::size_t>(member.stage)]) / all;
  }
  const auto& own = family.boosting_members[static_cast<std::size_t>(member.stage)];
  return static_cast<double>(own.max_iter) / all;
}

void fill_scores(const Plan& plan, const Phase& phase, Results& results) {
  const std::size_t n_scorers = results.scorers.size();
  const auto n_splits = static_cast<std::size_t>(results.n_splits);
  for (const auto& family : plan.families) {
    for (std::int32_t fold = 0; fold < plan.n_folds; ++fold) {
      const auto& outcome = phase.outcome(family.id, fold);
      for (std::size_t member = 0; member < family.members.size(); ++member) {
        const auto point = static_cast<std::size_t>(family.members[member].point);
        const auto split = static_cast<std::size_t>(fold);
        const std::string& own_failure =
            outcome.scores.failures.empty() ? outcome.failure : outcome.scores.failures[member];
        auto& failure = results.points[point].failure;
        if (failure.empty()) failure = own_failure;
        const double units = share_of_units(family, family.members[member]);
        results.fit_s[point * n_splits + split] = outcome.fit_s * units;
        results.score_s[point * n_splits + split] =
            outcome.score_s / static_cast<double>(family.members.size());
        if (!own_failure.empty()) continue;
        for (std::size_t scorer = 0; scorer < n_scorers; ++scorer) {
          const auto from = member * n_scorers + scorer;
          results.split_scores[(point * n_scorers + scorer) * n_splits + split] =
              outcome.scores.scores[from];
          auto& undefined = results.points[point].undefined;
          if (undefined.empty()) undefined = outcome.scores.reasons[from];
        }
      }
    }
  }
}

}  // namespace

MeanAndStd mean_and_std(std::span<const double> values) {
  const auto n = static_cast<double>(std::max<std::size_t>(1, values.size()));
  double sum = 0;
  for (const double value : values) sum += value;
  const double mean = sum / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / n)};
}

Results make_results(const Plan& plan, const Phase& phase, const std::vector<std::string>& scorers,
                     const std::string& refit) {
  Results results;
  results.scorers = scorers;
  results.n_splits = plan.n_folds;
  results.refit = refit;
  const std::size_t n_points = plan.points.size(), n_scorers = scorers.size();
  const auto n_splits = static_cast<std::size_t>(plan.n_folds);
  for (const auto& point : plan.points) {
    results.points.push_back({point.id, point.grid, point.estimator, point.params, {}, {}});
  }
  results.split_scores.assign(n_points * n_scorers * n_splits,
                              std::numeric_limits<double>::quiet_NaN());
  results.mean_scores.resize(n_points * n_scorers);
  results.std_scores.resize(n_points * n_scorers);
  results.ranks.resize(n_points * n_scorers);
  results.fit_s.resize(n_points * n_splits);
  results.score_s.resize(n_points * n_splits);
  fill_scores(plan, phase, results);

  for (std::size_t i = 0; i < n_points * n_scorers; ++i) {
    const auto of_splits =
        mean_and_std(std::span(results.split_scores).subspan(i * n_splits, n_splits));
    results.mean_scores[i] = of_splits.mean;
    results.std_scores[i] = of_splits.std;
  }
  for (std::size_t scorer = 0; scorer < n_scorers; ++scorer) rank_points(results, scorer);

  const auto at = std::find(scorers.begin(), scorers.end(), refit);
  if (at != scorers.end()) {
    const auto scorer = static_cast<std::size_t>(at - scorers.begin());
    for (std::size_t point = 0; point < n_points && !results.best; ++point) {
      const bool is_first = results.ranks[point * n_scorers + scorer] == 1;
      if (is_first && !std::isnan(results.mean_scores[point * n_scorers + scorer])) {
        results.best = static_cast<std::int32_t>(point);
      }
    }
  }
  return results;
}

}  // namespace orchard::search
