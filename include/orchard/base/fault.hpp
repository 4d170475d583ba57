#pragma once
// Named places at which a test can make a rank fail.

#include <string_view>

namespace orchard {

/// Throws kInternal when the environment says ORCHARD_FAULT=NAME@RANK with this name and rank.
/// Does nothing otherwise. For tests of what the other ranks then do.
void fault_point(std::string_view name, int rank);

}  // namespace orchard
