#include "orchard/base/exact_sum.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace orchard {
namespace {

constexpr int kLimbBits = 32;
constexpr std::int64_t kLimbMask = 0xffffffff;
constexpr int kMantissaBits = 53;
constexpr int kLowestExponent = -1074;           // of the lowest bit of limb 0
constexpr std::uint32_t kMaxPending = 1u << 30;  // each adds less than 2^32 to a limb of 63 bits

}  // namespace

void ExactSum::add(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const auto biased_exponent = static_cast<int>((bits >> 52) & 0x7ff);
  if (biased_exponent == 0x7ff) {
    is_poisoned_ = true;
    return;
  }
  const std::uint64_t fraction = bits & 0x000fffffffffffff;
  const bool is_normal = biased_exponent != 0;
  const std::uint64_t mantissa = fraction | (static_cast<std::uint64_t>(is_normal) << 52);
  const int shift = biased_exponent - static_cast<int>(is_normal);
  const int offset = shift % kLimbBits;
  const std::uint64_t low = mantissa << offset;
  const std::uint64_t high = offset == 0 ? 0 : mantissa >> (64 - offset);

  const std::int64_t sign = -static_cast<std::int64_t>(bits >> 63);  // 0 or -1
  std::int64_t* limb = limbs_.data() + shift / kLimbBits;
  limb[0] += (static_cast<std::int64_t>(low & kLimbMask) ^ sign) - sign;
  limb[1] += (static_cast<std::int64_t>(low >> kLimbBits) ^ sign) - sign;
  limb[2] += (static_cast<std::int64_t>(high) ^ sign) - sign;
  if (++n_pending_ == kMaxPending) {
    normalise(limbs_);
    n_pending_ = 1;
  }
}

void ExactSum::merge(const ExactSum& other) {
  Limbs limbs = other.limbs_;
  normalise(limbs);
  normalise(limbs_);
  for (int i = 0; i < kLimbs; ++i) limbs_[i] += limbs[i];
  n_pending_ = 2;
  is_poisoned_ = is_poisoned_ || other.is_poisoned_;
}

/// Afterwards every limb but the highest is within [0, 2^32); the highest carries the sign.
void ExactSum::normalise(Limbs& limbs) {
  std::int64_t carry = 0;
  for (int i = 0; i + 1 < kLimbs; ++i) {
    const std::int64_t limb = limbs[i] + carry;
    carry = limb >> kLimbBits;
    limbs[i] = limb & kLimbMask;
  }
  limbs[kLimbs - 1] += carry;
}

double ExactSum::value() const {
  if (is_poisoned_) return std::numeric_limits<double>::quiet_NaN();
  Limbs limbs = limbs_;
  normalise(limbs);
  const bool is_negative = limbs[kLimbs - 1] < 0;
  if (is_negative) {
    for (auto& limb : limbs) limb = -limb;
    normalise(limbs);
  }
  int top = kLimbs - 1;
  while (top > 0 && limbs[top] == 0) --top;

  // The bits of the highest three limbs, then whether anything below them is set.
  unsigned __int128 head = 0;
  int lowest = top;
  for (int i = 0; i < 3 && top - i >= 0; ++i) {
    lowest = top - i;
    head = (head << kLimbBits) | static_cast<std::uint64_t>(limbs[lowest]);
  }
  bool has_rest = false;
  for (int i = 0; i < lowest; ++i) has_rest = has_rest || limbs[i] != 0;

  const auto high_word = static_cast<std::uint64_t>(head >> 64);
  const auto low_word = static_cast<std::uint64_t>(head);
  const int n_bits = high_word != 0 ? 64 + static_cast<int>(std::bit_width(high_word))
                                    : static_cast<int>(std::bit_width(low_word));
  const int n_dropped = n_bits > kMantissaBits ? n_bits - kMantissaBits : 0;
  auto mantissa = static_cast<std::uint64_t>(head >> n_dropped);
  if (n_dropped > 0) {
    const auto half = static_cast<unsigned __int128>(1) << (n_dropped - 1);
    const unsigned __int128 dropped = head & ((half << 1) - 1);
    const bool is_tie = dropped == half && !has_rest;
    if (is_tie ? (mantissa & 1) != 0 : dropped >= half) ++mantissa;
  }
  const double magnitude =
      std::ldexp(static_cast<double>(mantissa), kLowestExponent + lowest * kLimbBits + n_dropped);
  return is_negative ? -magnitude : magnitude;
}

}  // namespace orchard
