#include "sort_floats.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace orchard::data {
namespace {

constexpr int kDigitBits = 11;
constexpr int kDigits = 3;
constexpr std::size_t kBuckets = std::size_t{1} << kDigitBits;
constexpr std::size_t kWorthwhile = 4096;

/// Bits that are ordered as the values are: the sign bit flipped, and all others of negatives.
std::uint32_t ordered_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return (bits >> 31) != 0 ? ~bits : bits | 0x80000000u;
}

std::size_t digit_of(float value, int digit) {
  return (ordered_bits(value) >> (digit * kDigitBits)) & (kBuckets - 1);
}

}  // namespace

void sort_floats(std::vector<float>& values, std::vector<float>& scratch) {
  if (values.size() < kWorthwhile) {
    std::sort(values.begin(), values.end(),
              [](float a, float b) { return ordered_bits(a) < ordered_bits(b); });
    return;
  }
  scratch.resize(values.size());
  std::array<std::array<std::size_t, kBuckets>, kDigits> starts{};
  for (const float value : values) {
    for (int digit = 0; digit < kDigits; ++digit) ++starts[digit][digit_of(value, digit)];
  }
  for (int digit = 0; digit < kDigits; ++digit) {
    std::size_t n_before = 0;
    for (auto& start : starts[digit]) {
      const std::size_t n_here = start;
      start = n_before;
      n_before += n_here;
    }
    for (const float value : values) scratch[starts[digit][digit_of(value, digit)]++] = value;
    values.swap(scratch);
  }
}

}  // namespace orchard::data
