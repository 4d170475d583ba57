#pragma once
// The loops behind SumsKernel, written so that a compiler makes vector code of them. Each
// boosting_sums_kernel*.cpp compiles them for one instruction set; the operations are the same
// everywhere, and so are the bits. Included by those files only.

#include <bit>
#include <cstring>

#include "boosting_loop.hpp"
#include "boosting_sums_kernel.hpp"

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

ORCHARD_LOOP BestCut best_cut(const Sums* slots, int first, int n_bins, const Sums& start,
                              const Sums& total, const CutRules& rules) {
  constexpr int kMaxBins = 256;
  alignas(64) std::int64_t left_g[kMaxBins], left_h[kMaxBins];
  // Gains of legal cuts, else 0, by their bits: those of positive numbers are in their order.
  alignas(64) std::int64_t gains[kMaxBins];
  const int n = n_bins - first;
  Sums left = start;
  for (int i = 0; i < n; ++i) {
    left.g += slots[first + i].g;
    left.h += slots[first + i].h;
    left_g[i] = left.g;
    left_h[i] = left.h;
  }
  const std::int64_t total_g = total.g, total_h = total.h;
  const double l2 = rules.l2, min_h = rules.min_h, base = rules.base, least = rules.least;
  std::int64_t greatest = 0;
  for (int i = 0; i < n; ++i) {
    const double gl = to_double(left_g[i]), hl = to_double(left_h[i]);
    const double gr = to_double(total_g - left_g[i]), hr = to_double(total_h - left_h[i]);
    const double gain = gl * gl / (hl + l2) + gr * gr / (hr + l2) - base;
    const bool is_legal = (gain > least) & (hl >= min_h) & (hr >= min_h);
    const std::int64_t bits = is_legal ? std::bit_cast<std::int64_t>(gain) : 0;
    gains[i] = bits;
    greatest = greatest < bits ? bits : greatest;
  }
  if (greatest == 0) return {};
  int at = 0;
  while (gains[at] != greatest) ++at;
  return {std::bit_cast<double>(greatest), first + at};
}

}  // namespace orchard::learn::boosting::loops
