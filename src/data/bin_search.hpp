#pragma once
// Bins of many values at once.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "orchard/base/types.hpp"

namespace orchard::data {

/// Up to 2^kLevels - 1 ascending thresholds in the order of a breadth-first walk: a search takes
/// kLevels steps without branches, and the upper levels fit vector registers.
template <int kLevels>
struct ThresholdTree {
  static constexpr std::size_t kSize = std::size_t{1} << kLevels;
  /// [0] is unused, [1] the root, children of k are 2k and 2k + 1; infinity where there are fewer.
  alignas(64) std::array<float, kSize> node;

  explicit ThresholdTree(std::span<const float> thresholds);
};

/// The cuts of a numeric feature.
class CutTable {
 public:
  explicit CutTable(std::span<const float> cuts) : tree_(cuts) {}

  /// out[i] = number of cuts below values[i], or `missing_bin` where the value is NaN.
  void bins_of(std::span<const float> values, Bin missing_bin, Bin* out) const;

 private:
  ThresholdTree<8> tree_;
};

/// Ascending intervals that do not touch, at most 255: the values known of each bin.
class IntervalTable {
 public:
  /// `lowest` and `highest` [n], lowest[i] <= highest[i] < lowest[i + 1]. An interval of no value
  /// has its lowest infinite; its highest then parts its neighbours.
  IntervalTable(std::span<const float> lowest, std::span<const float> highest);

  /// out[i] = number of the interval that holds values[i], or `missing_bin` where the value is NaN.
  /// Positions of values in no interval, ascending, go to `outside` [values.size()]; their out[i]
  /// means nothing. Returns their number. At most 65,536 values.
  std::size_t bins_of(std::span<const float> values, Bin missing_bin, Bin* out,
                      std::uint16_t* outside) const;

 private:
  ThresholdTree<9> tree_;
};

}  // namespace orchard::data
