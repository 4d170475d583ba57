#pragma once
// How many of a feature's thresholds lie below a value, for many values at once.

#include <span>
#include <vector>

#include "orchard/base/types.hpp"

namespace orchard::model {

/// The thresholds of one numeric feature, ready to be searched: a value's cell on an even grid says
/// which thresholds lie below it for certain, and a few comparisons decide about those in its cell.
class ThresholdGrid {
 public:
  static constexpr std::size_t kMaxThresholds = 254;

  /// `ascending`: finite and distinct, 1 .. kMaxThresholds.
  explicit ThresholdGrid(std::span<const float> ascending);

  /// out[i] = number of thresholds below values[i], or `missing` where the value is NaN.
  void codes_of(std::span<const float> values, Bin missing, Bin* out) const;

  /// What the search reads.
  struct View {
    float lowest;  ///< where cell 0 begins
    float cells_a_unit;
    const Bin* n_below;        ///< [kCells]: thresholds in lower cells; 3 more bytes are readable
    const float* thresholds;   ///< ascending, then infinities: no search leaves the array
    std::uint32_t first_step;  ///< of the search within a cell: a power of two, or 0
  };
  static constexpr std::size_t kCells = 4096;

 private:
  View view() const;

  float lowest_ = 0;
  float cells_a_unit_ = 0;
  std::vector<Bin> n_below_;
  std::vector<float> thresholds_;
  std::uint32_t first_step_ = 0;
};

/// The version for AVX-512: all whole groups of 64 values; returns how many values that were.
std::size_t codes_of_avx512(const ThresholdGrid::View& grid, std::span<const float> values,
                            Bin missing, Bin* out);

}  // namespace orchard::model
