#pragma once
// The inner loops of growing trees of several classes by counts, for AVX2 and AVX-512. All versions
// choose exactly the splits that ClassSearch with ExactGini chooses: same scores, same order among
// equals.

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "orchard/base/types.hpp"

namespace orchard::learn::classes {

inline constexpr std::size_t kMaxClasses = 32;
/// Counts of the classes, zero past the last.
using Counts = std::array<std::uint32_t, kMaxClasses>;

/// Nodes up to this weight are counted in 16 bits, a bin's classes in one register: sums of squares
/// then fit 31 bits.
inline constexpr std::uint32_t kMaxShortWeight = 32767;
inline constexpr std::size_t kBins = 256;
/// Of one feature, by bin; zero between searches. Aligned to 64 bytes.
struct Cells {
  alignas(64) std::uint16_t counts[kBins][kMaxClasses];
};
/// Features counted in one pass over the rows.
inline constexpr std::size_t kFeaturesAPass = 4;

/// What all splits of a node share.
struct ShortNode {
  alignas(64) std::uint16_t counts[kMaxClasses];
  std::uint32_t weight = 0, squares = 0;
  std::uint32_t n_rows = 0;
  std::uint32_t n_leaf_rows = 1;  ///< in distinct rows; 1: not looked at
};

/// The split that a node ends with. Where none is found, only the score is set.
struct Choice {
  static constexpr double kNoScore = -std::numeric_limits<double>::infinity();

  double score = kNoScore;
  FeatureIndex feature = 0;
  int left_bin = 0, right_bin = 0;  ///< highest at the left, next occupied one or the missing bin
  bool has_missing = false;         ///< the node holds rows without a value
  bool is_missing_left = false;
  Counts left;
  bool is_found() const { return score > kNoScore; }
};

/// The bins of a feature that may be occupied, ascending, without the missing one.
struct BinList {
  const Bin* bins = nullptr;
  std::size_t n = 0;
  Bin missing_bin = 0;
};

/// Where one feature's rows are counted.
struct FeatureCells {
  FeatureIndex feature = 0;
  const Cells* cells = nullptr;
  BinList list;
  const std::uint32_t* n_rows = nullptr;  ///< distinct ones by bin; only when sides must have some
};

/// Weight and classes (bit c: class c is present) of some rows.
struct Summary {
  std::uint32_t weight = 0, classes = 0;
};

struct Kernels {
  /// Offers the best splits of at most kFeaturesAPass features, in their order. False when no
  /// feature has two bins (asked without a rule for the sides' rows).
  bool (*search_cells)(const FeatureCells* features, std::size_t n_features, const ShortNode& node,
                       Choice& best);
  Summary (*summarize)(const Counts& counts);
  /// Fills `node` but for the rows. The weight must be short.
  void (*start_short)(const Counts& counts, ShortNode& node);
  /// The sum over the classes, ascending, of ((L_c W - N_c L) / W)^2, with L_c, N_c the counts of
  /// the left side and the node, L and W the weights.
  double (*sum_contrasts)(const Counts& left, std::uint32_t left_weight, const Counts& node,
                          const Summary& summary);
};
extern const Kernels kAvx2Kernels, kAvx512Kernels;

}  // namespace orchard::learn::classes
