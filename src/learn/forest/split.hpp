#pragma once
// Trying the splits of one feature at one node: which bins the node's rows occupy, in which order
// they are tried, and which split wins. How a split is judged is the caller's.

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>

#include "orchard/base/types.hpp"
#include "orchard/data/binning.hpp"

namespace orchard::learn {

/// A set of bins.
class BinSet {
 public:
  void insert(Bin bin) { words_[bin / 64] |= std::uint64_t{1} << (bin % 64); }
  bool contains(Bin bin) const { return (words_[bin / 64] >> (bin % 64) & 1) != 0; }
  void clear() { words_ = {}; }
  /// Calls visit(bin) in ascending order.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      for (auto word = words_[i]; word != 0; word &= word - 1) {
        visit(static_cast<Bin>(i * 64 + static_cast<std::size_t>(std::countr_zero(word))));
      }
    }
  }
  bool operator==(const BinSet&) const = default;

 private:
  std::array<std::uint64_t, 4> words_{};
};

/// The same set for many insertions: a byte a bin, so that no insertion waits for the one before.
class BinFlags {
 public:
  void raise(Bin bin) { flags_[bin] = 1; }
  /// Calls visit(bin) in ascending order and empties the set.
  template <class Visit>
  void take_all(Visit visit) {
    for (std::size_t at = 0; at < flags_.size(); at += 8) {
      std::uint64_t word;
      std::memcpy(&word, flags_.data() + at, 8);
      if (word == 0) continue;
      std::memset(flags_.data() + at, 0, 8);
      for (; word != 0; word &= word - 1) {
        visit(static_cast<Bin>(at + static_cast<std::size_t>(std::countr_zero(word)) / 8));
      }
    }
  }

 private:
  alignas(64) std::array<std::uint8_t, 256> flags_{};
};

/// Rules for splits by a categorical feature: rarer levels are pooled with missing, and means are
/// drawn towards the node's as if by so many further rows.
inline constexpr std::uint32_t kMinCategoryRows = 10;
inline constexpr double kCategorySmoothing = 10.0;
inline constexpr std::size_t kMaxCategoryClasses = 8;

/// The bins that a node's rows occupy, in the order in which splits are tried: a split at position
/// p sends bins 0 .. p left. "Missing" is the missing bin and, for categories, the rare levels.
struct OccupiedBins {
  std::size_t n = 0;  ///< without missing
  bool has_missing = false;
  std::uint32_t n_missing_rows = 0;
  std::array<Bin, 256> bin;
  std::array<std::uint32_t, 256> n_rows;  ///< only when rows are counted
};

/// One split of one feature.
struct Candidate {
  double score = -std::numeric_limits<double>::infinity();
  std::size_t position = 0;
  bool is_missing_left = false;
};

/// The split a node ends with.
struct Split {
  double score = -std::numeric_limits<double>::infinity();
  FeatureIndex feature = 0;
  bool is_categorical = false;
  bool has_missing = false;  ///< the node holds rows that are missing (or pooled)
  bool is_missing_left = false;
  /// Numeric: highest occupied bin at the left and the next one. `n_bins` when only missing is
  /// right.
  int left_bin = 0, right_bin = 0;
  BinSet left, right;  ///< categorical: where bins go; others follow missing

  bool is_found() const { return score > -std::numeric_limits<double>::infinity(); }
};

/// Scores positions from left to right with missing on one side. `Sweep` needs reset() (all rows
/// right), move(i) (occupied bin i goes left), move_missing() and score().
///
/// All values against missing is tried with missing on the right only.
template <bool kCounted, class Sweep>
Candidate scan_side(const OccupiedBins& bins, bool is_missing_left, std::uint32_t n_node_rows,
                    std::uint32_t n_leaf_rows, Sweep& sweep) {
  Candidate best;
  best.is_missing_left = is_missing_left;
  sweep.reset();
  std::uint32_t n_left = 0;
  if (is_missing_left) {
    sweep.move_missing();
    if constexpr (kCounted) n_left += bins.n_missing_rows;
  }
  const std::size_t n_positions =
      bins.has_missing && !is_missing_left ? bins.n : bins.n - std::min<std::size_t>(bins.n, 1);
  for (std::size_t i = 0; i < n_positions; ++i) {
    sweep.move(i);
    if constexpr (kCounted) {
      n_left += bins.n_rows[i];
      if (n_left < n_leaf_rows || n_node_rows - n_left < n_leaf_rows) continue;
    }
    const double score = sweep.score();
    if (score > best.score) {
      best.score = score;
      best.position = i;
    }
  }
  return best;
}

/// The best split over all positions and both directions of missing. Ties: the lower position, then
/// missing to the left.
template <bool kCounted, class Sweep>
Candidate scan(const OccupiedBins& bins, std::uint32_t n_node_rows, std::uint32_t n_leaf_rows,
               Sweep& sweep) {
  const Candidate right = scan_side<kCounted>(bins, false, n_node_rows, n_leaf_rows, sweep);
  if (!bins.has_missing) return right;
  const Candidate left = scan_side<kCounted>(bins, true, n_node_rows, n_leaf_rows, sweep);
  if (left.score != right.score) return left.score > right.score ? left : right;
  return left.position <= right.position ? left : right;
}

/// Writes the winner of one feature into `split` when it beats what is there. Ties keep the older.
void offer(const Candidate& candidate, const OccupiedBins& bins, FeatureIndex feature,
           const data::FeatureBins& feature_bins, Split& split);

/// The cut of a numeric split: the one nearest to the middle between the values of the two occupied
/// bins, ties to the lower; n_bins - 1 when only missing goes right.
int choose_cut(int left_bin, int right_bin, const data::FeatureBins& bins);

/// side[bin] is 1 where a row goes right. `cut` as from choose_cut (numeric only).
void fill_sides(const Split& split, int cut, const data::FeatureBins& bins,
                std::array<std::uint8_t, 256>& side);

}  // namespace orchard::learn
