#include "orchard/run/share_store.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include "orchard/base/text.hpp"
#include "orchard/h5/builder.hpp"
#include "orchard/h5/user_block.hpp"
#include "orchard/run/table_loader.hpp"

namespace orchard::run {
namespace {

constexpr std::size_t kFeatures = 5;
using Groups = std::vector<std::vector<int>>;

/// Features of several kinds, two folds of which one is whole, and three needs.
class ShareTable {
 public:
  explicit ShareTable(RowIndex n_rows, bool has_weight = true) {
    for (std::size_t f = 0; f < kFeatures; ++f) {
      auto& column = columns_.emplace_back();
      for (RowIndex row = 0; row < n_rows; ++row) {
        const std::uint64_t mixed = (row + 1) * (f + 3) * std::uint64_t{0x9E3779B97F4A7C15} >> 20;
        const bool is_missing = f == 2 && mixed % 11 == 0;
        column.push_back(is_missing ? std::numeric_limits<float>::quiet_NaN()
                                    : static_cast<float>(mixed % (f == 1 ? 3 : 1000)) / 8);
      }
      table.schema.features.push_back({format("x{}", f), model::FeatureKind::kNumeric, {}});
      table.columns.push_back(column.data());
    }
    table.schema.task = Task::kRegression;
    table.n_rows = n_rows;
    for (RowIndex row = 0; row < n_rows; ++row) {
      target_.push_back(row * 0.5);
      weight_.push_back(row % 3 + 1);
      (row % 5 == 1 ? part_.test : part_.train).push_back(row);
    }
    whole_ = data::whole_table(n_rows);
    table.target = target_;
    if (has_weight) table.weight = weight_;
    needs = {{0, &part_, 255, true}, {0, &part_, 7, false}, {1, &whole_, 255, false}};
  }
  /// One column as text categories.
  void make_categorical(std::size_t feature) {
    auto& column = columns_[feature];
    for (std::size_t row = 0; row < column.size(); ++row) column[row] = row * row % 17 % 9;
    table.schema.features[feature].kind = model::FeatureKind::kCategorical;
    for (int i = 0; i < 9; ++i) table.schema.features[feature].levels.push_back(format("l{}", i));
  }

  data::Table table;
  std::vector<FoldNeed> needs;

 private:
  std::vector<std::vector<float>> columns_;
  std::vector<double> target_, weight_;
  data::Fold part_, whole_;
};

void expect_share(const data::BinnedData& share, const data::BinnedData& whole) {
  for (std::size_t f = 0; f < whole.n_features(); ++f) {
    const auto &a = share.binning->features[f], &b = whole.binning->features[f];
    EXPECT_EQ(a.cuts, b.cuts);
    EXPECT_EQ(a.bin_min, b.bin_min);
    EXPECT_EQ(a.bin_max, b.bin_max);
    EXPECT_EQ(a.n_bins, b.n_bins);
    EXPECT_EQ(a.bin_of_level, b.bin_of_level);
    EXPECT_EQ(a.level_of_bin, b.level_of_bin);
    EXPECT_TRUE(std::equal(share.column(f), share.column(f) + share.n_train(),
                           whole.column(f) + share.train_share.begin));
    EXPECT_TRUE(std::equal(share.test_column(f), share.test_column(f) + share.n_test(),
                           whole.test_column(f) + share.test_share.begin));
    for (RowIndex row = 0; share.has_rows() && row < share.n_train(); ++row) {
      ASSERT_EQ(share.row(row)[f], whole.column(f)[share.train_share.begin + row]);
    }
  }
  EXPECT_EQ(share.has_rows(), whole.has_rows());
  EXPECT_EQ(share.train_share.n, whole.n_train());
  EXPECT_EQ(share.test_share.n, whole.n_test());
  EXPECT_TRUE(std::equal(share.target.begin(), share.target.end(), whole.target.begin(),
                         whole.target.end()));
  EXPECT_TRUE(std::equal(share.weight.begin(), share.weight.end(), whole.weight.begin(),
                         whole.weight.end()));
}

/// Shares of `read` on `n_ranks` ranks in groups of `n_group` against the whole of `held`.
void expect_shares(const ShareTable& held, const data::Table& read, int n_ranks, int n_group) {
  SCOPED_TRACE(format("{} ranks in groups of {}", n_ranks, n_group));
  comm::run_as_ranks(n_ranks, [&](comm::Communicator world) {
    parallel::Pool pool(2);
    auto node = world.split_by_node();
    auto alone = world.split(world.rank());
    auto group = world.split(world.rank() / n_group);
    FoldStore whole(alone, held.table, held.needs, 7, pool);
    ShareStore shares(group, node, read, held.needs, 7, pool);
    const auto bytes = share_store_bytes(read, held.needs, group.size());
    EXPECT_LE(shares.n_bytes(), bytes.of_rank);
    EXPECT_EQ(static_cast<std::size_t>(group.max(static_cast<std::int64_t>(shares.n_bytes()))),
              bytes.of_rank);
    EXPECT_EQ(shares.n_shared_bytes(), bytes.of_node);
    for (const FoldNeed& need : held.needs) {
      const auto& share = shares.binned(need.fold, need.max_bins);
      expect_share(share, whole.binned(need.fold, need.max_bins));
      EXPECT_EQ(group.sum(share.n_train()), share.train_share.n);
      EXPECT_EQ(group.sum(share.n_test()), share.test_share.n);
    }
    node.barrier();
    shares.release(node);
    whole.release(alone);
  });
}

TEST(ShareStore, SharesOfAnyNumberOfRanksAreTheWhole) {
  for (const bool has_weight : {true, false}) {
    ShareTable data(1001, has_weight);
    data.make_categorical(3);
    for (const int n_ranks : {1, 2, 3, 4}) expect_shares(data, data.table, n_ranks, n_ranks);
    expect_shares(data, data.table, 4, 2);
  }
}

TEST(ShareStore, MoreRanksThanRows) {
  const ShareTable data(3);
  expect_shares(data, data.table, 5, 5);
}

TEST(ShareStore, ANodeHoldsTheSharesOfItsRanks) {
  const ShareTable data(1000);
  const auto of_two = share_store_bytes(data.table, data.needs, 2).of_rank;
  const auto alone = share_store_bytes(data.table, data.needs, 1);
  EXPECT_GT(alone.of_rank, of_two);
  // The last rank has no partner.
  const Groups groups = {{0, 1}, {2, 3}, {4}};
  const auto bytes = share_store_bytes(data.table, data.needs, groups, {0, 0, 0, 0, 0}, 1);
  EXPECT_EQ(bytes.of_node, alone.of_node);
  EXPECT_EQ(bytes.of_rank, alone.of_rank);
  EXPECT_EQ(bytes.of_ranks, 4 * of_two + alone.of_rank);
  EXPECT_EQ(share_store_bytes(data.table, data.needs, groups, {0, 0, 0, 3, 3}, 1).of_ranks,
            std::max(3 * of_two, of_two + alone.of_rank));
}

TEST(ShareStore, SampledRowsAreThoseOfTheWhole) {
  const ShareTable data(260'000);
  expect_shares(data, data.table, 3, 3);
}

TEST(ShareStore, OfAFileThatNobodyHolds) {
  const ShareTable data(5000, false);
  const std::string path = ::testing::TempDir() + format("orchard-shares-{}.h5", getpid());
  std::vector<float> x;
  for (RowIndex row = 0; row < data.table.n_rows; ++row) {
    for (const float* column : data.table.columns) x.push_back(column[row]);
  }
  h5::Builder builder;
  builder.write("/x", x, data.table.n_rows, kFeatures);
  builder.write("/y", std::vector<double>(data.table.target.begin(), data.table.target.end()));
  const h5::Image image = builder.finish();
  const auto bytes = image.bytes().subspan(h5::kUserBlockBytes);
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  data::ReadRequest request;
  request.target = "y";
  request.task = Task::kRegression;
  for (const int n_ranks : {1, 3}) {
    comm::run_as_ranks(n_ranks, [&](comm::Communicator world) {
      parallel::Pool pool(1);
      auto node = world.split_by_node();
      auto alone = world.split(world.rank());
      auto loaded = load_table(world, node, path, request, pool, Features::kOnDemand);
      FoldStore whole(alone, data.table, data.needs, 7, pool);
      ShareStore shares(world, node, loaded.table, data.needs, 7, pool);
      for (const FoldNeed& need : data.needs) {
        expect_share(shares.binned(need.fold, need.max_bins),
                     whole.binned(need.fold, need.max_bins));
      }
      node.barrier();
      shares.release(node);
      whole.release(alone);
      node.free_shared(loaded.memory);
    });
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace orchard::run
