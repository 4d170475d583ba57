#pragma once
// Cut points from a fit's training rows, and rows as bytes: what every learner trains on.

#include <vector>

#include "orchard/data/folds.hpp"
#include "orchard/data/row_columns.hpp"
#include "orchard/data/table.hpp"
#include "orchard/parallel/pool.hpp"

namespace orchard::data {

/// Bins of one feature are 0 .. n_bins - 1; the missing bin is n_bins (at most 255). A feature
/// without a value in the training rows has one bin, which no training row falls into.
struct FeatureBins {
  model::FeatureKind kind = model::FeatureKind::kNumeric;
  int n_bins = 1;
  /// Numeric: n_bins - 1 ascending cuts; bin(x) = number of cuts below x, so x <= cuts[b] exactly
  /// when bin(x) <= b. A cut lies midway between the training values on its two sides,
  /// representable in float32: max of bin b <= cuts[b] < min of bin b + 1.
  std::vector<float> cuts;
  std::vector<float> bin_min, bin_max;  ///< numeric: [n_bins], over the training rows
  /// Categorical: [n_levels]; levels absent from the training rows, and those past the max_bins
  /// most frequent (ties: lower id), go to the missing bin.
  std::vector<Bin> bin_of_level;
  std::vector<std::uint32_t> level_of_bin;  ///< categorical: [n_bins], ascending

  int missing_bin() const { return n_bins; }
  /// Size of a histogram of this feature.
  int n_slots() const { return n_bins + 1; }
  Bin bin(float value) const;
};

struct Binning {
  std::vector<FeatureBins> features;
  RowColumns row_columns;  ///< empty without a row-major copy
};

/// How a fit's binned rows lie in one block of memory. Training rows first, in file order, then the
/// test rows: a fit's row position p < n_train is its p-th training row.
struct BinnedLayout {
  RowIndex n_train = 0, n_test = 0;
  std::size_t n_features = 0;
  std::size_t column_stride = 0;  ///< bytes from column to column, a multiple of 64
  std::size_t row_stride =
      0;  ///< bytes from row to row (padded to 16, 32 or a multiple of 64); 0: no rows
  std::size_t rows_offset = 0;  ///< where the row-major copy begins
  std::size_t n_bytes = 0;

  /// `with_rows`: also a row-major copy of the training rows, for gradient histograms, with a
  /// column for each feature.
  static BinnedLayout make(RowIndex n_train, RowIndex n_test, std::size_t n_features,
                           bool with_rows);
  /// Row-major copies of fewer columns have shorter rows; `n_bytes` keeps room for all.
  void hold_columns(std::size_t n_columns);
  RowIndex n_rows() const { return n_train + n_test; }
};

/// Positions [begin, end) of the n training (test) rows of a fold.
struct RowShare {
  RowIndex begin = 0, end = 0, n = 0;

  static RowShare whole(RowIndex n) { return {0, n, n}; }
  /// What rank `rank` of `n_ranks` holds: consecutive positions, as many as others hold or one more
  /// or less; none where there are more ranks than rows.
  static RowShare of_rank(RowIndex n, int rank, int n_ranks) {
    const auto border = [&](int i) {
      return static_cast<RowIndex>(std::uint64_t{n} * static_cast<std::uint64_t>(i) /
                                   static_cast<std::uint64_t>(n_ranks));
    };
    return {border(rank), border(rank + 1), n};
  }
  RowIndex size() const { return end - begin; }
  bool is_whole() const { return begin == 0 && end == n; }
  bool operator==(const RowShare&) const = default;
};

/// Everything a fit sees. Borrowed. One of a group of ranks holds the bins of its own share of the
/// rows, and like all of them the targets and weights of the whole fold. A row's position counts
/// from the first own row, but in targets and weights.
struct BinnedData {
  const Binning* binning = nullptr;
  BinnedLayout layout;  ///< of the own rows
  const std::byte* memory = nullptr;
  /// Of the whole fold: [train_share.n + test_share.n], training rows first.
  std::span<const double> target;
  std::span<const double> weight;    ///< the same, or empty
  RowShare train_share, test_share;  ///< the own rows; whole for a fit alone
  /// Rows in `memory` before the first own training row, and between the last one and the first own
  /// test row. Not 0 where the memory holds more than the own rows (see `share_of`).
  RowIndex rows_before = 0, rows_between = 0;

  RowIndex n_train() const { return layout.n_train; }
  RowIndex n_test() const { return layout.n_test; }
  std::size_t n_features() const { return layout.n_features; }
  /// [n_train] bins of one feature.
  const Bin* column(std::size_t feature) const {
    return reinterpret_cast<const Bin*>(memory) + feature * layout.column_stride + rows_before;
  }
  /// [n_test] bins of one feature.
  const Bin* test_column(std::size_t feature) const {
    return column(feature) + layout.n_train + rows_between;
  }
  /// [row_stride] bytes of one training row, as binning->row_columns says; padding is 0. Only with
  /// a row-major copy.
  const Bin* row(RowIndex position) const {
    return reinterpret_cast<const Bin*>(memory) + layout.rows_offset +
           (static_cast<std::size_t>(rows_before) + position) * layout.row_stride;
  }
  bool has_rows() const { return layout.row_stride > 0; }

  /// Of the whole fold's training or test rows; weights are empty without any.
  std::span<const double> train_target() const { return target.first(train_share.n); }
  std::span<const double> test_target() const {
    return target.subspan(train_share.n, test_share.n);
  }
  std::span<const double> train_weight() const {
    return weight.empty() ? weight : weight.first(train_share.n);
  }
  std::span<const double> test_weight() const {
    return weight.empty() ? weight : weight.subspan(train_share.n, test_share.n);
  }
  /// [n_train] of the own training rows.
  std::span<const double> own_train_target() const {
    return target.subspan(train_share.begin, n_train());
  }
};

/// Shares of `whole`, data of all rows of a fold, without a copy: for ranks that join a fit on bins
/// that their node holds already. The shares lie within those of `whole`. Local.
BinnedData share_of(const BinnedData& whole, const RowShare& train, const RowShare& test);

/// A fold in one binning: what its columns are made from and where they go.
struct BinTask {
  const Fold* fold = nullptr;
  int max_bins = 255;
  const BinnedLayout* layout = nullptr;
  /// Null: only the bins are wanted. The layout is then of the training rows alone.
  std::byte* memory = nullptr;
};

/// Makes the bins of features [first, last) and writes their columns, of all rows of the folds,
/// into the memory of each task. Different feature ranges may be done by different ranks at once;
/// columns only. A table that nobody holds is read once for all tasks, a few features at a time:
/// those that fit Table::kPartBytes, at least one, or up to half of them where several tasks make
/// bins.
///
/// Every distinct value of the training rows is a bin while there are at most `max_bins` (1 .. 255)
/// of them; otherwise cuts lie at evenly spaced ranks of at most 200,000 training rows chosen by
/// their position (addressed), as scikit-learn's histogram learners do; of all rows where fewer
/// than 16 sampled values a bin are present. Returns [tasks][last - first] bins. Local; the same
/// for any number of threads. Throws Stopped.
std::vector<std::vector<FeatureBins>> bin_columns(const Table& table,
                                                  std::span<const BinTask> tasks,
                                                  std::uint64_t random_state, std::size_t first,
                                                  std::size_t last, parallel::Pool& pool);
/// Memory that `bin_columns` takes for itself at its highest: columns that it reads or drops, of
/// which it holds as many as it says above, samples, and their sorting.
std::size_t bin_columns_bytes(const Table& table, std::span<const BinTask> tasks,
                              std::size_t n_features, int n_threads);

/// Some rows of a fold, ascending, whose bins are known.
struct ShareTask {
  std::span<const RowIndex> train, test;
  const std::vector<FeatureBins>* bins = nullptr;  ///< of all features
  const BinnedLayout* layout = nullptr;            ///< of these rows
  std::byte* memory = nullptr;
};

/// Writes the columns of all features. A table that nobody holds is read once for all tasks, in
/// blocks of rows that fit Table::kPartBytes, where a task needs them. Local; the same for any
/// number of threads. Throws Stopped, kData.
void bin_rows(const Table& table, std::span<const ShareTask> tasks, parallel::Pool& pool);
/// Memory that it takes for itself.
std::size_t bin_rows_bytes(const Table& table);

/// The columns of the row-major copy, from finished columns of all features. Greedy, in the order
/// of the features: one that has two bins and no missing values in the training rows joins a bundle
/// whose features, checked on all training rows, are in their more frequent bins wherever it is not
/// in its own. Local; the same for any number of threads. Throws Stopped.
RowColumns bundle_features(std::span<const FeatureBins> features, const BinnedLayout& layout,
                           const std::byte* memory, parallel::Pool& pool);
/// Writes training rows [first, last) of the row-major copy from finished columns.
void fill_rows(const RowColumns& columns, const BinnedLayout& layout, RowIndex first, RowIndex last,
               std::byte* memory, parallel::Pool& pool);

/// A fold's binned data with its memory, made by one rank. For tests and `train`-like tools.
struct OwnedBinned {
  Binning binning;
  std::vector<std::byte> memory;
  std::vector<double> target, weight;
  BinnedData data;
};
std::unique_ptr<OwnedBinned> bin_fold(const Table& table, const Fold& fold, int max_bins,
                                      std::uint64_t random_state, bool with_rows,
                                      parallel::Pool& pool);

}  // namespace orchard::data
