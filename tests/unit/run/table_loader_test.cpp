#include "orchard/run/table_loader.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "orchard/base/text.hpp"

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
      const auto loaded = load_table(world, node, path_, request());
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
    auto wrong = request();
    wrong.target = "tt";
    try {
      load_table(world, node, path_, wrong);
      ADD_FAILURE() << "a missing target is refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kData);
    }
  });
}

}  // namespace
}  // namespace orchard::run
