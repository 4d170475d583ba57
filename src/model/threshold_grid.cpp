#include "threshold_grid.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "orchard/base/error.hpp"
#include "orchard/base/instruction_set.hpp"

namespace orchard::model {
namespace {

/// Monotone in `value`: every step rounds monotonously, and what is no number becomes cell 0. So a
/// threshold in a lower cell lies below the value, and one in a higher cell above it.
std::uint32_t cell_of(float value, float lowest, float cells_a_unit) {
  const float at = (value - lowest) * cells_a_unit;
  const float bounded = at > 0 ? at : 0;
  constexpr auto kLast = static_cast<float>(ThresholdGrid::kCells - 1);
  return static_cast<std::uint32_t>(bounded < kLast ? bounded : kLast);
}

/// Values searched side by side: enough to hide the latency of each step's load.
constexpr std::size_t kLanes = 16;

void codes_of_baseline(const ThresholdGrid::View& grid, std::span<const float> values, Bin missing,
                       Bin* out) {
  for (std::size_t begin = 0; begin < values.size(); begin += kLanes) {
    const std::size_t n_values = std::min(kLanes, values.size() - begin);
    float lane[kLanes] = {};
    std::copy_n(values.data() + begin, n_values, lane);
    std::uint32_t code[kLanes];
    for (std::size_t i = 0; i < kLanes; ++i) {
      code[i] = grid.n_below[cell_of(lane[i], grid.lowest, grid.cells_a_unit)];
    }
    for (std::uint32_t step = grid.first_step; step > 0; step /= 2) {
      for (std::size_t i = 0; i < kLanes; ++i) {
        code[i] += grid.thresholds[code[i] + step - 1] < lane[i] ? step : 0;
      }
    }
    for (std::size_t i = 0; i < n_values; ++i) {
      out[begin + i] = std::isnan(lane[i]) ? missing : static_cast<Bin>(code[i]);
    }
  }
}

}  // namespace

ThresholdGrid::ThresholdGrid(std::span<const float> ascending) : n_below_(kCells + 3) {
  require(!ascending.empty() && ascending.size() <= kMaxThresholds,
          "a grid has 1 to 254 thresholds");
  lowest_ = ascending.front();
  cells_a_unit_ = static_cast<float>(kCells) / (ascending.back() - ascending.front());
  std::vector<std::uint32_t> n_inside(kCells);
  for (const float threshold : ascending) ++n_inside[cell_of(threshold, lowest_, cells_a_unit_)];
  std::uint32_t n_before = 0, n_most = 0;
  for (std::size_t cell = 0; cell < kCells; ++cell) {
    n_below_[cell] = static_cast<Bin>(n_before);
    n_before += n_inside[cell];
    n_most = std::max(n_most, n_inside[cell]);
  }
  // Steps s, s / 2, ... 1 tell 2 s - 1 thresholds apart.
  first_step_ = std::bit_floor(n_most);
  thresholds_.assign(ascending.begin(), ascending.end());
  thresholds_.resize(ascending.size() + 2 * std::size_t{first_step_},
                     std::numeric_limits<float>::infinity());
}

ThresholdGrid::View ThresholdGrid::view() const {
  return {lowest_, cells_a_unit_, n_below_.data(), thresholds_.data(), first_step_};
}

void ThresholdGrid::codes_of(std::span<const float> values, Bin missing, Bin* out) const {
  std::size_t n_done = 0;
#if ORCHARD_HAS_X86_64
  if (instruction_set() >= InstructionSet::kAvx512) {
    n_done = codes_of_avx512(view(), values, missing, out);
  }
#endif
  codes_of_baseline(view(), values.subspan(n_done), missing, out + n_done);
}

}  // namespace orchard::model
