#pragma once
// Datasets of HDF5 files that others wrote.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace orchard::h5 {

/// Whether a file begins as HDF5 files without a user block do. False when it cannot be read.
bool is_hdf5(const std::string& path);

/// An HDF5 file opened for reading, by each rank on its own: no MPI-IO, no file locks. Soft and
/// external links, virtual datasets, external storage and filter plugins are refused, and so is a
/// dataset that claims to be larger than its file although it is not compressed.
///
/// Throws kData naming the file, the dataset, what was found and what was expected. Local. Ranks
/// that are threads of one process take turns in the library.
class InputFile {
 public:
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// Names of the datasets in the root group, in bytewise order.
  std::vector<std::string> datasets() const;
  /// Extents of a dataset of integers or floating-point numbers; others are refused.
  std::vector<std::uint64_t> shape(const std::string& dataset) const;

  /// Rows [first, last) of a dataset of one or two dimensions, all columns, in row-major order,
  /// converted to the type of `out`.
  void read_rows(const std::string& dataset, std::uint64_t first, std::uint64_t last,
                 double* out) const;
  /// The same of a dataset of two dimensions, columns [first_column, last_column).
  void read_block(const std::string& dataset, std::uint64_t first, std::uint64_t last,
                  std::uint64_t first_column, std::uint64_t last_column, float* out) const;

  /// Throws kData: "<file>: <dataset>: <message>".
  [[noreturn]] void fail(const std::string& dataset, const std::string& message,
                         const std::string& hint = {}) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace orchard::h5
