#pragma once
// First and second derivatives of the loss as integers, so that their sums over rows have no order.
// The prescribed form is one 64-bit word a row: signed g with 22 bits in the high 34, h with 18
// bits in the low 30. A round in which too many rows would keep too few bits uses two int64
// instead.

#include <cstdint>
#include <span>
#include <vector>

#include "boosting/gradient_kernel.hpp"
#include "boosting/loss.hpp"
#include "orchard/parallel/pool.hpp"
#include "peers.hpp"

namespace orchard::learn::boosting {

/// A pair of sums over rows, in quanta.
struct Sums {
  std::int64_t g = 0, h = 0;
  bool operator==(const Sums&) const = default;
  Sums& operator+=(const Sums& other) {
    g += other.g;
    h += other.h;
    return *this;
  }
  Sums& operator-=(const Sums& other) {
    g -= other.g;
    h -= other.h;
    return *this;
  }
};

inline constexpr int kPackedShift = 30;  ///< bits of a word below g
inline constexpr int kPackedGBits = 22;  ///< with the sign
inline constexpr int kPackedHBits = 18;
/// Rows whose words may be added before a sum could overflow.
inline constexpr std::size_t kPackedRows = 4096;

inline std::uint64_t pack(std::int64_t g, std::int64_t h) {
  return (static_cast<std::uint64_t>(g) << kPackedShift) + static_cast<std::uint64_t>(h);
}
inline Sums unpack(std::uint64_t word) {
  return {static_cast<std::int64_t>(word) >> kPackedShift,
          static_cast<std::int64_t>(word & ((std::uint64_t{1} << kPackedShift) - 1))};
}

/// `kAuto` follows the rule; the others are for tests.
enum class Precision : std::uint8_t { kAuto, kPacked, kWide };

/// Derivatives of one output, [n_train]. g_quantum * g is a row's first derivative. Borrowed.
struct QuantisedGradients {
  double g_quantum = 1, h_quantum = 1;
  /// h is 1 a row: sums of h are row counts.
  bool h_is_count = false;
  const std::uint64_t* packed = nullptr;  ///< null when wide
  const Sums* wide = nullptr;             ///< null when packed
  bool is_wide() const { return wide != nullptr; }
  Sums at(RowIndex row) const { return is_wide() ? wide[row] : unpack(packed[row]); }
};

/// Makes the integers of each round, the same for any shares of the rows. Collective over the
/// peers; uses the pool's threads.
class GradientMaker {
 public:
  /// `target` and `rows` are of the own rows and borrowed. Held-out rows get integers too, which
  /// nobody may add.
  GradientMaker(LossKind kind, int n_outputs, double raw_quantum, std::span<const double> target,
                const TrainingRows& rows, Precision precision, parallel::Pool& pool,
                Peers peers = Peers(nullptr));

  /// Begins a round from raw predictions [n_outputs][n_train], borrowed until its last `quantise`.
  /// Throws kData when a derivative is not finite.
  void begin_round(std::span<const std::int64_t> raw);
  /// The integers of one output; valid until the next call. A row whose weight is not 0 has h of at
  /// least one quantum. Two int64 with min(52, 62 - ceil(log2 n)) bits when over 1 % of the rows
  /// with weight have |g| or h below 64 quanta in the packed form.
  QuantisedGradients quantise(int output);

 private:
  struct Maxima {
    double g = 0, h = 0;
    bool is_finite = true;
  };
  struct alignas(64) Counter {
    std::size_t value = 0;
  };
  LossInput input(int output) const;
  Maxima maxima_of(int output, std::size_t begin, std::size_t end) const;
  void find_maxima();
  Maxima maxima_of_two_classes();
  void agree_on_maxima();
  [[noreturn]] void report_not_finite() const;
  /// How many rows of all shares keep few bits.
  std::size_t fill_packed(const LossInput& from, const PackScale& scale);
  void fill_wide(const LossInput& from, double g_scale, double h_scale);

  LossKind kind_;
  int n_outputs_;
  double raw_quantum_;
  std::span<const double> target_;
  const TrainingRows& rows_;
  Precision precision_;
  parallel::Pool& pool_;
  Peers peers_;
  bool h_is_count_ = false;
  const GradientKernel& kernel_;
  // Of all shares: rows, and those with a weight other than 0.
  std::size_t n_all_ = 0, n_weighted_ = 0;

  const std::int64_t* raw_ = nullptr;
  std::vector<double> probability_;  // [n_outputs][n_train], several classes
  std::vector<Maxima> maxima_;       // [n_outputs]
  std::vector<std::uint64_t> packed_;
  std::vector<Sums> wide_;  // made when first needed
};

}  // namespace orchard::learn::boosting
