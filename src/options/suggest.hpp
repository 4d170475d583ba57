#pragma once
// What somebody probably meant by a name that is not known: the nearest names, names that belong
// elsewhere, and the words that other programs use.

#include "table.hpp"

namespace orchard::options {

/// Why `name` is no key of [section] and which one may be meant. `section` is one of
/// plain_sections(), "grid" or "model"; `estimator` is known for some sub-grids.
std::string explain_unknown_key(const std::string& section, const std::string& shown_section,
                                const std::string& name,
                                std::optional<Estimator> estimator = std::nullopt);
/// The same for a section's name as written between the brackets.
std::string explain_unknown_section(const std::string& written);
/// "Did you mean 'roc_auc'?" for the value auc, which is known elsewhere under that name, else "".
std::string foreign_value(const std::string& option, const std::string& word);
/// Our name for another program's option, or "".
std::string foreign_meaning(const std::string& name);
/// Names under which other programs know options, for tests.
std::vector<std::string> foreign_names();

}  // namespace orchard::options
