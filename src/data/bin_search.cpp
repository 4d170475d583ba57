#include "bin_search.hpp"

#include <algorithm>
#include <cmath>

#include "orchard/base/error.hpp"

namespace orchard::data {
namespace {

// Values searched side by side: enough to hide the latency of each step's load.
constexpr std::size_t kLanes = 16;

}  // namespace

CutTable::CutTable(std::span<const float> cuts) {
  require(cuts.size() < kWidth, "a feature has at most 254 cuts");
  cuts_.fill(std::numeric_limits<float>::infinity());
  std::copy(cuts.begin(), cuts.end(), cuts_.begin());
}

void CutTable::bins_of(std::span<const float> values, Bin missing_bin, Bin* out) const {
  for (std::size_t begin = 0; begin < values.size(); begin += kLanes) {
    const std::size_t n_values = std::min(kLanes, values.size() - begin);
    float lane[kLanes] = {};
    std::copy_n(values.data() + begin, n_values, lane);
    std::uint32_t bin[kLanes] = {};
    for (std::uint32_t step = 128; step > 0; step /= 2) {
      for (std::size_t i = 0; i < kLanes; ++i) {
        bin[i] += cuts_[bin[i] + step - 1] < lane[i] ? step : 0;
      }
    }
    for (std::size_t i = 0; i < n_values; ++i) {
      out[begin + i] = std::isnan(lane[i]) ? missing_bin : static_cast<Bin>(bin[i]);
    }
  }
}

}  // namespace orchard::data
