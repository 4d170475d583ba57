#pragma once
// How the row-major copy of the training rows holds the features: most in a column of their own,
// features that never leave their usual bin in the same row together in one column (exclusive
// feature bundling; Ke et al. 2017, restricted to what loses nothing).

#include <cstdint>
#include <vector>

#include "orchard/base/types.hpp"

namespace orchard::data {

/// Where the row-major copy holds a feature.
struct RowPlace {
  std::uint32_t column = 0;
  /// Not 0: the feature shares its column. It has two bins and no missing values, and the column
  /// holds `code` in the rows where it is in bin `rare`.
  Bin code = 0;
  Bin rare = 0;

  bool is_bundled() const { return code != 0; }
  bool operator==(const RowPlace&) const = default;
};

struct RowColumns {
  std::vector<RowPlace> places;  ///< [n_features]
  /// [n_columns] the features of each column, ascending. A feature alone: the column holds its
  /// bins. Several: code k + 1 stands for the k-th of them, 0 for none.
  std::vector<std::vector<std::uint32_t>> features;

  std::size_t n_columns() const { return features.size(); }
  /// A column for each feature.
  static RowColumns plain(std::size_t n_features);
  bool operator==(const RowColumns&) const = default;
};

}  // namespace orchard::data
