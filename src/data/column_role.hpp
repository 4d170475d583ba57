#pragma once
// What each column of a file is for: the one reading of a ReadRequest that all passes share.

#include <string>
#include <vector>

#include "orchard/data/csv.hpp"

namespace orchard::data {

enum class ColumnRole : std::uint8_t {
  kIgnored,
  kUndeclared,   ///< a feature whose kind its cells decide
  kNumeric,      ///< a feature that must be numbers
  kCategorical,  ///< a feature whose cells are level texts, numbers or not
  kClassTarget,
  kValueTarget,
  kWeight,
  kFold,
};

/// [columns of the header]. Names that the header does not hold are left to check_names.
std::vector<ColumnRole> roles_of(const std::vector<std::string>& header,
                                 const ReadRequest& request);

/// Place of a name in the header, or -1.
std::int32_t column_index(const std::vector<std::string>& header, const std::string& name);

/// Throws kData when the header cannot serve the request: wrong separator, no name, one name twice,
/// unknown names, one column asked for in two roles, no feature.
void check_names(const std::string& path, const std::vector<std::string>& header,
                 const ReadRequest& request);

}  // namespace orchard::data
