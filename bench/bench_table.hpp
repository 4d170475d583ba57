#pragma once
// Tables for timing: read from .npy files or drawn, held as float32 columns.

#include <string>
#include <vector>

#include "orchard/data/folds.hpp"
#include "orchard/data/table.hpp"

namespace orchard::bench {

enum class Kind { kBinary, kClasses, kRegression };

/// A table with its memory. Training rows come first.
struct BenchTable {
  data::Table table;
  std::vector<std::vector<float>> columns;
  std::vector<double> target;
  RowIndex n_train = 0;

  RowIndex n_test() const { return table.n_rows - n_train; }
  /// Rows [begin, end) for training, none for testing.
  static data::Fold rows(RowIndex begin, RowIndex end);
  /// The training rows, and the test rows to be read out.
  data::Fold train_and_test() const;
  /// Raw values of rows [begin, end).
  model::FeatureColumns features(RowIndex begin, RowIndex end) const;
};

/// float32 rows of a .npy file of two dimensions in C order. Throws kData.
struct Matrix {
  std::size_t n_rows = 0, n_columns = 0;
  std::vector<float> values;  ///< row-major
};
Matrix read_npy(const std::string& path);

/// FOLDER/NAME_train.npy, its first `n_train` rows (0: all), and FOLDER/NAME_test.npy where
/// `with_test`; the label is column 0. Throws kData.
BenchTable load_table(const std::string& folder, const std::string& name, Kind kind,
                      RowIndex n_train, bool with_test);

/// Drawn from a fixed seed: every column has more than 255 values, the label follows a few of them.
/// For costs as the work grows, where the law does not matter but the shape of the trees should be
/// ordinary.
BenchTable draw_table(RowIndex n_train, RowIndex n_test, std::size_t n_features);

}  // namespace orchard::bench
