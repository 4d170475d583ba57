#pragma once
// Splitters, with scikit-learn's rules for who goes where.

#include <vector>

#include "orchard/data/table.hpp"
#include "orchard/options/job.hpp"

namespace orchard::data {

/// One split: row numbers of the table, ascending.
struct Fold {
  std::vector<RowIndex> train, test;
};

/// KFold and StratifiedKFold as scikit-learn splits (shuffled by addressed random numbers: unit 0,
/// or the class); PredefinedSplit: `fold_of_row` >= 0 is the test fold of a row, -1 keeps it in all
/// trainings; one split for each distinct number, ascending. `fold_of_row` is empty for the other
/// splitters. Throws kUsage: fewer than 2 folds, more folds than rows, or than members of every
/// class for StratifiedKFold, no fold numbers for PredefinedSplit; kData: no test rows, no training
/// rows. Throws kResources when the row numbers of all folds would take more than 64 GB.
std::vector<Fold> make_folds(const options::CvSettings& settings, const Table& table,
                             std::span<const std::int32_t> fold_of_row, std::uint64_t random_state);

/// All rows for training, none for testing: the refit.
Fold whole_table(RowIndex n_rows);

}  // namespace orchard::data
