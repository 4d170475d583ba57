#pragma once
// The loops behind SumsKernel, written so that a compiler makes vector code of them. Each
// boosting_sums_kernel*.cpp compiles them for one instruction set; the operations are the same
// everywhere, and so are the bits. Included by those files only.

#include <cstring>

#include "boosting/loop.hpp"
#include "boosting/sums_kernel.hpp"

namespace orchard::learn::boosting::loops {

/// As unpack(); sets below AVX-512 have no shift that keeps the sign of 64 bits.
ORCHARD_LOOP std::int64_t g_of(std::uint64_t word) {
  constexpr std::uint64_t kSign = std::uint64_t{1} << (63 - kPackedShift);
  return static_cast<std::int64_t>(((word >> kPackedShift) ^ kSign) - kSign);
}

ORCHARD_LOOP std::int64_t h_of(std::uint64_t word) {
  return static_cast<std::int64_t>(word & ((std::uint64_t{1} << kPackedShift) - 1));
}

ORCHARD_LOOP void flush(std::uint64_t* __restrict packed, std::size_t n, Sums* __restrict out,
                        bool is_first) {
  if (is_first) {
    for (std::size_t i = 0; i < n; ++i) {
      out[i].g = g_of(packed[i]);
      out[i].h = h_of(packed[i]);
    }
  } else {
    for (std::size_t i = 0; i < n; ++i) {
      out[i].g += g_of(packed[i]);
      out[i].h += h_of(packed[i]);
    }
  }
  std::memset(packed, 0, n * sizeof *packed);
}

ORCHARD_LOOP void add(Sums* __restrict to, const Sums* __restrict what, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    to[i].g += what[i].g;
    to[i].h += what[i].h;
  }
}

ORCHARD_LOOP void subtract(Sums* __restrict from, const Sums* __restrict what, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    from[i].g -= what[i].g;
    from[i].h -= what[i].h;
  }
}

}  // namespace orchard::learn::boosting::loops
