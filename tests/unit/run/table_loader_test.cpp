#include "orchard/run/table_loader.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "orchard/base/text.hpp"
#include "orchard/random/stream.hpp"

namespace orchard::run {
namespace {

class TableLoader : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / format("orchard-loader-{}.csv", getpid());
    std::ofstream file(path_);
    file << "number,text,t\n";
    for (int row = 0; row < 500; ++row) {
      file << row % 50 << ",\"line one\nline, two " << row % 9 << "\"," << row * 3 << '\n';
    }
  }
  void TearDown() override { std::filesystem::remove(path_); }
  static data::ReadRequest request() {
    data::ReadRequest request;
    request.target = "t";
    request.task = Task::kRegression;
    return request;
  }
  std::filesystem::path path_;
};

TEST_F(TableLoader, AnyNumberOfRanksReadsTheSame) {
  std::string first;
  for (const int n_ranks : {1, 2, 3, 7}) {
    comm::run_as_ranks(n_ranks, [&](comm::Communicator world) {
      auto node = world.split_by_node();
      parallel::Pool pool(2);
      const auto loaded = load_table(world, node, path_, request(), pool);
      EXPECT_EQ(loaded.table.n_rows, 500u);
      EXPECT_EQ(loaded.table.schema.features[1].levels.size(), 9u);
      EXPECT_EQ(loaded.table.target[499], 1497);
      if (world.rank() == 0) {
        if (first.empty()) first = loaded.digest.hex();
        EXPECT_EQ(loaded.digest.hex(), first);
      }
      node.free_shared(loaded.memory);
    });
  }
}

TEST_F(TableLoader, AFaultIsEverybodysFault) {
  comm::run_as_ranks(3, [&](comm::Communicator world) {
    auto node = world.split_by_node();
    parallel::Pool pool(1);
    auto wrong = request();
    wrong.target = "tt";
    try {
      load_table(world, node, path_, wrong, pool);
      ADD_FAILURE() << "a missing target is refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kData);
    }
  });
}

/// What one reader makes of a file in the long way: survey, conclude, read. A digest or an error.
std::string read_plainly(const std::string& path, const data::ReadRequest& request) {
  try {
    return data::table_digest(data::read_csv(path, request)->table).hex();
  } catch (const Error& error) {
    return error.what();
  }
}

std::string read_by_ranks(int n_ranks, const std::string& path, const data::ReadRequest& request) {
  std::vector<std::string> found(static_cast<std::size_t>(n_ranks));
  comm::run_as_ranks(n_ranks, [&](comm::Communicator world) {
    auto node = world.split_by_node();
    parallel::Pool pool(1);
    auto& own = found[static_cast<std::size_t>(world.rank())];
    try {
      const auto loaded = load_table(world, node, path, request, pool);
      own = loaded.digest.hex();
      EXPECT_EQ(data::table_digest(loaded.table), loaded.digest);
      node.barrier();
      node.free_shared(loaded.memory);
    } catch (const Error& error) {
      own = error.what();
    }
  });
  for (const auto& each : found) EXPECT_EQ(each, found.front());
  return found.front();
}

/// Tables of numbers, most of them with something in it that is not as plain as that: they read
/// the same, or fail with the same words, as by the long way.
TEST_F(TableLoader, TablesOfNumbersReadTheSame) {
  const random::Stream stream(7, random::Purpose::kBootstrap, 0);
  std::uint64_t draw = 0;
  const auto below = [&](std::size_t n) { return stream.below(n, draw++); };
  const std::vector<std::string> odd = {"",
                                        "1e39",
                                        "-1e39",
                                        "1e-50",
                                        "-0",
                                        "+7",
                                        "1e5",
                                        "2.5E-3",
                                        "3.4028235e38",
                                        " 4 ",
                                        "\"5\"",
                                        "\"\"",
                                        "x",
                                        "nan",
                                        "1.2.",
                                        "-",
                                        "12345678901234567890.5",
                                        "1\n2",
                                        "1,2",
                                        "\r",
                                        "\n",
                                        "a\"b",
                                        "0.1234567890123456789",
                                        "007",
                                        ".5",
                                        "5."};
  int n_read = 0;
  for (int i = 0; i < 200; ++i) {
    const char* const line_end = std::vector<const char*>{"\n", "\n", "\r\n", "\r"}[below(4)];
    const bool has_odd = below(4) != 0, has_weight = below(2) == 0;
    std::string text = std::string("a,b,w,c,t") + line_end;
    const std::size_t n_rows = below(60);
    const std::size_t odd_row = below(n_rows + 1), odd_column = below(5);
    for (std::size_t row = 0; row < n_rows; ++row) {
      for (std::size_t column = 0; column < 5; ++column) {
        std::string cell = format("{}{}", below(3) == 0 ? "-" : "", below(2000));
        if (below(2) == 0) cell += format(".{}", below(1000000));
        if (column == 2) cell = format("{}", below(4) + 1);
        if (column == 4) cell = below(2) == 0 ? "1" : "0";
        if (has_odd && row == odd_row && column == odd_column) cell = odd[below(odd.size())];
        text += cell + (column < 4 ? "," : line_end);
      }
    }
    if (below(3) == 0 && !text.empty()) text.pop_back();
    if (below(5) == 0) text += std::string(line_end) + line_end;
    std::ofstream(path_, std::ios::binary) << text;
    data::ReadRequest request;
    request.target = "t";
    request.task = below(2) == 0 ? Task::kRegression : Task::kClassification;
    if (has_weight) request.weight = "w";
    if (below(4) == 0) request.fold_column = "b";
    if (below(8) == 0) request.categorical_features = {"c"};
    if (below(8) == 0) request.drop = {"a"};
    const auto expected = read_plainly(path_, request);
    n_read += expected.size() == 32 ? 1 : 0;
    for (const int n_ranks : {1, 2, 5}) {
      ASSERT_EQ(read_by_ranks(n_ranks, path_, request), expected) << text;
    }
  }
  EXPECT_GT(n_read, 30);
  EXPECT_LT(n_read, 170);
}

/// A model's schema decides what is read; labels that it does not know are a fault.
TEST_F(TableLoader, ReadsWhatASchemaWants) {
  std::ofstream(path_) << "a,b,t\n1,2,yes\n3,4,no\n5,,yes\n";
  model::Schema schema;
  schema.task = Task::kClassification;
  schema.classes = {"no", "yes"};
  schema.features = {{"b", model::FeatureKind::kNumeric, {}}};
  data::ReadRequest request;
  request.schema = &schema;
  EXPECT_EQ(read_by_ranks(2, path_, request), read_plainly(path_, request));
  request.target = "t";
  EXPECT_EQ(read_by_ranks(2, path_, request), read_plainly(path_, request));
  schema.classes = {"maybe", "no"};
  EXPECT_EQ(read_by_ranks(2, path_, request), read_plainly(path_, request));
  EXPECT_NE(read_plainly(path_, request).find("none of the classes"), std::string::npos);
}

}  // namespace
}  // namespace orchard::run
