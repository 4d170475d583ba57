#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace orchard::data {

/// Position of the first byte that is not part of well-formed UTF-8 (Unicode 15, table 3-7), or
/// nothing when all is.
std::optional<std::size_t> first_non_utf8(std::string_view text);

}  // namespace orchard::data
