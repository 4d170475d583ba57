#pragma once
// Bins of many values at once.

#include <array>
#include <limits>
#include <span>

#include "orchard/base/types.hpp"

namespace orchard::data {

/// The cuts of a numeric feature, padded for a search of eight steps without branches.
class CutTable {
 public:
  explicit CutTable(std::span<const float> cuts);

  /// out[i] = number of cuts below values[i], or `missing_bin` where the value is NaN.
  void bins_of(std::span<const float> values, Bin missing_bin, Bin* out) const;

 private:
  static constexpr std::size_t kWidth = 255;
  std::array<float, kWidth> cuts_;
};

}  // namespace orchard::data
