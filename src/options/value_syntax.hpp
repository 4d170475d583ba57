#pragma once

#include <string>

namespace orchard::options {

/// How values are written, for help and documentation: lines up to 80 columns.
std::string value_syntax();

}  // namespace orchard::options
