#include "bin_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "bin_search_kernels.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/instruction_set.hpp"

namespace orchard::data {
namespace {

// Values searched side by side: enough to hide the latency of each step's load.
constexpr std::size_t kLanes = 16;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Calls emit(i, n_below) for every value: the number of thresholds below it.
template <int kLevels, class Emit>
void count_below(const float* tree, const float* values, std::size_t n, Emit&& emit) {
  for (std::size_t begin = 0; begin < n; begin += kLanes) {
    const std::size_t n_values = std::min(kLanes, n - begin);
    float lane[kLanes] = {};
    std::copy_n(values + begin, n_values, lane);
    std::uint32_t node[kLanes];
    std::fill_n(node, kLanes, 1u);
    for (int level = 0; level < kLevels; ++level) {
      for (std::size_t i = 0; i < kLanes; ++i) {
        node[i] = 2 * node[i] + (tree[node[i]] < lane[i] ? 1 : 0);
      }
    }
    for (std::size_t i = 0; i < n_values; ++i) emit(begin + i, node[i] - (1u << kLevels));
  }
}

void search_cuts(const float* tree, const float* values, std::size_t n, Bin missing_bin, Bin* out) {
  count_below<8>(tree, values, n, [&](std::size_t i, std::uint32_t n_below) {
    out[i] = std::isnan(values[i]) ? missing_bin : static_cast<Bin>(n_below);
  });
}

std::size_t search_intervals(const float* tree, const float* values, std::size_t n, Bin missing_bin,
                             Bin* out, std::uint16_t* outside) {
  std::size_t n_outside = 0;
  count_below<9>(tree, values, n, [&](std::size_t i, std::uint32_t n_below) {
    const bool is_missing = std::isnan(values[i]);
    out[i] = is_missing ? missing_bin : static_cast<Bin>(n_below / 2);
    if (!is_missing && n_below % 2 == 0) outside[n_outside++] = static_cast<std::uint16_t>(i);
  });
  return n_outside;
}

/// Lays ascending thresholds [begin, end) of a full tree below `node`.
void lay(std::span<const float> all, std::size_t begin, std::size_t end, std::size_t node,
         std::span<float> tree) {
  if (begin == end) return;
  const std::size_t middle = begin + (end - begin) / 2;
  tree[node] = middle < all.size() ? all[middle] : kInfinity;
  lay(all, begin, middle, 2 * node, tree);
  lay(all, middle + 1, end, 2 * node + 1, tree);
}

std::vector<float> thresholds_of(std::span<const float> lowest, std::span<const float> highest) {
  require(lowest.size() == highest.size() && lowest.size() <= 255, "at most 255 intervals");
  std::vector<float> thresholds;
  for (std::size_t i = 0; i < lowest.size(); ++i) {
    thresholds.push_back(lowest[i] == kInfinity ? highest[i]
                                                : std::nextafter(lowest[i], -kInfinity));
    thresholds.push_back(highest[i]);
  }
  return thresholds;
}

#if ORCHARD_HAS_X86_64
constexpr auto kCutsAvx2 = search_cuts_avx2, kCutsAvx512 = search_cuts_avx512;
constexpr auto kIntervalsAvx2 = search_intervals_avx2, kIntervalsAvx512 = search_intervals_avx512;
#else
constexpr SearchCuts *kCutsAvx2 = nullptr, *kCutsAvx512 = nullptr;
constexpr SearchIntervals *kIntervalsAvx2 = nullptr, *kIntervalsAvx512 = nullptr;
#endif

}  // namespace

template <int kLevels>
ThresholdTree<kLevels>::ThresholdTree(std::span<const float> thresholds) {
  require(thresholds.size() < kSize, "a tree of thresholds holds them all");
  node[0] = kInfinity;
  lay(thresholds, 0, kSize - 1, 1, node);
}

template struct ThresholdTree<8>;
template struct ThresholdTree<9>;

IntervalTable::IntervalTable(std::span<const float> lowest, std::span<const float> highest)
    : tree_(thresholds_of(lowest, highest)) {}

void CutTable::bins_of(std::span<const float> values, Bin missing_bin, Bin* out) const {
  choose_version(search_cuts, kCutsAvx2, kCutsAvx512)(tree_.node.data(), values.data(),
                                                      values.size(), missing_bin, out);
}

std::size_t IntervalTable::bins_of(std::span<const float> values, Bin missing_bin, Bin* out,
                                   std::uint16_t* outside) const {
  return choose_version(search_intervals, kIntervalsAvx2, kIntervalsAvx512)(
      tree_.node.data(), values.data(), values.size(), missing_bin, out, outside);
}

}  // namespace orchard::data
