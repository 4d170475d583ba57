// Bins of tables that nobody holds: read once, a part at a time.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "columns.hpp"

namespace orchard::data {
namespace {

/// Columns in memory that pretend to lie in a file.
class CountingSource : public ColumnSource {
 public:
  explicit CountingSource(const Table& table) : table_(table) {}
  void read(std::size_t first_feature, std::size_t last_feature, RowIndex first_row,
            RowIndex last_row, std::span<float* const> out, parallel::Pool&) const override {
    for (std::size_t f = first_feature; f < last_feature; ++f) {
      std::copy(table_.columns[f] + first_row, table_.columns[f] + last_row,
                out[f - first_feature]);
      n_values_read += last_row - first_row;
    }
    ++n_reads;
  }
  mutable std::size_t n_values_read = 0, n_reads = 0;

 private:
  const Table& table_;
};

/// However many folds and binnings there are, and however large its columns.
TEST(Fill, ATableThatNobodyHoldsIsReadOnce) {
  constexpr RowIndex kRows = 2'500'000;
  Columns columns;
  for (std::size_t f = 0; f < 4; ++f) columns.add(random_column(kRows, f, f == 1));
  ASSERT_GT(4 * kRows * sizeof(float), Table::kPartBytes);
  const auto source = std::make_shared<CountingSource>(columns.table);
  Table read = columns.table;
  read.columns.assign(4, nullptr);
  read.source = source;
  const Fold whole = whole_table(kRows);
  Fold part;
  for (RowIndex row = 0; row < kRows; ++row) (row % 7 < 2 ? part.test : part.train).push_back(row);
  parallel::Pool pool(2);
  const auto layout_of = [](const Fold& fold) {
    return BinnedLayout::make(static_cast<RowIndex>(fold.train.size()),
                              static_cast<RowIndex>(fold.test.size()), 4, false);
  };
  const BinnedLayout of_whole = layout_of(whole), of_part = layout_of(part);
  const std::size_t n_bytes = of_whole.n_bytes;
  std::vector<std::byte> memory(3 * n_bytes, std::byte{0xcd});
  const BinTask tasks[] = {{&whole, 255, &of_whole, memory.data()},
                           {&part, 255, &of_part, memory.data() + n_bytes},
                           {&part, 16, &of_part, memory.data() + 2 * n_bytes}};
  const auto bins = bin_columns(read, tasks, 3, 0, 4, pool);
  EXPECT_EQ(source->n_values_read, std::size_t{4} * kRows);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto alone = bin_fold(columns.table, *tasks[i].fold, tasks[i].max_bins, 3, false, pool);
    EXPECT_EQ(std::memcmp(tasks[i].memory, alone->memory.data(), alone->memory.size()), 0);
    for (std::size_t f = 0; f < 4; ++f) {
      EXPECT_EQ(bins[i][f].cuts, alone->binning.features[f].cuts);
      EXPECT_EQ(bins[i][f].bin_max, alone->binning.features[f].bin_max);
    }
  }
}

/// Writes rows of a table with `n_features` features, from memory and from a source that is read in
/// several blocks of `n_block` rows, for tasks that lie apart, overlap or need no row.
void expect_rows_of_memory(std::size_t n_features, std::size_t n_block, std::size_t n_parts) {
  const auto n_rows = static_cast<RowIndex>(3 * n_block + 5);
  Columns columns;
  // Wide tables repeat a few columns: what counts is where their bins go.
  for (std::size_t f = 0; f < std::min<std::size_t>(n_features, 7); ++f) {
    auto column = random_column(n_rows, f, f == 1);
    if (f == 2) {
      for (RowIndex row = 0; row < n_rows; ++row) column[row] = static_cast<float>(row % 5);
    }
    columns.add(std::move(column), f == 2 ? 5 : 0);
  }
  Table held;
  held.n_rows = n_rows;
  std::vector<FeatureBins> bins;
  parallel::Pool pool(2);
  std::vector<RowIndex> some_rows;
  for (RowIndex row = 0; row < n_rows; row += n_rows / 900) some_rows.push_back(row);
  const auto few = make_binning(columns.table, some_rows, 200, 3, pool).features;
  for (std::size_t f = 0; f < n_features; ++f) {
    held.columns.push_back(columns.table.columns[f * f % few.size()]);
    held.schema.features.push_back(columns.table.schema.features[f * f % few.size()]);
    bins.push_back(few[f * f % few.size()]);
  }
  const auto source = std::make_shared<CountingSource>(held);
  Table read = held;
  read.columns.assign(n_features, nullptr);
  read.source = source;

  // The second of the four blocks is in no task. Its last row and the next are neighbours.
  const auto block = static_cast<RowIndex>(n_block);
  std::vector<RowIndex> train, test, end, none;
  for (RowIndex row = 0; row < n_rows; ++row) {
    if (row >= block && row < 2 * block) continue;
    (row % 3 == 0 ? test : train).push_back(row);
    if (row >= 3 * block - 2) end.push_back(row);
  }
  const auto layout_of = [&](const std::vector<RowIndex>& a, const std::vector<RowIndex>& b) {
    return BinnedLayout::make(static_cast<RowIndex>(a.size()), static_cast<RowIndex>(b.size()),
                              n_features, false);
  };
  const BinnedLayout layouts[] = {layout_of(train, test), layout_of(none, end),
                                  layout_of(none, none)};
  const auto fill = [&](const Table& table) {
    std::vector<std::vector<std::byte>> memory;
    for (const auto& layout : layouts) memory.emplace_back(layout.n_bytes, std::byte{0xcd});
    const ShareTask tasks[] = {{train, test, &bins, &layouts[0], memory[0].data()},
                               {none, end, &bins, &layouts[1], memory[1].data()},
                               {none, none, &bins, &layouts[2], memory[2].data()}};
    bin_rows(table, tasks, pool);
    return memory;
  };
  const auto expected = fill(held);
  for (std::size_t i = 0; i < end.size(); ++i) {
    const auto* const column = reinterpret_cast<const Bin*>(expected[1].data());
    ASSERT_EQ(column[i], bins[0].bin(held.columns[0][end[i]]));
  }
  EXPECT_TRUE(fill(read) == expected);
  EXPECT_EQ(source->n_values_read, n_features * (n_rows - block));
  EXPECT_EQ(source->n_reads, 3 * n_parts);
}

TEST(Fill, RowsOfATableThatNobodyHoldsAreReadInBlocks) {
  const auto block_of = [](std::size_t n_features) {
    return Table::kPartBytes / (n_features * sizeof(float));
  };
  expect_rows_of_memory(24, block_of(24), 1);
  // More features than are read at once: the last part has one.
  expect_rows_of_memory(1025, block_of(1024), 2);
}

}  // namespace
}  // namespace orchard::data
