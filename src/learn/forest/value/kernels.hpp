#pragma once
// The inner loops of growing regression trees that search every feature at every node. All versions
// choose exactly the splits that PairSearch<Values> chooses: same scores, same order among equals.

#include <cstddef>
#include <cstdint>
#include <limits>

#include "orchard/base/types.hpp"

namespace orchard::learn::values {

/// Some rows: their number << 32 | their weight, and the weighted sum of their targets. Sums and
/// differences of cells are those of the sets of rows.
struct Cell {
  std::uint64_t rows_and_weight = 0;
  std::int64_t sum = 0;

  std::uint32_t n_rows() const { return static_cast<std::uint32_t>(rows_and_weight >> 32); }
  std::int64_t weight() const { return static_cast<std::int64_t>(rows_and_weight & 0xffffffff); }
  Cell& operator+=(const Cell& other) {
    rows_and_weight += other.rows_and_weight;
    sum += other.sum;
    return *this;
  }
  Cell& operator-=(const Cell& other) {
    rows_and_weight -= other.rows_and_weight;
    sum -= other.sum;
    return *this;
  }
};

/// What a left side is judged by: the node around it, as CentredJudge sees it.
struct Around {
  Around(const Cell& node, std::uint32_t n_leaf)
      : weight(node.weight()),
        mean(node.sum / weight),
        rest(static_cast<double>(node.sum % weight) / static_cast<double>(weight)),
        n_rows(node.n_rows()),
        n_leaf_rows(n_leaf) {}

  double score(const Cell& left) const {
    const auto l = static_cast<double>(left.weight());
    const double d = static_cast<double>(left.sum - left.weight() * mean) - l * rest;
    return d * d / (l * static_cast<double>(weight - left.weight()));
  }
  /// Whether both sides have the rows that a leaf must have.
  bool allows(std::uint32_t n_left) const {
    return n_left >= n_leaf_rows && n_rows - n_left >= n_leaf_rows;
  }

  std::int64_t weight, mean;
  double rest;
  std::uint32_t n_rows, n_leaf_rows;  ///< n_rows is at least 2 * n_leaf_rows
};

/// The best split of one feature; none while the score is minus infinity.
struct Best {
  double score = -std::numeric_limits<double>::infinity();
  std::uint32_t position = 0;  ///< the last bin, or place in a list, that goes left
  bool is_missing_left = false;
};
/// The better of the best splits with missing at the right and at the left.
inline Best better(const Best& right, const Best& left) {
  if (left.score != right.score) return left.score > right.score ? left : right;
  return left.position <= right.position ? left : right;
}

/// Cells of a feature in a histogram: bins and the missing bin; no power of two, so that the first
/// bins of features do not compete for the same lines of the cache.
inline constexpr std::size_t kCellStride = 260;

/// Rows of a small subtree are numbered; each feature lists the numbers by ascending bin.
inline constexpr std::size_t kMaxListed = 256;
/// Bytes from list to list; the end may be read and keeps no meaning.
inline constexpr std::size_t kListStride = kMaxListed + 64;
/// Features whose lists are searched together; memory is there for a multiple of so many.
inline constexpr std::size_t kFeaturesAGroup = 8;
struct Lists {
  std::uint8_t* numbers = nullptr;    ///< [n_features][kListStride]
  Bin* bins = nullptr;                ///< of these rows: [n_features][kListStride]
  const Cell* cells = nullptr;        ///< [kMaxListed] by number
  const Bin* missing_bins = nullptr;  ///< [n_features]
  /// [n_features][8], aligned to 64 bytes: what a search writes down.
  double* scores = nullptr;
  std::uint64_t* positions = nullptr;
  std::size_t n_features = 0;
  std::size_t n_rows = 0;  ///< numbers are below
};

/// A feature that has the best score, and its first position that has it.
struct Winner {
  FeatureIndex feature = 0;
  std::uint32_t position = 0;
  bool is_missing_left = false;
};

struct Kernels {
  /// The best split by the cells of one feature: `n_bins` bins, then missing.
  Best (*scan_cells)(const Cell* cells, std::size_t n_bins, const Around& around);
  /// Finds the features with the best split of the node whose rows are places [begin, end) of the
  /// lists; there are at least two. Positions count from `begin`. Returns the number of winners
  /// ([n_features], ascending), 0 when there is no split.
  std::size_t (*scan_lists)(const Lists& lists, std::size_t begin, std::size_t end,
                            const Around& around, Winner* winners);
  /// Parts places [begin, end) of every list, in order: first the `n_left` rows whose number has a
  /// 0 in `side` ([kMaxListed], aligned to 64 bytes), then those that have 255.
  void (*part_lists)(const Lists& lists, std::size_t begin, std::size_t end,
                     const std::uint8_t* side, std::size_t n_left);
};
/// For instruction_set().
Kernels choose_kernels();
extern const Kernels kAvx512Kernels;

}  // namespace orchard::learn::values
