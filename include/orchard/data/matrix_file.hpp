#pragma once
// Tables in HDF5: a matrix of features and vectors beside it.

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "orchard/data/csv.hpp"
#include "orchard/h5/input.hpp"

namespace orchard::data {

/// An HDF5 file whose dataset `x` [rows, features] holds the features, named x0, x1, ...; target,
/// weight and fold column are named datasets [rows]. All are integers or floating-point numbers;
/// NaN is missing, in features only. Other datasets are no matter. All features are numeric; labels
/// are numbers too.
///
/// Any rank reads any rows. Throws kData naming file, dataset and row. Local, main thread only.
class MatrixFile : public ColumnSource {
 public:
  MatrixFile(const std::string& path, const ReadRequest& request);

  /// Without the classes of a target that is to be found out. Columns are those of `x`.
  const Layout& layout() const { return layout_; }
  RowIndex n_rows() const { return layout_.n_rows; }

  /// The distinct labels of rows [first, last), for a request without a schema.
  std::set<std::string> labels(RowIndex first, RowIndex last) const;
  /// Puts the classes in their order. Throws kData for fewer than two or too many.
  void set_labels(const std::set<std::string>& labels);

  /// Target, weights and folds of rows [first, last).
  void read_vectors(RowIndex first, RowIndex last, const TableBuffers& out) const;
  /// Throws kData also when the file was changed since it was opened.
  void read(std::size_t first_feature, std::size_t last_feature, RowIndex first_row,
            RowIndex last_row, std::span<float* const> out, parallel::Pool& pool) const override;

 private:
  void find_features();
  void check_vector(const std::string& name, const std::string& use) const;
  template <class Use>
  void for_values(const std::string& name, const std::string& use, RowIndex first, RowIndex last,
                  Use&& take) const;

  h5::InputFile file_;
  std::string path_;
  std::filesystem::file_time_type changed_at_;
  ReadRequest request_;
  std::size_t n_columns_ = 0;
  Layout layout_;
};

}  // namespace orchard::data
