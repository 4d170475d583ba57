#pragma once

#include <string>
#include <vector>

namespace orchard::store {

/// What differs between two files of ours (model, results or checkpoint), one line each, at most
/// `max_lines`; empty when they are equal. Every object, value (bit by bit) and attribute counts,
/// except the group /timing. Throws kData when a file is damaged or none of ours.
std::vector<std::string> differences(const std::string& path_a, const std::string& path_b,
                                     std::size_t max_lines = 20);

}  // namespace orchard::store
