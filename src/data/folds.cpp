#include "orchard/data/folds.hpp"

#include <algorithm>
#include <numeric>

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"
#include "orchard/random/stream.hpp"

namespace orchard::data {
namespace {

using options::CvSettings;
using random::Purpose;
using random::Stream;

/// Folds from each row's test fold; rows of a negative fold are in every training.
std::vector<Fold> folds_of(std::span<const std::int32_t> fold_of_row, std::size_t n_folds) {
  constexpr std::uint64_t kMaxRowNumbers = std::uint64_t{1} << 34;
  if (fold_of_row.size() > kMaxRowNumbers / n_folds) {
    throw Error(ErrorKind::kResources, format("{} of {} are too many.", counted(n_folds, "fold"),
                                              counted(fold_of_row.size(), "row")));
  }
  std::vector<RowIndex> n_test(n_folds, 0);
  for (const auto fold : fold_of_row) {
    if (fold >= 0) ++n_test[static_cast<std::size_t>(fold)];
  }
  std::vector<Fold> folds(n_folds);
  for (std::size_t fold = 0; fold < n_folds; ++fold) {
    folds[fold].test.reserve(n_test[fold]);
    folds[fold].train.reserve(fold_of_row.size() - n_test[fold]);
    for (std::size_t row = 0; row < fold_of_row.size(); ++row) {
      const bool is_test = fold_of_row[row] == static_cast<std::int32_t>(fold);
      (is_test ? folds[fold].test : folds[fold].train).push_back(static_cast<RowIndex>(row));
    }
  }
  return folds;
}

std::size_t checked_splits(const CvSettings& settings, RowIndex n_rows) {
  if (settings.n_splits < 2) {
    throw Error(ErrorKind::kUsage,
                format("cv.n_splits = {}; at least 2 are needed.", settings.n_splits));
  }
  if (settings.n_splits > std::int64_t{n_rows}) {
    throw Error(ErrorKind::kUsage, format("cv.n_splits = {}, but the table has {}.",
                                          settings.n_splits, counted(n_rows, "row")));
  }
  return static_cast<std::size_t>(settings.n_splits);
}

/// scikit-learn's KFold: consecutive pieces of the (shuffled) rows, the first n % k one longer.
std::vector<Fold> k_fold(const CvSettings& settings, const Table& table,
                         std::uint64_t random_state) {
  const std::size_t n_splits = checked_splits(settings, table.n_rows);
  std::vector<RowIndex> order(table.n_rows);
  std::iota(order.begin(), order.end(), RowIndex{0});
  if (settings.shuffle) Stream(random_state, Purpose::kFolds, 0).shuffle(order);
  std::vector<std::int32_t> fold_of_row(table.n_rows);
  auto row = order.begin();
  for (std::size_t fold = 0; fold < n_splits; ++fold) {
    const std::size_t n_test = table.n_rows / n_splits + (fold < table.n_rows % n_splits ? 1 : 0);
    for (std::size_t i = 0; i < n_test; ++i) fold_of_row[*row++] = static_cast<std::int32_t>(fold);
  }
  return folds_of(fold_of_row, n_splits);
}

/// Classes in order of first appearance, and their rows.
std::vector<std::vector<RowIndex>> rows_by_class(const Table& table) {
  std::vector<std::ptrdiff_t> place_of_class(table.schema.n_classes(), -1);
  std::vector<std::vector<RowIndex>> rows;
  for (RowIndex row = 0; row < table.n_rows; ++row) {
    auto& place = place_of_class.at(static_cast<std::size_t>(table.target[row]));
    if (place < 0) {
      place = static_cast<std::ptrdiff_t>(rows.size());
      rows.emplace_back();
    }
    rows[static_cast<std::size_t>(place)].push_back(row);
  }
  return rows;
}

/// scikit-learn's StratifiedKFold: the rows sorted by class are dealt out to the folds one by one,
/// which gives the number of each class in each fold; within a class the folds take their numbers
/// of rows in (shuffled) order.
std::vector<Fold> stratified_k_fold(const CvSettings& settings, const Table& table,
                                    std::uint64_t random_state) {
  const std::size_t n_splits = checked_splits(settings, table.n_rows);
  if (table.schema.task != Task::kClassification || table.target.size() != table.n_rows) {
    throw Error(ErrorKind::kUsage, "cv = StratifiedKFold needs a classification target.", "",
                "Use KFold for regression.");
  }
  const auto rows = rows_by_class(table);
  std::size_t n_largest = 0;
  for (const auto& members : rows) n_largest = std::max(n_largest, members.size());
  if (n_splits > n_largest) {
    throw Error(ErrorKind::kUsage, format("cv.n_splits = {}, but the largest class has {}.",
                                          n_splits, counted(n_largest, "row")));
  }
  std::vector<std::int32_t> fold_of_row(table.n_rows);
  std::size_t n_dealt = 0;
  for (const auto& members : rows) {
    std::vector<std::uint32_t> n_of_fold(n_splits, 0);
    for (std::size_t i = 0; i < members.size(); ++i) ++n_of_fold[(n_dealt + i) % n_splits];
    n_dealt += members.size();
    std::vector<std::uint32_t> folds;
    for (std::size_t fold = 0; fold < n_splits; ++fold) {
      folds.insert(folds.end(), n_of_fold[fold], static_cast<std::uint32_t>(fold));
    }
    if (settings.shuffle) {
      const auto class_index = static_cast<std::uint64_t>(table.target[members.front()]);
      Stream(random_state, Purpose::kFolds, class_index).shuffle(folds);
    }
    for (std::size_t i = 0; i < members.size(); ++i) {
      fold_of_row[members[i]] = static_cast<std::int32_t>(folds[i]);
    }
  }
  return folds_of(fold_of_row, n_splits);
}

/// One split for each distinct fold number, ascending.
std::vector<Fold> predefined_split(const Table& table, std::span<const std::int32_t> fold_of_row) {
  if (fold_of_row.empty()) {
    throw Error(ErrorKind::kUsage, "cv = PredefinedSplit needs cv.fold_file or cv.fold_column.");
  }
  require(fold_of_row.size() == table.n_rows, "every row has its fold number");
  std::vector<std::int32_t> numbers(fold_of_row.begin(), fold_of_row.end());
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  const bool has_rest = numbers.front() < 0;
  numbers.erase(numbers.begin(), std::lower_bound(numbers.begin(), numbers.end(), 0));
  if (numbers.empty()) {
    throw Error(ErrorKind::kData, "every row has fold number -1: no fold has test rows.");
  }
  if (numbers.size() == 1 && !has_rest) {
    throw Error(ErrorKind::kData,
                format("every row is in test fold {}: none is left for training.", numbers[0]));
  }
  std::vector<std::int32_t> place_of_row(table.n_rows, -1);
  for (std::size_t row = 0; row < table.n_rows; ++row) {
    if (fold_of_row[row] < 0) continue;
    const auto place = std::lower_bound(numbers.begin(), numbers.end(), fold_of_row[row]);
    place_of_row[row] = static_cast<std::int32_t>(place - numbers.begin());
  }
  return folds_of(place_of_row, numbers.size());
}

}  // namespace

std::vector<Fold> make_folds(const CvSettings& settings, const Table& table,
                             std::span<const std::int32_t> fold_of_row,
                             std::uint64_t random_state) {
  switch (settings.cv) {
    case options::Splitter::kKFold:
      return k_fold(settings, table, random_state);
    case options::Splitter::kStratifiedKFold:
      return stratified_k_fold(settings, table, random_state);
    default:
      return predefined_split(table, fold_of_row);
  }
}

Fold whole_table(RowIndex n_rows) {
  Fold fold;
  fold.train.resize(n_rows);
  std::iota(fold.train.begin(), fold.train.end(), RowIndex{0});
  return fold;
}

}  // namespace orchard::data
