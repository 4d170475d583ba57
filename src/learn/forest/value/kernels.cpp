#include "forest/value/kernels.hpp"

#include <algorithm>
#include <array>

#include "orchard/base/instruction_set.hpp"

namespace orchard::learn::values {
namespace {

Best scan_cells_from(const Cell* cells, std::size_t n_bins, Cell left, const Around& around) {
  Best best;
  for (std::size_t bin = 0; bin < n_bins; ++bin) {
    if (cells[bin].rows_and_weight == 0) continue;
    left += cells[bin];
    if (!around.allows(left.n_rows())) continue;
    const double score = around.score(left);
    if (score > best.score) best = {score, static_cast<std::uint32_t>(bin), false};
  }
  return best;
}

Best scan_cells(const Cell* cells, std::size_t n_bins, const Around& around) {
  const Best right = scan_cells_from(cells, n_bins, {}, around);
  if (cells[n_bins].rows_and_weight == 0) return right;
  Best left = scan_cells_from(cells, n_bins, cells[n_bins], around);
  left.is_missing_left = true;
  return better(right, left);
}

/// `n_places`: those whose rows have a successor that may go right.
Best scan_list_from(const std::uint8_t* numbers, const Bin* bins, const Cell* cells,
                    std::size_t n_places, Cell left, const Around& around) {
  Best best;
  for (std::size_t i = 0; i < n_places; ++i) {
    left += cells[numbers[i]];
    if (bins[i] == bins[i + 1] || !around.allows(left.n_rows())) continue;
    const double score = around.score(left);
    if (score > best.score) best = {score, static_cast<std::uint32_t>(i), false};
  }
  return best;
}

Best scan_list(const Lists& lists, std::size_t feature, std::size_t begin, std::size_t n,
               const Around& around) {
  const std::uint8_t* numbers = lists.numbers + feature * kListStride + begin;
  const Bin* bins = lists.bins + feature * kListStride + begin;
  if (bins[0] == bins[n - 1]) return {};
  const Best right = scan_list_from(numbers, bins, lists.cells, n - 1, {}, around);
  if (bins[n - 1] != lists.missing_bins[feature]) return right;
  Cell missing;
  std::size_t n_values = n;
  for (; bins[n_values - 1] == bins[n - 1]; --n_values) {
    missing += lists.cells[numbers[n_values - 1]];
  }
  Best left = scan_list_from(numbers, bins, lists.cells, n_values - 1, missing, around);
  left.is_missing_left = true;
  return better(right, left);
}

std::size_t scan_lists(const Lists& lists, std::size_t begin, std::size_t end, const Around& around,
                       Winner* winners) {
  double score = -std::numeric_limits<double>::infinity();
  std::size_t n = 0;
  for (std::size_t f = 0; f < lists.n_features; ++f) {
    const Best best = scan_list(lists, f, begin, end - begin, around);
    if (best.score < score || best.score == -std::numeric_limits<double>::infinity()) continue;
    if (best.score > score) n = 0;
    score = best.score;
    winners[n++] = {static_cast<FeatureIndex>(f), best.position, best.is_missing_left};
  }
  return n;
}

void part_lists(const Lists& lists, std::size_t begin, std::size_t end, const std::uint8_t* side,
                std::size_t n_left) {
  std::array<std::uint8_t, kMaxListed> right_numbers;
  std::array<Bin, kMaxListed> right_bins;
  for (std::size_t f = 0; f < lists.n_features; ++f) {
    std::uint8_t* numbers = lists.numbers + f * kListStride;
    Bin* bins = lists.bins + f * kListStride;
    std::size_t left = begin, right = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint8_t number = numbers[i];
      const std::size_t is_right = side[number] & 1;
      numbers[left] = right_numbers[right] = number;
      bins[left] = right_bins[right] = bins[i];
      left += 1 - is_right;
      right += is_right;
    }
    std::copy_n(right_numbers.begin(), right, numbers + begin + n_left);
    std::copy_n(right_bins.begin(), right, bins + begin + n_left);
  }
}

constexpr Kernels kBaselineKernels{scan_cells, scan_lists, part_lists};

}  // namespace

Kernels choose_kernels() {
#if ORCHARD_HAS_X86_64
  if (instruction_set() >= InstructionSet::kAvx512) return kAvx512Kernels;
#endif
  return kBaselineKernels;
}

}  // namespace orchard::learn::values
