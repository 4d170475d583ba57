#pragma once
// The loops behind GradientKernel, written so that a compiler makes vector code of them. Each
// boosting_gradient_kernel*.cpp compiles them for one instruction set; the operations are the same
// everywhere, and so are the bits. Included by those files only.

#include <algorithm>
#include <bit>

#include "boosting/gradient_kernel.hpp"
#include "boosting/gradients.hpp"
#include "boosting/loop.hpp"
#include "orchard/base/elementary.hpp"

namespace orchard::learn::boosting::loops {

/// The nearest integer, half away from zero.
ORCHARD_LOOP std::int32_t to_nearest(double value) {
  return static_cast<std::int32_t>(value + (value < 0 ? -0.5 : 0.5));
}

ORCHARD_LOOP void from_probability(const double* __restrict p, const double* __restrict target,
                                   double own, std::size_t n, GradientBlock& out) {
  for (std::size_t i = 0; i < n; ++i) {
    const double probability = p[i];
    out.g[i] = probability - (target[i] == own ? 1.0 : 0.0);
    out.h[i] = probability * (1.0 - probability);
  }
}

ORCHARD_LOOP void derivatives(const LossInput& input, std::size_t begin, std::size_t n,
                              GradientBlock& out) {
  const double* const target = input.target + begin;
  if (input.kind == LossKind::kSquaredError) {
    const std::int64_t* const raw = input.raw + begin;
    for (std::size_t i = 0; i < n; ++i) {
      out.g[i] = to_double(raw[i]) * input.raw_quantum - target[i];
      out.h[i] = 1.0;
    }
  } else if (input.kind == LossKind::kBinary) {
    alignas(64) double p[kGradientBlock];
    const std::int64_t* const raw = input.raw + begin;
    const double quantum = input.raw_quantum;
    for (std::size_t i = 0; i < n; ++i) p[i] = exact_sigmoid(to_double(raw[i]) * quantum);
    from_probability(p, target, 1.0, n, out);
  } else {
    from_probability(input.probability + begin, target, static_cast<double>(input.output), n, out);
  }
  if (input.weight == nullptr) return;
  const double* __restrict weight = input.weight + begin;
  for (std::size_t i = 0; i < n; ++i) out.g[i] *= weight[i];
  for (std::size_t i = 0; i < n; ++i) out.h[i] *= weight[i];
}

ORCHARD_LOOP std::int64_t greatest_of(const double* values, std::size_t n) {
  std::int64_t greatest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const auto bits =
        static_cast<std::int64_t>(std::bit_cast<std::uint64_t>(values[i]) & 0x7fffffffffffffff);
    greatest = greatest < bits ? bits : greatest;
  }
  return greatest;
}

ORCHARD_LOOP GreatestBits greatest(const GradientBlock& block, std::size_t n) {
  return {greatest_of(block.g, n), greatest_of(block.h, n)};
}

ORCHARD_LOOP void find_extremes(const std::int64_t* __restrict raw, const double* __restrict target,
                                std::size_t n, RawExtremes& extremes) {
  const RawExtremes none;
  RawExtremes found = extremes;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t of_0 = target[i] == 1.0 ? none.greatest_of_0 : raw[i];
    const std::int64_t of_1 = target[i] == 1.0 ? raw[i] : none.least_of_1;
    const auto pattern = static_cast<std::uint64_t>(raw[i]);
    found.greatest_of_0 = found.greatest_of_0 < of_0 ? of_0 : found.greatest_of_0;
    found.least_of_1 = of_1 < found.least_of_1 ? of_1 : found.least_of_1;
    found.least = pattern < found.least ? pattern : found.least;
    found.greatest = found.greatest < pattern ? pattern : found.greatest;
  }
  extremes = found;
}

/// `least_h(i)`: least quanta of h of row i; such a row counts when that is not 0.
template <class LeastH>
ORCHARD_LOOP std::size_t pack_rows(const GradientBlock& block, const PackScale& scale,
                                   std::size_t n, std::uint64_t* __restrict out, LeastH least_h) {
  const double g_scale = scale.g, h_scale = scale.h;
  std::int32_t n_few = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t g = to_nearest(block.g[i] * g_scale);
    const auto rounded = static_cast<std::int32_t>(block.h[i] * h_scale + 0.5);
    const std::int32_t floor = least_h(i);
    const std::int32_t h = rounded < floor ? floor : rounded;
    const std::int32_t size = g < 0 ? -g : g;
    n_few += static_cast<std::int32_t>((size < h ? size : h) < kFewQuanta) & floor;
    out[i] = (static_cast<std::uint64_t>(g) << kPackedShift) + static_cast<std::uint64_t>(h);
  }
  return static_cast<std::size_t>(n_few);
}

ORCHARD_LOOP std::size_t pack_counted(const GradientBlock& block, double g_scale, std::size_t n,
                                      std::uint64_t* __restrict out) {
  std::int32_t n_few = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t g = to_nearest(block.g[i] * g_scale);
    n_few += static_cast<std::int32_t>((g < 0 ? -g : g) < kFewQuanta);
    out[i] = (static_cast<std::uint64_t>(g) << kPackedShift) + 1;
  }
  return static_cast<std::size_t>(n_few);
}

ORCHARD_LOOP std::size_t pack(const GradientBlock& block, const double* weight,
                              const PackScale& scale, std::size_t n, std::uint64_t* out) {
  if (scale.h_is_count) return pack_counted(block, scale.g, n, out);
  if (weight == nullptr) {
    return pack_rows(block, scale, n, out, [](std::size_t) { return 1; });
  }
  return pack_rows(block, scale, n, out,
                   [weight](std::size_t i) { return static_cast<std::int32_t>(weight[i] != 0); });
}

ORCHARD_LOOP void softmax(int n_outputs, std::size_t n_rows, double raw_quantum,
                          const std::int64_t* raw, std::size_t n, double* out) {
  alignas(64) std::int64_t greatest[kGradientBlock];
  alignas(64) double sum[kGradientBlock];
  for (std::size_t i = 0; i < n; ++i) greatest[i] = raw[i];
  for (int k = 1; k < n_outputs; ++k) {
    const std::int64_t* const from = raw + static_cast<std::size_t>(k) * n_rows;
    for (std::size_t i = 0; i < n; ++i) greatest[i] = greatest[i] < from[i] ? from[i] : greatest[i];
  }
  for (std::size_t i = 0; i < n; ++i) sum[i] = 0;
  for (int k = 0; k < n_outputs; ++k) {
    const std::int64_t* __restrict from = raw + static_cast<std::size_t>(k) * n_rows;
    double* __restrict to = out + static_cast<std::size_t>(k) * n_rows;
    for (std::size_t i = 0; i < n; ++i) {
      to[i] = exact_exp(to_double(from[i] - greatest[i]) * raw_quantum);
    }
    for (std::size_t i = 0; i < n; ++i) sum[i] += to[i];
  }
  for (int k = 0; k < n_outputs; ++k) {
    double* __restrict to = out + static_cast<std::size_t>(k) * n_rows;
    for (std::size_t i = 0; i < n; ++i) to[i] /= sum[i];
  }
}

}  // namespace orchard::learn::boosting::loops
