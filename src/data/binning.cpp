#include "orchard/data/binning.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <set>

#include "column_values.hpp"
#include "cut_points.hpp"
#include "first_bins.hpp"
#include "orchard/base/error.hpp"

namespace orchard::data {
namespace {

using model::FeatureKind;

constexpr std::size_t kLine = 64;  // bytes of the cache
constexpr std::size_t kBlockRows = 16384;
/// Features worked on at once: bounds the memory for their searches.
constexpr std::size_t kWaveFeatures = 256;

/// A feature while its bins are made.
class FeatureBinner {
 public:
  FeatureBinner(const float* column, const model::Feature& described)
      : column_(column), described_(described) {}

  struct Scratch {
    std::vector<float> values, sorting;
  };
  /// Guesses the bins, or finds those of categories.
  void prepare(std::span<const RowIndex> rows, std::span<const RowIndex> sample, int max_bins,
               Scratch& scratch, parallel::Pool& pool) {
    if (described_.kind == FeatureKind::kCategorical) {
      bins_ = categorical_bins(column_, rows, described_.levels.size(), max_bins, pool);
      return;
    }
    const bool is_everything =
        sorted_sample(column_, rows, sample, max_bins, scratch.values, scratch.sorting, pool);
    first_ = std::make_unique<FirstBins>(scratch.values, is_everything, max_bins);
  }

  /// First bins of training rows. Any thread.
  void put(std::span<const RowIndex> rows, Bin* out) const {
    if (first_ == nullptr) return fill(rows, out);
    for_values(column_, 0, rows, [&](std::span<const float> values, std::size_t at) {
      first_->put(values, out + at);
    });
  }
  bool revise() { return first_ != nullptr && first_->revise(); }
  /// Final bins of the [n] training rows that were put.
  void settle(std::span<Bin> column) {
    if (first_ == nullptr) return;
    bins_ = first_->settle();
    const auto bin_of_first = first_->renumbering();
    if (!bin_of_first.empty()) {
      for (Bin& bin : column) bin = bin_of_first[bin];
    }
    first_.reset();
  }

  /// Final bins of any rows, once settled. Any thread.
  void fill(std::span<const RowIndex> rows, Bin* out) const {
    fill_bins(bins_, column_, 0, rows, out);
  }
  FeatureBins take() { return std::move(bins_); }

 private:
  const float* column_;
  const model::Feature& described_;
  FeatureBins bins_;
  std::unique_ptr<FirstBins> first_;  ///< numeric, until settled
};

std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

std::size_t n_blocks_of(std::size_t n_rows) { return (n_rows + kBlockRows - 1) / kBlockRows; }

}  // namespace

Bin FeatureBins::bin(float value) const {
  if (std::isnan(value)) return static_cast<Bin>(missing_bin());
  if (kind == FeatureKind::kCategorical) {
    const bool is_known = value >= 0 && value < static_cast<float>(bin_of_level.size());
    return is_known ? bin_of_level[static_cast<std::size_t>(value)]
                    : static_cast<Bin>(missing_bin());
  }
  return static_cast<Bin>(std::lower_bound(cuts.begin(), cuts.end(), value) - cuts.begin());
}

BinnedLayout BinnedLayout::make(RowIndex n_train, RowIndex n_test, std::size_t n_features,
                                bool with_rows) {
  BinnedLayout layout;
  layout.n_train = n_train;
  layout.n_test = n_test;
  layout.n_features = n_features;
  layout.column_stride = round_up(static_cast<std::size_t>(n_train) + n_test, kLine);
  layout.rows_offset = n_features * layout.column_stride;
  if (with_rows) layout.hold_columns(n_features);
  layout.n_bytes = layout.rows_offset + static_cast<std::size_t>(n_train) * layout.row_stride;
  return layout;
}

// Rows that are short enough lie within one line.
void BinnedLayout::hold_columns(std::size_t n_columns) {
  row_stride = n_columns <= kLine / 2 ? round_up(n_columns, kLine / 4) : round_up(n_columns, kLine);
}

namespace {

/// The columns of features [first, first + binners.size()) of one wave.
void bin_wave(std::span<const RowIndex> train, std::span<const RowIndex> test,
              std::span<const RowIndex> sample, int max_bins, const BinnedLayout& layout,
              std::span<FeatureBinner> binners, Bin* columns, parallel::Pool& pool) {
  const auto column = [&](std::size_t i) { return columns + i * layout.column_stride; };
  std::vector<FeatureBinner::Scratch> scratch(static_cast<std::size_t>(pool.n_threads()));
  pool.for_chunks(binners.size(), 1, [&](std::size_t i, std::size_t, int thread) {
    binners[i].prepare(train, sample, max_bins, scratch[static_cast<std::size_t>(thread)], pool);
  });
  scratch.clear();

  /// Calls fill(feature, rows, out) for blocks of rows of the features.
  const auto for_all = [&](std::span<const std::size_t> features, std::span<const RowIndex> rows,
                           std::size_t offset, auto&& fill) {
    const std::size_t n_blocks = n_blocks_of(rows.size());
    pool.for_chunks(features.size() * n_blocks, 1, [&](std::size_t item, std::size_t, int) {
      const std::size_t feature = features[item / n_blocks];
      const std::size_t row = item % n_blocks * kBlockRows;
      fill(feature, rows.subspan(row, std::min(kBlockRows, rows.size() - row)),
           column(feature) + offset + row);
    });
  };
  std::vector<std::size_t> all(binners.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  for (auto features = all; !features.empty();) {
    for_all(features, train, 0,
            [&](std::size_t feature, auto rows, Bin* out) { binners[feature].put(rows, out); });
    std::erase_if(features, [&](std::size_t feature) { return !binners[feature].revise(); });
  }
  pool.for_chunks(binners.size(), 1, [&](std::size_t i, std::size_t, int) {
    binners[i].settle({column(i), layout.n_train});
    std::memset(column(i) + layout.n_rows(), 0, layout.column_stride - layout.n_rows());
  });
  for_all(all, test, layout.n_train,
          [&](std::size_t feature, auto rows, Bin* out) { binners[feature].fill(rows, out); });
}

/// The sampled rows of folds. Positions are drawn once for each number of training rows.
class Samples {
 public:
  explicit Samples(std::uint64_t random_state) : random_state_(random_state) {}

  /// Valid until the next call.
  std::span<const RowIndex> of(const Fold& fold, parallel::Pool& pool) {
    const auto n_train = static_cast<RowIndex>(fold.train.size());
    auto& positions = positions_[n_train];
    if (positions.empty()) positions = sample_positions(n_train, random_state_, pool);
    rows_.resize(positions.size());
    for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i] = fold.train[positions[i]];
    return rows_;
  }

 private:
  std::uint64_t random_state_;
  std::map<RowIndex, std::vector<RowIndex>> positions_;  // by the number of training rows
  std::vector<RowIndex> rows_;
};

/// Some columns of a table at a time, read from its source where nobody holds them.
class Part {
 public:
  Part(const Table& table, std::size_t n_features) : table_(table) {
    if (table.source != nullptr) read_.resize(n_features * table.n_rows);
  }

  /// Valid until the next call.
  std::vector<const float*> columns(std::size_t begin, std::size_t end, parallel::Pool& pool) {
    if (table_.source == nullptr) {
      return {table_.columns.begin() + static_cast<std::ptrdiff_t>(begin),
              table_.columns.begin() + static_cast<std::ptrdiff_t>(end)};
    }
    std::vector<float*> out;
    for (std::size_t i = 0; i < end - begin; ++i) out.push_back(read_.data() + i * table_.n_rows);
    table_.source->read(begin, end, 0, table_.n_rows, out, pool);
    return {out.begin(), out.end()};
  }

 private:
  const Table& table_;
  std::vector<float> read_;
};

/// The longest column that nobody keeps, or 0.
std::size_t dropped_bytes(std::span<const BinTask> tasks) {
  std::size_t n_bytes = 0;
  for (const BinTask& task : tasks) {
    if (task.memory == nullptr) n_bytes = std::max(n_bytes, task.layout->column_stride);
  }
  return n_bytes;
}

/// Features worked on at once. Columns that nobody keeps lie in a part of the same size as those
/// that are read. Since each reading of narrow rows passes over the whole file, what is read at
/// once is up to half as much as the bins that the tasks make of all features, but not more than
/// half of them.
std::size_t features_at_once(const Table& table, std::span<const BinTask> tasks,
                             std::size_t n_features) {
  std::size_t n_wave = std::min(kWaveFeatures, n_features);
  const std::size_t n_dropped = dropped_bytes(tasks);
  if (n_dropped > 0) n_wave = std::clamp<std::size_t>(Table::kPartBytes / n_dropped, 1, n_wave);
  if (table.source == nullptr) return n_wave;
  const std::size_t n_fit = Table::kPartBytes / (table.n_rows * sizeof(float));
  const std::size_t n_half = std::min<std::size_t>(tasks.size(), 4) * n_wave / 8;
  return std::clamp<std::size_t>(std::max(n_fit, n_half), 1, n_wave);
}

}  // namespace

std::vector<std::vector<FeatureBins>> bin_columns(const Table& table,
                                                  std::span<const BinTask> tasks,
                                                  std::uint64_t random_state, std::size_t first,
                                                  std::size_t last, parallel::Pool& pool) {
  std::vector<std::vector<FeatureBins>> bins(tasks.size());
  Samples samples(random_state);
  for (const BinTask& task : tasks) {
    require(task.max_bins >= 1 && task.max_bins <= 255, "max_bins lies in 1 .. 255");
    require(table.columns.size() == table.schema.n_features() && first <= last &&
                last <= task.layout->n_features &&
                task.layout->n_features == table.columns.size() &&
                task.layout->n_train == task.fold->train.size() &&
                task.layout->n_test == (task.memory == nullptr ? 0 : task.fold->test.size()),
            "table, fold and layout belong together");
  }
  if (first == last) return bins;
  const std::size_t n_at_once = features_at_once(table, tasks, last - first);
  Part part(table, n_at_once);
  std::vector<Bin> dropped(dropped_bytes(tasks) * n_at_once);
  for (std::size_t begin = first; begin < last; begin += n_at_once) {
    const std::size_t end = std::min(last, begin + n_at_once);
    const auto columns = part.columns(begin, end, pool);
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      const BinTask& task = tasks[i];
      std::vector<FeatureBinner> binners;
      for (std::size_t f = begin; f < end; ++f) {
        binners.emplace_back(columns[f - begin], table.schema.features[f]);
      }
      const bool keeps = task.memory != nullptr;
      bin_wave(task.fold->train, keeps ? std::span(task.fold->test) : std::span<const RowIndex>(),
               samples.of(*task.fold, pool), task.max_bins, *task.layout, binners,
               keeps ? reinterpret_cast<Bin*>(task.memory) + begin * task.layout->column_stride
                     : dropped.data(),
               pool);
      for (auto& binner : binners) bins[i].push_back(binner.take());
    }
  }
  return bins;
}

std::size_t bin_columns_bytes(const Table& table, std::span<const BinTask> tasks,
                              std::size_t n_features, int n_threads) {
  if (tasks.empty() || n_features == 0) return 0;
  const std::size_t n_at_once = features_at_once(table, tasks, n_features);
  std::set<std::size_t> sizes;  // of folds: positions are drawn for each
  for (const BinTask& task : tasks) sizes.insert(task.fold->train.size());
  const std::size_t n_sample = std::min<std::size_t>(*sizes.rbegin(), kMaxSampleRows);
  const auto n_sorting = std::min(static_cast<std::size_t>(n_threads), n_at_once);
  return n_at_once *
             ((table.source == nullptr ? 0 : table.n_rows * sizeof(float)) + dropped_bytes(tasks)) +
         n_sample * (sizes.size() + 1) * sizeof(RowIndex) +
         n_sorting * 2 * n_sample * sizeof(float);
}

BinnedData share_of(const BinnedData& whole, const RowShare& train, const RowShare& test) {
  require(whole.train_share.is_whole() && whole.test_share.is_whole(),
          "only a whole is shared out");
  require(train.n == whole.train_share.n && test.n == whole.test_share.n &&
              train.begin <= train.end && train.end <= train.n && test.begin <= test.end &&
              test.end <= test.n,
          "a share lies within the rows of its fold");
  BinnedData share = whole;
  share.train_share = train;
  share.test_share = test;
  share.layout.n_train = train.size();
  share.layout.n_test = test.size();
  share.rows_before = whole.rows_before + train.begin;
  share.rows_between = train.n - train.end + whole.rows_between + test.begin;
  return share;
}

std::unique_ptr<OwnedBinned> bin_fold(const Table& table, const Fold& fold, int max_bins,
                                      std::uint64_t random_state, bool with_rows,
                                      parallel::Pool& pool) {
  auto owned = std::make_unique<OwnedBinned>();
  auto layout =
      BinnedLayout::make(static_cast<RowIndex>(fold.train.size()),
                         static_cast<RowIndex>(fold.test.size()), table.columns.size(), with_rows);
  owned->memory.resize(layout.n_bytes);
  const BinTask task{&fold, max_bins, &layout, owned->memory.data()};
  owned->binning.features =
      std::move(bin_columns(table, {&task, 1}, random_state, 0, layout.n_features, pool).front());
  if (with_rows) {
    owned->binning.row_columns =
        bundle_features(owned->binning.features, layout, owned->memory.data(), pool);
    layout.hold_columns(owned->binning.row_columns.n_columns());
    fill_rows(owned->binning.row_columns, layout, 0, layout.n_train, owned->memory.data(), pool);
  }
  const auto gather = [&](std::span<const double> of_table, std::vector<double>& out) {
    if (of_table.empty()) return;
    for (const RowIndex row : fold.train) out.push_back(of_table[row]);
    for (const RowIndex row : fold.test) out.push_back(of_table[row]);
  };
  gather(table.target, owned->target);
  gather(table.weight, owned->weight);
  owned->data = {&owned->binning,
                 layout,
                 owned->memory.data(),
                 owned->target,
                 owned->weight,
                 RowShare::whole(layout.n_train),
                 RowShare::whole(layout.n_test)};
  return owned;
}

}  // namespace orchard::data
