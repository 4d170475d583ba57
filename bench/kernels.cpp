// The inner loops one by one, for every instruction set of this processor.
//
// usage: kernels [--benchmark_filter=REGEX] ...      (Google Benchmark's options)
//
// Arguments in the names: instruction set (0 baseline, 1 AVX2, 2 AVX-512), threads, and the share
// of the rows in the node in per mille where it matters. `s/item` is seconds for one item: a (row,
// feature) of histograms and binning, a row of gradients, partitions and predictions, a (feature,
// bin) of the split search. Bytes are what the loop must read and write, once.

#include <benchmark/benchmark.h>

#include <memory>
#include <optional>

#include "bench_table.hpp"
#include "boosting/gradients.hpp"
#include "boosting/histogram.hpp"
#include "boosting/rows.hpp"
#include "boosting/split.hpp"
#include "fitting.hpp"
#include "orchard/base/instruction_set.hpp"
#include "orchard/run/predict.hpp"

namespace orchard::bench {
namespace {

using namespace learn::boosting;

constexpr RowIndex kRows = 500'000;
constexpr std::size_t kFeatures = 28;

const BenchTable& table() {
  static const BenchTable drawn = draw_table(kRows, 0, kFeatures);
  return drawn;
}

/// What the arguments of a benchmark stand for, for as long as it runs.
struct Setting {
  explicit Setting(const benchmark::State& state)
      : set(static_cast<InstructionSet>(state.range(0))), pool(static_cast<int>(state.range(1))) {}
  ScopedInstructionSet set;
  parallel::Pool pool;
};

const data::BinnedData& binned() {
  static const auto owned = [] {
    parallel::Pool pool(1);
    return data::bin_fold(table().table, BenchTable::rows(0, kRows), kMaxBins, 1, true, pool);
  }();
  return owned->data;
}

void count(benchmark::State& state, double n_items, double n_bytes) {
  using benchmark::Counter;
  state.counters["s/item"] =
      Counter(n_items, Counter::kIsIterationInvariantRate | Counter::kInvert);
  state.SetBytesProcessed(static_cast<std::int64_t>(n_bytes) * state.iterations());
}

/// The rows of one boosting fit, in their first round.
struct Round {
  explicit Round(parallel::Pool& pool) {
    rows.fit.resize(kRows);
    for (RowIndex row = 0; row < kRows; ++row) rows.fit[row] = row;
    raw.assign(kRows, 0);
    maker.emplace(LossKind::kBinary, 1, 0x1p-44, table().table.target, rows, Precision::kAuto,
                  pool);
    maker->begin_round(raw);
    gradients = maker->quantise(0);
    partition.emplace(rows.fit, pool.n_threads());
  }
  TrainingRows rows;
  std::vector<std::int64_t> raw;
  std::optional<GradientMaker> maker;
  QuantisedGradients gradients;
  std::optional<RowPartition> partition;
};

/// Bins up to `per_mille` of the rows of a uniform column.
BinSet left_bins(std::int64_t per_mille) {
  BinSet set{};
  for (int bin = 0; bin < kMaxBins * per_mille / 1000; ++bin) insert(set, bin);
  return set;
}

Segments left_of(const Segments& segments, const std::vector<std::uint32_t>& borders) {
  Segments out = segments;
  for (std::size_t part = 0; part < out.size(); ++part) out[part].end = borders[part];
  return out;
}

void histogram(benchmark::State& state) {
  Setting setting(state);
  Round round(setting.pool);
  const HistogramLayout layout(*binned().binning);
  HistogramBuilder builder(binned(), layout, *round.partition, setting.pool);
  Histogram out(layout.n_slots());
  Segments node = round.partition->reset(Hands(setting.pool));
  if (state.range(2) < 1000) {
    node = left_of(node, round.partition->split(node, binned().column(9), left_bins(state.range(2)),
                                                Hands(setting.pool)));
  }
  for (auto _ : state) {
    builder.build(round.gradients, node, out, Hands(setting.pool));
    benchmark::DoNotOptimize(out.data());
  }
  const double n = n_rows(node);
  count(state, n * kFeatures, n * (32 + 8 + 4));
}

void gradients(benchmark::State& state) {
  Setting setting(state);
  Round round(setting.pool);
  for (auto _ : state) {
    round.maker->begin_round(round.raw);
    benchmark::DoNotOptimize(round.maker->quantise(0).packed);
  }
  count(state, kRows, kRows * (8.0 + 8 + 8));
}

void partition(benchmark::State& state) {
  Setting setting(state);
  Round round(setting.pool);
  const BinSet half = left_bins(state.range(2));
  for (auto _ : state) {
    state.PauseTiming();
    const Segments root = round.partition->reset(Hands(setting.pool));
    state.ResumeTiming();
    benchmark::DoNotOptimize(
        round.partition->split(root, binned().column(9), half, Hands(setting.pool)).data());
  }
  count(state, kRows, kRows * (1.0 + 4 + 4));
}

void split_search(benchmark::State& state) {
  Setting setting(state);
  Round round(setting.pool);
  const HistogramLayout layout(*binned().binning);
  HistogramBuilder builder(binned(), layout, *round.partition, setting.pool);
  Histogram sums(layout.n_slots());
  builder.build(round.gradients, round.partition->reset(Hands(setting.pool)), sums,
                Hands(setting.pool));
  NodeSums node{{}, kRows};
  for (int bin = 0; bin < binned().binning->features[0].n_slots(); ++bin) {
    node.total += sums[layout.offset(0) + static_cast<std::size_t>(bin)];
  }
  const auto rules = split_rules(round.gradients, 0, 20);
  for (auto _ : state) {
    for (std::size_t f = 0; f < kFeatures; ++f) {
      benchmark::DoNotOptimize(best_split(binned().binning->features[f],
                                          sums.data() + layout.offset(f), node, rules, nullptr));
    }
  }
  count(state, static_cast<double>(layout.n_slots()),
        static_cast<double>(layout.n_slots() * sizeof(Sums)));
}

/// Cut points and both copies of the bins.
void binning(benchmark::State& state) {
  Setting setting(state);
  const auto fold = BenchTable::rows(0, kRows);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        data::bin_fold(table().table, fold, kMaxBins, 1, true, setting.pool).get());
  }
  count(state, static_cast<double>(kRows) * kFeatures, static_cast<double>(kRows) * kFeatures * 6);
}

/// 50 trees on the first rows.
model::Ensemble make_ensemble(bool is_boosting) {
  parallel::Pool pool(1);
  const Task task{is_boosting ? "boost" : "forest", "drawn", "", {{"trees", "50"}}};
  return Fitting(task, table(), BenchTable::rows(0, 20'000), pool).ensemble();
}

void predict(benchmark::State& state, bool is_boosting) {
  Setting setting(state);
  static const std::array ensembles = {make_ensemble(false), make_ensemble(true)};
  const auto& ensemble = ensembles[is_boosting ? 1 : 0];
  const RowIndex n_rows = 100'000;
  for (auto _ : state) {
    const model::Predictor predictor(ensemble, setting.pool);
    benchmark::DoNotOptimize(
        run::predict_rows(predictor, table().table.features(), 0, n_rows, setting.pool).data());
  }
  count(state, n_rows, n_rows * (kFeatures * 4.0 + 16));
}

void with_sets(benchmark::internal::Benchmark* benchmark, const std::vector<std::int64_t>& shares) {
  benchmark->Unit(benchmark::kMillisecond)->UseRealTime();
  for (int set = 0; set <= static_cast<int>(processor_instruction_set()); ++set) {
    for (const std::int64_t n_threads : {1, 2}) {
      for (const auto share : shares) benchmark->Args({set, n_threads, share});
    }
  }
}

void add_all() {
  const auto add = [](const char* name, auto body, const std::vector<std::int64_t>& shares) {
    with_sets(benchmark::RegisterBenchmark(name, body), shares);
  };
  add("histogram", histogram, {1000, 100, 10});
  add("partition", partition, {500, 50});
  add("gradients", gradients, {1000});
  add("split_search", split_search, {1000});
  add("binning", binning, {1000});
  add("predict_boosted", [](benchmark::State& state) { predict(state, true); }, {1000});
  add("predict_forest", [](benchmark::State& state) { predict(state, false); }, {1000});
}

}  // namespace
}  // namespace orchard::bench

int main(int argc, char** argv) {
  orchard::bench::add_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
