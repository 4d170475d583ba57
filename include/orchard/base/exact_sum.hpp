#pragma once

#include <array>
#include <cstdint>

namespace orchard {

/// Sum of doubles without rounding until the end: a superaccumulator of 64-bit limbs that covers
/// the whole exponent range (after Kulisch). The value does not depend on the order of `add` and
/// `merge`. Non-finite summands make the result NaN.
class ExactSum {
 public:
  void add(double value);
  void merge(const ExactSum& other);
  /// The sum rounded once, to nearest, ties to even; infinite when it is beyond every double.
  double value() const;

 private:
  static constexpr int kLimbs = 68;  // 32 bits of each limb are payload, the rest is carry
  using Limbs = std::array<std::int64_t, kLimbs>;
  static void normalise(Limbs& limbs);

  Limbs limbs_{};                // limb i counts multiples of 2^(32 i - 1074)
  std::uint32_t n_pending_ = 0;  // additions since the carries were last propagated
  bool is_poisoned_ = false;
};

}  // namespace orchard
