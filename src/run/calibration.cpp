#include "orchard/run/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "orchard/base/clock.hpp"
#include "orchard/data/binning.hpp"
#include "orchard/search/task_runner.hpp"

namespace orchard::run {
namespace {

constexpr std::int32_t kFold = 0;

class OneFold : public search::FoldSource {
 public:
  explicit OneFold(const data::BinnedData& data) : data_(data) {}
  const data::BinnedData& binned(std::int32_t, int) const override { return data_; }

 private:
  const data::BinnedData& data_;
};

/// Evenly spaced training rows, at most `n_most`, and none to test: a fit's time is what is asked.
data::Fold thinned(const data::Fold& fold, std::size_t n_most) {
  data::Fold out;
  const std::size_t n_rows = std::min(fold.train.size(), n_most);
  for (std::size_t i = 0; i < n_rows; ++i) {
    out.train.push_back(fold.train[i * fold.train.size() / n_rows]);
  }
  return out;
}

std::uint64_t bytes_of(const std::vector<model::Unit>& units) {
  std::uint64_t n_bytes = 0;
  for (const auto& unit : units) {
    for (const auto& tree : unit.packed()) {
      n_bytes += tree.n_nodes() * 29 + tree.values.size() * 8;
    }
  }
  return n_bytes;
}

/// Heaviest first, but one of each kind before a second one.
std::vector<std::size_t> by_weight(const std::vector<search::Family>& families,
                                   const search::DataShape& shape) {
  std::vector<std::size_t> order(families.size());
  std::iota(order.begin(), order.end(), 0);
  const auto cost = [&](std::size_t i) {
    return search::estimate_cost(families[i], families[i].n_units(), shape);
  };
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return cost(a) > cost(b); });
  const auto other = std::find_if(order.begin(), order.end(), [&](auto i) {
    return families[i].is_forest() != families[order.front()].is_forest();
  });
  if (other != order.end()) std::rotate(order.begin() + 1, other, other + 1);
  return order;
}

Calibration measure(const search::Family& family, const data::Table& table, const data::Fold& rows,
                    const search::DataShape& shape, std::uint64_t random_state, double budget_s,
                    parallel::Pool& pool) {
  const auto binned =
      data::bin_fold(table, rows, family.max_bins(), random_state, !family.is_forest(), pool);
  const OneFold source(binned->data);
  std::vector<search::Family> alone = {family};
  alone.front().id = 0;
  const std::vector<std::string> no_scorers;
  const search::TaskContext context{alone, table.schema, no_scorers, source, random_state, pool};
  search::TaskSpec task;
  task.fold = kFold;
  task.last_unit = static_cast<std::int32_t>(family.n_units());
  search::TaskRunner runner(context, task, {});
  double begin_s = monotonic_s();
  runner.step();
  std::size_t n_before = 0;
  double spent_s = monotonic_s() - begin_s;
  if (!runner.is_done()) {
    // The first step filled buffers and woke threads; the others are what counts.
    n_before = runner.units().size();
    begin_s = monotonic_s();
    do {
      runner.step();
      spent_s = monotonic_s() - begin_s;
    } while (!runner.is_done() && spent_s < budget_s);
  }
  // Forests have a tree of each leaf size for every unit of work.
  const std::size_t n_a_unit = runner.n_all_units() / static_cast<std::size_t>(task.last_unit);
  const auto n_units = static_cast<std::int64_t>((runner.units().size() - n_before) / n_a_unit);
  if (n_units == 0) return {};
  Calibration out;
  out.is_measured = true;
  out.time_factor = spent_s * search::thread_speedup(family, pool.n_threads()) /
                    search::estimate_cost(family, n_units, shape);
  const double nodes =
      static_cast<double>(runner.units().size() / n_a_unit) * search::expected_nodes(family, shape);
  out.size_factor = static_cast<double>(bytes_of(runner.units())) /
                    (nodes * search::bytes_a_node(family, shape, 1));
  return out;
}

}  // namespace

std::vector<Calibration> calibrate(const std::vector<search::Family>& families,
                                   const data::Table& table, const data::Fold& fold,
                                   std::uint64_t random_state, double budget_s,
                                   parallel::Pool& pool) {
  std::vector<Calibration> out(families.size());
  if (families.empty()) return out;
  search::DataShape shape{fold.train.size(), table.schema.n_features(), table.schema.n_classes(),
                          table.schema.task};
  const double end_s = monotonic_s() + budget_s;
  bool is_first = true;
  for (const auto i : by_weight(families, shape)) {
    const double left_s = end_s - monotonic_s();
    if (left_s <= 0 && !is_first) break;
    is_first = false;
    // As many rows as let a step last a quarter of the time.
    shape.n_rows = fold.train.size();
    const double step_s = search::estimate_cost(families[i], 1, shape);
    const double part = std::min(1.0, budget_s / 4 / step_s);
    const auto rows = thinned(
        fold, std::max<std::size_t>(
                  1000, static_cast<std::size_t>(part * static_cast<double>(fold.train.size()))));
    shape.n_rows = rows.train.size();
    out[i] =
        measure(families[i], table, rows, shape, random_state, std::min(0.5, left_s / 2), pool);
  }
  for (const bool is_forest : {false, true}) {
    double time = 0, size = 0;
    int n_measured = 0;
    for (std::size_t i = 0; i < families.size(); ++i) {
      if (families[i].is_forest() != is_forest || !out[i].is_measured) continue;
      time += std::log(out[i].time_factor);
      size += std::log(std::max(1e-9, out[i].size_factor));
      ++n_measured;
    }
    if (n_measured == 0) continue;
    for (std::size_t i = 0; i < families.size(); ++i) {
      if (families[i].is_forest() != is_forest || out[i].is_measured) continue;
      out[i].time_factor = std::exp(time / n_measured);
      out[i].size_factor = std::exp(size / n_measured);
    }
  }
  return out;
}

}  // namespace orchard::run
