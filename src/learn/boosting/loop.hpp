#pragma once
// What the loops of several instruction sets share.

#include <bit>
#include <cstdint>

/// A function that becomes part of its caller and so is compiled for the caller's instruction set.
#define ORCHARD_LOOP [[gnu::always_inline]] inline

namespace orchard::learn::boosting::loops {

/// The nearest double, as a conversion gives it; not every set converts vectors. Both halves are
/// exact, so their sum is rounded once.
ORCHARD_LOOP double to_double(std::int64_t x) {
  const auto bits = static_cast<std::uint64_t>(x);
  const double high =
      std::bit_cast<double>((bits >> 32) ^ 0x4530000080000000) - (0x1p84 + 0x1p63 + 0x1p52);
  return high + std::bit_cast<double>((bits & 0xffffffff) | 0x4330000000000000);
}

}  // namespace orchard::learn::boosting::loops
