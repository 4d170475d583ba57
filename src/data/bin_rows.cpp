#include <algorithm>
#include <cstring>

#include "bin_search.hpp"
#include "column_values.hpp"
#include "orchard/base/error.hpp"
#include "orchard/data/binning.hpp"

namespace orchard::data {
namespace {

constexpr std::size_t kBlockRows = 16384;
/// Features read at once from a source: enough that rows are read in long pieces.
constexpr std::size_t kPartFeatures = 1024;

/// A rectangle of the table: features [first_feature, last_feature) of rows [first_row, last_row).
struct Block {
  std::size_t first_feature, last_feature;
  RowIndex first_row, last_row;
  std::vector<const float*> columns;  ///< from first_row on
};

/// The positions among ascending `rows` that lie in the block.
std::pair<std::size_t, std::size_t> positions_in(std::span<const RowIndex> rows,
                                                 const Block& block) {
  const auto begin = std::lower_bound(rows.begin(), rows.end(), block.first_row);
  const auto end = std::lower_bound(begin, rows.end(), block.last_row);
  return {static_cast<std::size_t>(begin - rows.begin()),
          static_cast<std::size_t>(end - rows.begin())};
}

bool is_needed(std::span<const ShareTask> tasks, const Block& block) {
  return std::any_of(tasks.begin(), tasks.end(), [&](const ShareTask& task) {
    const auto [train, train_end] = positions_in(task.train, block);
    const auto [test, test_end] = positions_in(task.test, block);
    return train < train_end || test < test_end;
  });
}

void fill_block(const ShareTask& task, std::span<const RowIndex> rows, std::size_t offset,
                const Block& block, parallel::Pool& pool) {
  const auto [begin, end] = positions_in(rows, block);
  const std::size_t first = begin, n_rows = end - begin;
  const std::size_t n_chunks = (n_rows + kBlockRows - 1) / kBlockRows;
  const std::size_t n_features = block.last_feature - block.first_feature;
  pool.for_chunks(n_features * n_chunks, 1, [&](std::size_t item, std::size_t, int) {
    const std::size_t feature = item / n_chunks;
    const std::size_t at = item % n_chunks * kBlockRows;
    Bin* const column = reinterpret_cast<Bin*>(task.memory) +
                        (block.first_feature + feature) * task.layout->column_stride;
    fill_bins((*task.bins)[block.first_feature + feature], block.columns[feature], block.first_row,
              rows.subspan(first + at, std::min(kBlockRows, n_rows - at)),
              column + offset + first + at);
  });
}

void fill_tasks(std::span<const ShareTask> tasks, const Block& block, parallel::Pool& pool) {
  for (const ShareTask& task : tasks) {
    fill_block(task, task.train, 0, block, pool);
    fill_block(task, task.test, task.layout->n_train, block, pool);
  }
}

}  // namespace

void fill_bins(const FeatureBins& bins, const float* column, RowIndex first_row,
               std::span<const RowIndex> rows, Bin* out) {
  if (bins.kind == model::FeatureKind::kCategorical) {
    for (std::size_t i = 0; i < rows.size(); ++i) out[i] = bins.bin(column[rows[i] - first_row]);
    return;
  }
  const CutTable cuts(bins.cuts);
  for_values(column, first_row, rows, [&](std::span<const float> values, std::size_t at) {
    cuts.bins_of(values, static_cast<Bin>(bins.missing_bin()), out + at);
  });
}

namespace {

/// Features and rows that are read at once from a table that nobody holds.
std::pair<std::size_t, std::size_t> block_size(const Table& table) {
  const std::size_t n_features = std::min(table.schema.n_features(), kPartFeatures);
  return {n_features, std::clamp<std::size_t>(Table::kPartBytes / (n_features * sizeof(float)), 1,
                                              table.n_rows)};
}

}  // namespace

std::size_t bin_rows_bytes(const Table& table) {
  const auto [n_features, n_rows] = block_size(table);
  return table.source == nullptr ? 0 : n_features * n_rows * sizeof(float);
}

void bin_rows(const Table& table, std::span<const ShareTask> tasks, parallel::Pool& pool) {
  const std::size_t n_features = table.schema.n_features();
  for (const ShareTask& task : tasks) {
    const BinnedLayout& layout = *task.layout;
    require(layout.n_train == task.train.size() && layout.n_test == task.test.size() &&
                layout.n_features == n_features && task.bins->size() == n_features,
            "table, rows, bins and layout belong together");
    for (std::size_t f = 0; f < n_features; ++f) {
      std::byte* const column = task.memory + f * layout.column_stride;
      std::memset(column + layout.n_rows(), 0, layout.column_stride - layout.n_rows());
    }
  }
  if (table.source == nullptr) {
    fill_tasks(tasks, {0, n_features, 0, table.n_rows, table.columns}, pool);
    return;
  }
  const auto [n_part, n_block] = block_size(table);
  std::vector<float> read(n_part * n_block);
  std::vector<float*> columns;
  for (std::size_t i = 0; i < n_part; ++i) columns.push_back(read.data() + i * n_block);
  for (std::size_t row = 0; row < table.n_rows; row += n_block) {
    Block block{0,
                0,
                static_cast<RowIndex>(row),
                static_cast<RowIndex>(std::min<std::size_t>(table.n_rows, row + n_block)),
                {columns.begin(), columns.end()}};
    if (!is_needed(tasks, block)) continue;
    for (; block.last_feature < n_features; block.first_feature = block.last_feature) {
      block.last_feature = std::min(n_features, block.first_feature + n_part);
      table.source->read(block.first_feature, block.last_feature, block.first_row, block.last_row,
                         columns, pool);
      fill_tasks(tasks, block, pool);
    }
  }
}

}  // namespace orchard::data
