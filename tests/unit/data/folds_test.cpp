#include "orchard/data/folds.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "orchard/base/error.hpp"
#include "orchard/random/stream.hpp"
#include "scratch_file.hpp"

namespace orchard::data {
namespace {

using options::CvSettings;
using options::Splitter;
using ::testing::ElementsAre;

Table table_of(const std::vector<double>& target, std::size_t n_classes) {
  Table table;
  table.n_rows = static_cast<RowIndex>(target.size());
  table.target = target;
  for (std::size_t i = 0; i < n_classes; ++i) table.schema.classes.push_back(std::to_string(i));
  table.schema.task = n_classes > 0 ? Task::kClassification : Task::kRegression;
  return table;
}

CvSettings settings(Splitter cv, std::int64_t n_splits, bool shuffle = false) {
  CvSettings out;
  out.cv = cv;
  out.n_splits = n_splits;
  out.shuffle = shuffle;
  return out;
}

std::vector<int> fold_of_row(const std::vector<Fold>& folds, std::size_t n_rows) {
  std::vector<int> out(n_rows, -1);
  for (std::size_t fold = 0; fold < folds.size(); ++fold) {
    EXPECT_TRUE(std::is_sorted(folds[fold].test.begin(), folds[fold].test.end()));
    EXPECT_TRUE(std::is_sorted(folds[fold].train.begin(), folds[fold].train.end()));
    std::vector<RowIndex> both, all(n_rows);
    std::iota(all.begin(), all.end(), RowIndex{0});
    std::merge(folds[fold].test.begin(), folds[fold].test.end(), folds[fold].train.begin(),
               folds[fold].train.end(), std::back_inserter(both));
    EXPECT_EQ(both, all);
    for (const RowIndex row : folds[fold].test) out[row] = static_cast<int>(fold);
  }
  return out;
}

std::vector<int> assignment(const CvSettings& cv, const Table& table, std::uint64_t seed = 0) {
  return fold_of_row(make_folds(cv, table, {}, seed), table.n_rows);
}

/// scikit-learn's _make_test_folds without shuffling, as it is written there.
std::vector<int> stratified_reference(const std::vector<double>& target, std::size_t n_splits) {
  std::map<double, std::size_t> code;
  std::vector<std::size_t> encoded;
  for (const double y : target) encoded.push_back(code.emplace(y, code.size()).first->second);
  auto order = encoded;
  std::sort(order.begin(), order.end());
  std::vector<std::vector<int>> folds_for_class(code.size());
  for (std::size_t fold = 0; fold < n_splits; ++fold) {
    for (std::size_t i = fold; i < order.size(); i += n_splits) {
      folds_for_class[order[i]].push_back(static_cast<int>(fold));
    }
  }
  std::vector<std::size_t> next(code.size(), 0);
  std::vector<int> out;
  for (const std::size_t k : encoded) out.push_back(folds_for_class[k][next[k]++]);
  return out;
}

TEST(KFold, ConsecutiveFoldsTheFirstOnesLonger) {
  const std::vector<double> y(7, 0);
  EXPECT_THAT(assignment(settings(Splitter::kKFold, 3), table_of(y, 0)),
              ElementsAre(0, 0, 0, 1, 1, 2, 2));
}

TEST(KFold, ShuffledFoldsArePiecesOfOnePermutation) {
  const std::vector<double> y(103, 0);
  const Table table = table_of(y, 0);
  const auto seed = testing::test_seed();
  std::vector<std::uint32_t> order(y.size());
  std::iota(order.begin(), order.end(), 0u);
  random::Stream(seed, random::Purpose::kFolds, 0).shuffle(order);
  std::vector<int> expected(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    expected[order[i]] = static_cast<int>(i < 63 ? i / 21 : 3 + (i - 63) / 20);
  }
  EXPECT_EQ(assignment(settings(Splitter::kKFold, 5, true), table, seed), expected);
  EXPECT_NE(assignment(settings(Splitter::kKFold, 5, true), table, seed + 1), expected);
}

TEST(StratifiedKFold, AsScikitLearnDeals) {
  // The example in scikit-learn's documentation.
  EXPECT_THAT(assignment(settings(Splitter::kStratifiedKFold, 2), table_of({0, 0, 1, 1}, 2)),
              ElementsAre(0, 1, 0, 1));
  const random::Stream stream(testing::test_seed(), random::Purpose::kBootstrap, 0);
  std::uint64_t draw = 0;
  for (int i = 0; i < 50; ++i) {
    const std::size_t n_classes = 2 + stream.below(5, draw++);
    const std::size_t n_splits = 2 + stream.below(6, draw++);
    std::vector<double> y(n_classes * n_splits + stream.below(100, draw++));
    for (double& label : y) label = static_cast<double>(stream.below(n_classes, draw++));
    EXPECT_EQ(assignment(settings(Splitter::kStratifiedKFold, static_cast<std::int64_t>(n_splits)),
                         table_of(y, n_classes)),
              stratified_reference(y, n_splits));
  }
}

TEST(StratifiedKFold, ShufflingKeepsTheCounts) {
  std::vector<double> y;
  for (int i = 0; i < 97; ++i) y.push_back(i % 7 == 0 ? 2 : i % 3 == 0 ? 0 : 1);
  const Table table = table_of(y, 3);
  const auto plain = assignment(settings(Splitter::kStratifiedKFold, 4), table);
  const auto mixed = assignment(settings(Splitter::kStratifiedKFold, 4, true), table, 7);
  EXPECT_NE(plain, mixed);
  EXPECT_EQ(mixed, assignment(settings(Splitter::kStratifiedKFold, 4, true), table, 7));
  std::map<std::pair<double, int>, int> n_plain, n_mixed;
  for (std::size_t i = 0; i < y.size(); ++i) {
    ++n_plain[{y[i], plain[i]}];
    ++n_mixed[{y[i], mixed[i]}];
  }
  EXPECT_EQ(n_plain, n_mixed);
}

TEST(PredefinedSplit, OneSplitForEachNumber) {
  const std::vector<double> y(6, 0);
  const std::vector<std::int32_t> numbers = {7, 2, -1, 2, 7, 9};
  const auto folds =
      make_folds(settings(Splitter::kPredefinedSplit, 5), table_of(y, 0), numbers, 0);
  ASSERT_EQ(folds.size(), 3u);
  EXPECT_THAT(folds[0].test, ElementsAre(1, 3));
  EXPECT_THAT(folds[0].train, ElementsAre(0, 2, 4, 5));
  EXPECT_THAT(folds[1].test, ElementsAre(0, 4));
  EXPECT_THAT(folds[2].test, ElementsAre(5));
}

TEST(Folds, WholeTable) {
  EXPECT_THAT(whole_table(3).train, ElementsAre(0, 1, 2));
  EXPECT_TRUE(whole_table(3).test.empty());
}

ErrorKind refusal(const CvSettings& cv, const Table& table,
                  std::vector<std::int32_t> numbers = {}) {
  try {
    make_folds(cv, table, numbers, 0);
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::kInternal;
}

TEST(Folds, Refusals) {
  const std::vector<double> y = {0, 0, 0, 1};
  const Table table = table_of(y, 2);
  const auto usage = ErrorKind::kUsage, data = ErrorKind::kData;
  EXPECT_EQ(refusal(settings(Splitter::kKFold, 5), table), usage);
  EXPECT_EQ(refusal(settings(Splitter::kKFold, 1), table), usage);
  EXPECT_EQ(refusal(settings(Splitter::kStratifiedKFold, 4), table), usage);
  EXPECT_NO_THROW(make_folds(settings(Splitter::kStratifiedKFold, 3), table, {}, 0));
  EXPECT_EQ(refusal(settings(Splitter::kStratifiedKFold, 2), table_of(y, 0)), usage);
  EXPECT_EQ(refusal(settings(Splitter::kPredefinedSplit, 5), table), usage);
  EXPECT_EQ(refusal(settings(Splitter::kPredefinedSplit, 5), table, {-1, -1, -1, -1}), data);
  EXPECT_EQ(refusal(settings(Splitter::kPredefinedSplit, 5), table, {3, 3, 3, 3}), data);
}

}  // namespace
}  // namespace orchard::data
