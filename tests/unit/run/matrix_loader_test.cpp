#include <gmock/gmock.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>

#include "orchard/base/text.hpp"
#include "orchard/data/folds.hpp"
#include "orchard/h5/builder.hpp"
#include "orchard/h5/user_block.hpp"
#include "orchard/run/fold_store.hpp"
#include "orchard/run/table_loader.hpp"

namespace orchard::run {
namespace {

using ::testing::HasSubstr;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t kRows = 1000, kColumns = 5;

class MatrixLoader : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + format("orchard-matrix-{}.h5", getpid());
    for (std::size_t i = 0; i < kRows * kColumns; ++i) {
      x_.push_back(i % 13 == 5 ? kNaN : static_cast<float>(i * i % 1009) / 8);
    }
    for (std::size_t i = 0; i < kRows; ++i) {
      y_.push_back(static_cast<float>(i % 3));
      w_.push_back(static_cast<double>(i % 4));
      fold_.push_back(static_cast<std::int64_t>(i % 5) - 1);
    }
    request_.target = "y";
  }
  void TearDown() override { std::filesystem::remove(path_); }

  /// Writes the datasets that `write` makes as a file without our user block.
  void save(const std::function<void(h5::Builder&)>& write) const {
    h5::Builder builder;
    write(builder);
    const h5::Image image = builder.finish();
    const auto bytes = image.bytes().subspan(h5::kUserBlockBytes);
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
  void save_all() const {
    save([&](h5::Builder& builder) {
      builder.write("/x", x_, kRows, kColumns);
      builder.write("/y", y_);
      builder.write("/w", w_);
      builder.write("/fold", fold_);
      builder.write("/x_test", std::vector<float>{1, 2, 3});
    });
  }

  /// The digest that any number of ranks reads, or the error's text.
  std::string read(int n_ranks = 1) const {
    std::vector<std::string> found(static_cast<std::size_t>(n_ranks));
    comm::run_as_ranks(n_ranks, [&](comm::Communicator world) {
      auto node = world.split_by_node();
      parallel::Pool pool(1);
      auto& own = found[static_cast<std::size_t>(world.rank())];
      try {
        const auto loaded = load_table(world, node, path_, request_, pool);
        own = loaded.digest.hex();
        node.barrier();
        node.free_shared(loaded.memory);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kData);
        own = error.what();
      }
    });
    for (const auto& each : found) EXPECT_EQ(each, found.front());
    return found.front();
  }
  std::string read_csv() const {
    const std::string path = path_ + ".csv";
    std::ofstream file(path);
    file << "fold,x0,x1,x2,x3,x4,w,y\n";
    for (std::size_t row = 0; row < kRows; ++row) {
      file << fold_[row] << ',';
      for (std::size_t column = 0; column < kColumns; ++column) {
        const float value = x_[row * kColumns + column];
        if (value == value) file << value;
        file << ',';
      }
      file << w_[row] << ',' << y_[row] << '\n';
    }
    file.close();
    const auto digest = data::table_digest(data::read_csv(path, request_)->table).hex();
    std::filesystem::remove(path);
    return digest;
  }

  std::string path_;
  std::vector<float> x_, y_;
  std::vector<double> w_;
  std::vector<std::int64_t> fold_;
  data::ReadRequest request_;
};

TEST_F(MatrixLoader, ReadsWhatACsvFileWouldHold) {
  save_all();
  request_.weight = "w";
  request_.fold_column = "fold";
  for (const Task task : {Task::kClassification, Task::kRegression}) {
    request_.task = task;
    for (const auto& drop : {std::vector<std::string>{}, {"x1", "x4"}}) {
      request_.drop = drop;
      const auto expected = read_csv();
      for (const int n_ranks : {1, 2, 3}) EXPECT_EQ(read(n_ranks), expected) << n_ranks;
    }
  }
}

TEST_F(MatrixLoader, ASchemaChoosesFeatures) {
  save_all();
  model::Schema schema;
  schema.task = Task::kClassification;
  schema.classes = {"0", "1", "2"};
  schema.features = {{"x3", model::FeatureKind::kNumeric, {}},
                     {"x0", model::FeatureKind::kNumeric, {}}};
  request_.schema = &schema;
  EXPECT_EQ(read(2), read_csv());
  schema.classes = {"0", "1"};
  EXPECT_THAT(read(2), HasSubstr("y: row 2: 2 is none of the classes (0, 1)"));
  schema.features[0].name = "alcohol";
  EXPECT_THAT(read(2), HasSubstr("no feature 'alcohol' for a feature of the model"));
}

TEST_F(MatrixLoader, TellsWhatIsWrong) {
  const auto expect = [&](const std::string& message,
                          const std::function<void(h5::Builder&)>& write) {
    save(write);
    for (const int n_ranks : {1, 3}) EXPECT_THAT(read(n_ranks), HasSubstr(message));
  };
  const auto expect_y = [&](const std::string& message, const auto& y) {
    expect(message, [&](h5::Builder& builder) {
      builder.write("/x", x_, kRows, kColumns);
      builder.write("/y", y);
    });
  };
  expect("x: is absent", [&](h5::Builder& builder) { builder.write("/y", y_); });
  expect("x: has 1 dimension, expected two", [&](h5::Builder& builder) {
    builder.write("/x", x_);
    builder.write("/y", y_);
  });
  expect("x: is no dataset", [&](h5::Builder& builder) { builder.make_group("/x"); });
  expect("no dataset 'y' for the target", [&](h5::Builder& builder) {
    builder.write("/x", x_, kRows, kColumns);
    builder.write("/label", y_);
  });
  auto y = y_;
  y.pop_back();
  expect_y("y: has the shape [999], expected [1000]", y);
  y = y_;
  y[700] = y[900] = kNaN;
  expect_y("y: row 700: the target is NaN", y);
  expect_y("y: holds one class only, '4'", std::vector<double>(kRows, 4));

  auto x = x_;
  x[803 * kColumns + 1] = x[803 * kColumns] = std::numeric_limits<float>::infinity();
  expect("x: row 803 holds a value that is infinite", [&](h5::Builder& builder) {
    builder.write("/x", x, kRows, kColumns);
    builder.write("/y", y_);
  });
  request_.weight = "w";
  const auto expect_w = [&](const std::string& message, const std::vector<double>& w) {
    expect(message, [&](h5::Builder& builder) {
      builder.write("/x", x_, kRows, kColumns);
      builder.write("/y", y_);
      builder.write("/w", w);
    });
  };
  auto w = w_;
  w[500] = -0.5;
  expect_w("w: row 500: -0.5 is no weight", w);
  expect_w("no weight in 'w' is above zero", std::vector<double>(kRows, 0));
  request_.weight = "";
  request_.fold_column = "w";
  w[500] = 0.5;
  expect_w("w: row 500: 0.5 is no fold", w);
  request_.fold_column = "";
  request_.categorical_features = {"x1"};
  expect_w("categorical_features cannot be read from HDF5", w_);
}

/// A table that is never held has the same digest and the same bins.
TEST_F(MatrixLoader, FeaturesOnDemandGiveTheSameBins) {
  save_all();
  request_.drop = {"x2"};
  request_.weight = "w";
  const auto fold = data::whole_table(kRows);
  data::Fold part;
  for (RowIndex row = 0; row < kRows; ++row) (row % 4 == 1 ? part.test : part.train).push_back(row);
  const std::vector<FoldNeed> needs = {{0, &fold, 255, true}, {1, &part, 31, false}};
  for (const int n_ranks : {1, 3}) {
    comm::run_as_ranks(n_ranks, [&](comm::Communicator world) {
      auto node = world.split_by_node();
      parallel::Pool pool(1);
      auto held = load_table(world, node, path_, request_, pool);
      auto read = load_table(world, node, path_, request_, pool, Features::kOnDemand);
      EXPECT_EQ(held.digest, read.digest);
      EXPECT_EQ(read.table.columns, std::vector<const float*>(4, nullptr));
      FoldStore a(node, held.table, needs, 7, pool), b(node, read.table, needs, 7, pool);
      EXPECT_EQ(a.n_bytes(), b.n_bytes());
      for (const auto& need : needs) {
        const auto& x = a.binned(need.fold, need.max_bins);
        const auto& y = b.binned(need.fold, need.max_bins);
        EXPECT_EQ(std::memcmp(x.memory, y.memory, x.layout.n_bytes), 0);
        EXPECT_TRUE(std::equal(x.target.begin(), x.target.end(), y.target.begin()));
        EXPECT_TRUE(std::equal(x.weight.begin(), x.weight.end(), y.weight.begin()));
        for (std::size_t f = 0; f < 4; ++f) {
          EXPECT_EQ(x.binning->features[f].cuts, y.binning->features[f].cuts);
        }
      }
      a.release(node);
      b.release(node);
      node.free_shared(held.memory);
      node.free_shared(read.memory);
    });
  }
}

TEST_F(MatrixLoader, ADamagedFileIsRefused) {
  save_all();
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) / 2);
  EXPECT_THAT(read(2), HasSubstr("HDF5"));
}

}  // namespace
}  // namespace orchard::run
