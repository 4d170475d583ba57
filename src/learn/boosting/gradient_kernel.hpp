#pragma once
// The loops over rows that make gradients. Versions for several instruction sets, all of the same
// bits.

#include <cstddef>
#include <cstdint>
#include <limits>

#include "boosting/loss.hpp"

namespace orchard::learn::boosting {

/// Most rows of one call.
inline constexpr std::size_t kGradientBlock = 512;
/// A row with fewer quanta of |g| or h has lost too many bits.
inline constexpr std::int32_t kFewQuanta = 64;

/// Where the derivatives of one output come from; arrays over the training rows, borrowed.
struct LossInput {
  LossKind kind = LossKind::kSquaredError;
  int output = 0;
  const double* probability = nullptr;  ///< of the output's class; log loss of several classes
  const std::int64_t* raw = nullptr;    ///< the others
  double raw_quantum = 1;
  const double* target = nullptr;
  const double* weight = nullptr;  ///< or null: all one
};

/// First (g) and second (h) derivatives of a block of rows, times the rows' weights.
struct alignas(64) GradientBlock {
  double g[kGradientBlock], h[kGradientBlock];
};

/// Greatest |g| and h as the bits of the numbers, whose order is that of the numbers, NaN last.
struct GreatestBits {
  std::int64_t g = 0, h = 0;
};

/// The rows of two classes that may have the greatest |g| or h: without weights |g| and h are
/// monotone in the raw prediction. Starts as that of no rows.
struct RawExtremes {
  std::int64_t greatest_of_0 = std::numeric_limits<std::int64_t>::min();  ///< target not 1
  std::int64_t least_of_1 = std::numeric_limits<std::int64_t>::max();
  /// As unsigned numbers: where both signs occur, the two that are nearest to 0.
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max(), greatest = 0;
};

/// What a row's derivatives are multiplied by. `h_is_count`: h is 1, whatever h_scale is.
struct PackScale {
  double g = 1, h = 1;
  bool h_is_count = false;
};

struct GradientKernel {
  /// Derivatives at rows [begin, begin + n).
  void (*derivatives)(const LossInput& input, std::size_t begin, std::size_t n, GradientBlock& out);
  GreatestBits (*greatest)(const GradientBlock& block, std::size_t n);
  /// Words of a block, rounded to the nearest; a row with weight has h of at least 1. Returns how
  /// many rows with weight have few quanta. `weight`: [n] or null.
  std::size_t (*pack)(const GradientBlock& block, const double* weight, const PackScale& scale,
                      std::size_t n, std::uint64_t* out);
  /// Probabilities of `n` rows from raw predictions [n_outputs][n_rows] to the same shape.
  void (*softmax)(int n_outputs, std::size_t n_rows, double raw_quantum, const std::int64_t* raw,
                  std::size_t n, double* out);
  /// Goes on with rows whose raw predictions and targets are given.
  void (*find_extremes)(const std::int64_t* raw, const double* target, std::size_t n,
                        RawExtremes& extremes);
};

/// The kernel for instruction_set().
const GradientKernel& gradient_kernel();

extern const GradientKernel kGradientKernelAvx2, kGradientKernelAvx512;

}  // namespace orchard::learn::boosting
