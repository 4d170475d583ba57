#pragma once
// Names of the same things in other programs. They are suggested, never accepted.

#include <span>
#include <string_view>

namespace orchard::options {

struct ForeignName {
  std::string_view name;
  std::string_view owner;    ///< "XGBoost's"
  std::string_view here[2];  ///< our names, the first that exists in the place is meant
};
std::span<const ForeignName> foreign_option_names();

struct ForeignValue {
  std::string_view option, word, here;
};
std::span<const ForeignValue> foreign_option_values();

}  // namespace orchard::options
