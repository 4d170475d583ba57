#pragma once
// What the tests of `store` share: a directory of their own, small trees, snapshots and models.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>

#include "orchard/base/directory.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/file.hpp"
#include "orchard/h5/builder.hpp"
#include "orchard/model/ensemble.hpp"
#include "orchard/store/checkpoint.hpp"

namespace orchard::store {

/// What `write` makes, in memory and not sealed.
inline h5::Image image_of(const std::function<void(h5::Builder&)>& write) {
  h5::Builder builder;
  write(builder);
  return builder.finish();
}

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    directory_ = ::testing::TempDir() + "orchard_store_" + std::to_string(::getpid()) + "_" +
                 info->test_suite_name() + "_" + info->name();
    std::filesystem::create_directories(directory_);
  }
  ~StoreTest() override { std::filesystem::remove_all(directory_); }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  std::vector<std::string> names() const { return list_directory(directory_); }

  std::string directory_;
};

inline Error error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(ErrorKind::kInternal, "none");
}

/// Runs `body` in a child process; its exit code, or 128 + the signal that ended it.
inline int run_in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Files of this process cannot grow past `limit`: the stand-in for a full disk.
inline void limit_files(rlim_t limit) {
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit bounds{limit, limit};
  ::setrlimit(RLIMIT_FSIZE, &bounds);
}

inline void write_bytes(const std::string& path, ByteSpan bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

inline void flip_bit(const std::string& path, std::size_t at) {
  Bytes bytes = read_file(path);
  bytes.at(at) ^= std::byte{16};
  write_bytes(path, bytes);
}

/// A root with two leaves; node 0 splits `feature` at 0.5 + salt.
inline model::Tree small_tree(std::int32_t feature = 0, std::int64_t salt = 0) {
  model::Tree tree;
  tree.feature = {feature, -1, -1};
  tree.threshold = {0.5F + static_cast<float>(salt), 0, 0};
  tree.left = {1, -1, -1};
  tree.flags = {model::Tree::kMissingLeft, 0, 0};
  tree.value_row = {-1, 0, 1};
  tree.n_samples = {10, 4, 6};
  tree.gain = {0.25, 0, 0};
  tree.values = {salt, -7};
  return tree;
}

/// As small_tree, splitting a categorical feature with two words of levels.
inline model::Tree categorical_tree(std::int32_t feature) {
  model::Tree tree = small_tree(feature);
  tree.threshold[0] = 0;
  tree.flags[0] = model::Tree::kCategorical;
  tree.category_begin = {0, -1, -1};
  tree.category_n_words = {2, 0, 0};
  tree.category_words = {0x80000001u, 0x5u};
  return tree;
}

/// A snapshot with every part filled; `salt` makes it another one.
inline search::Snapshot example_snapshot(std::int64_t salt = 0) {
  search::Snapshot snapshot;
  search::TaskResult scored;
  scored.task = 0;
  scored.scores = {0.75, std::numeric_limits<double>::quiet_NaN(), -0.0};
  scored.reasons = {"", "one class only", ""};
  scored.failures = {"", "the gradient is not finite at round 7"};
  scored.sums = {1, 2, 3 + salt};
  scored.fit_s = 1.5;
  scored.score_s = 0.25;
  search::TaskResult failed;
  failed.task = 3;
  failed.failure = "the gradient is not finite";
  search::TaskResult refit;
  refit.task = 7;
  refit.units = {
      model::Unit({small_tree(1, salt)}), model::Unit({small_tree(2, 3), categorical_tree(0)}), {}};
  refit.value_exponent = -40;
  refit.baseline = {5, -5};
  snapshot.results = {scored, failed, refit};
  search::RunningTask running;
  running.task = 9;
  running.fit_s = 2.5;
  auto stopped = small_tree(0, 1);
  stopped.stops = {1, 2, std::numeric_limits<std::uint64_t>::max()};
  running.units = {model::Unit({stopped})};
  search::RunningTask fresh;
  fresh.task = 11;
  snapshot.running = {running, fresh};
  snapshot.elapsed_s = 123.25;
  snapshot.n_restarts = 4;
  snapshot.cutting = {3, 16};
  return snapshot;
}

/// Equality bit by bit: scores may be NaN.
inline void expect_equal(const search::Snapshot& a, const search::Snapshot& b) {
  ASSERT_EQ(a.results.size(), b.results.size());
  ASSERT_EQ(a.running.size(), b.running.size());
  for (std::size_t i = 0; i < a.results.size(); ++i) {
    EXPECT_EQ(a.results[i].to_bytes(), b.results[i].to_bytes()) << "result " << i;
  }
  for (std::size_t i = 0; i < a.running.size(); ++i) {
    EXPECT_EQ(a.running[i].to_bytes(), b.running[i].to_bytes()) << "running " << i;
  }
  EXPECT_EQ(a.elapsed_s, b.elapsed_s);
  EXPECT_EQ(a.n_restarts, b.n_restarts);
  EXPECT_EQ(a.cutting.n_fits, b.cutting.n_fits);
  EXPECT_EQ(a.cutting.block_trees, b.cutting.block_trees);
}

/// A forest of two classes over a numeric and a categorical feature.
inline model::Ensemble example_model() {
  model::Ensemble ensemble;
  ensemble.schema.features = {{"colour", model::FeatureKind::kCategorical, {"blue", "red"}},
                              {"size", model::FeatureKind::kNumeric, {}}};
  ensemble.schema.target = "kind, \"quoted\"";
  ensemble.schema.classes = {"0", "1"};
  ensemble.estimator = "RandomForestClassifier";
  ensemble.params = {{"n_estimators", "2"}, {"max_depth", "none"}};
  ensemble.n_outputs = 2;
  ensemble.value_exponent = -30;
  ensemble.baseline = {0, 0};
  ensemble.trees = {small_tree(1), categorical_tree(0)};
  for (auto& tree : ensemble.trees) tree.values = {1, 2, 3, 4};
  return ensemble;
}

}  // namespace orchard::store
