#pragma once

#include <vector>

namespace orchard::data {

/// Sorts ascending by radix. No NaN; -0.0 comes before 0.0. `scratch` is overwritten.
void sort_floats(std::vector<float>& values, std::vector<float>& scratch);

}  // namespace orchard::data
