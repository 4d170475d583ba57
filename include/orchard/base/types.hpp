#pragma once
// The words every module shares: index types and the handful of enumerations that travel from the
// job file to the model file.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace orchard {

/// Position of a row in a table or in a fit. A table holds at most 2^32 - 2 rows; readers check.
using RowIndex = std::uint32_t;
/// Index of a feature, in the order of the schema.
using FeatureIndex = std::uint32_t;
/// Index of a node inside one tree. The root is 0.
using NodeIndex = std::int32_t;
/// One feature of one row after binning. Values of a numeric feature keep their order.
using Bin = std::uint8_t;

using Bytes = std::vector<std::byte>;
using ByteSpan = std::span<const std::byte>;

/// What is predicted.
enum class Task : std::uint8_t { kClassification = 0, kRegression = 1 };

}  // namespace orchard
