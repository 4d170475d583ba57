#pragma once
// The inner loops of growing two-class trees by counts, for AVX2 and AVX-512. All versions choose
// exactly the split that PairSearch chooses: same score, same order among equals.

#include <cstddef>
#include <cstdint>
#include <limits>

#include "forest/moving/kernels.hpp"
#include "orchard/base/types.hpp"

namespace orchard::learn::binary {

/// Multiplicities of some rows, and of those of class 1 among them.
struct Counts {
  std::uint32_t weight = 0, positives = 0;
};

/// A row's multiplicity and class in a byte: weight * 2 + class.
using Code = std::uint8_t;

/// A bin's counts in a word, weight << 16 | positives, while a node weighs no more than this.
inline constexpr std::uint32_t kMaxWordWeight = 65535;
/// Words of a histogram: bins 0 .. 254 and the missing bin.
inline constexpr std::size_t kWords = 256;

/// A node of at most so many rows and so much weight is searched without histograms.
inline constexpr std::uint32_t kFewRows = 64, kFewWeight = 255;
/// Features searched in one pass over a node's rows.
inline constexpr std::size_t kFeaturesAPass = 5;
/// The split that a node ends with.
struct Choice {
  double score = -std::numeric_limits<double>::infinity();
  FeatureIndex feature = 0;
  int left_bin = 0;          ///< the highest at the left
  bool has_missing = false;  ///< the node holds rows without a value
  bool is_missing_left = false;
  Counts left;  ///< only from histograms
};

/// What decides whether a split counts.
struct NodeCounts {
  Counts counts;
  std::uint32_t n_rows = 0;
  /// Distinct rows that each side must have; 1: not looked at, since every side has one.
  std::uint32_t n_leaf_rows = 1;
};

/// At most kFewRows rows that lie side by side and weigh at most kFewWeight.
struct FewRows {
  moving::Columns columns;  ///< of the first row
  alignas(64) std::uint8_t weight[kFewRows];
  alignas(64) std::uint8_t positives[kFewRows];
};

struct FewSides {
  std::uint64_t left = 0;
  Counts left_counts;
  int right_bin = 0;  ///< the lowest occupied at the right; missing_bin when there is none
};

/// Subsets of few rows are masks: bit i for row i.
struct FewKernels {
  /// Sets weights and positives. `codes` must be readable for kFewRows rows; what lies past
  /// `n_rows` counts nothing.
  void (*start)(const Code* codes, std::size_t n_rows, FewRows& few);
  /// Offers the best split of each of at most kFeaturesAPass features for the node of the rows in
  /// `rows`; `missing_bins` is by feature. False when no feature has two bins.
  bool (*search)(const FewRows& few, std::uint64_t rows, const NodeCounts& node,
                 const FeatureIndex* features, const Bin* missing_bins, std::size_t n_features,
                 Choice& best);
  FewSides (*divide)(const FewRows& few, std::uint64_t rows, const Choice& choice, Bin missing_bin);
};
extern const FewKernels kFewAvx2, kFewAvx512;

/// Offers the best split of a numeric feature from its histogram: [kWords] words, aligned to 64
/// bytes; bin `missing_bin` is the last that may be occupied. `n_rows`: the same of distinct rows,
/// only when sides must have some. False when all rows lie in one bin (asked without such a rule).
using SearchWords = bool(const std::uint32_t* words, const std::uint32_t* n_rows,
                         const NodeCounts& node, int missing_bin, FeatureIndex feature,
                         Choice& best);
SearchWords search_words_avx2, search_words_avx512;
struct Kernels {
  FewKernels few;
  SearchWords* search_words;
};

}  // namespace orchard::learn::binary
