#include "forest/binary/kernels.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "forest/split.hpp"
#include "orchard/base/instruction_set.hpp"

namespace orchard::learn::binary {
namespace {

/// A bin's counts, and those of some rows of it.
template <class Word>
constexpr int kHalf = static_cast<int>(sizeof(Word)) * 4;
template <class Word>
Counts counts_of(Word word) {
  constexpr Word kMask = (Word{1} << kHalf<Word>)-1;
  return {static_cast<std::uint32_t>(word >> kHalf<Word>),
          static_cast<std::uint32_t>(word & kMask)};
}

/// The expression of NarrowJudge.
double score_of(const Counts& left, const Counts& node) {
  const auto d = static_cast<double>(static_cast<std::int64_t>(left.positives) * node.weight -
                                     static_cast<std::int64_t>(left.weight) * node.positives);
  return d * d /
         (static_cast<double>(left.weight) * static_cast<double>(node.weight - left.weight));
}

/// The best left side of one direction of missing.
struct Side {
  double score = -1;
  int bin = 0;
  Counts left;
};

/// Scores one left side after the other. Bins come in ascending order.
class Sweep {
 public:
  Sweep(const NodeCounts& node, const Counts& moved, std::uint32_t n_moved)
      : node_(node), left_(moved), n_left_(n_moved) {}

  /// Adds a bin that has rows. False when nothing is left at the right.
  bool add(int bin, const Counts& counts, std::uint32_t n_rows) {
    left_.weight += counts.weight;
    left_.positives += counts.positives;
    n_left_ += n_rows;
    if (left_.weight == node_.counts.weight) return false;
    if (node_.n_leaf_rows > 1 &&
        (n_left_ < node_.n_leaf_rows || node_.n_rows - n_left_ < node_.n_leaf_rows)) {
      return true;
    }
    const double score = score_of(left_, node_.counts);
    if (score > best_.score) best_ = {score, bin, left_};
    return true;
  }
  const Side& best() const { return best_; }

 private:
  const NodeCounts& node_;
  Counts left_;
  std::uint32_t n_left_;
  Side best_;
};

/// Offers the best split of a feature; sweep(is_missing_left) finds that of a direction. False when
/// all rows lie in one bin.
template <class SweepSide>
bool offer_best(bool has_missing, FeatureIndex feature, Choice& best, SweepSide sweep) {
  Side found = sweep(false);
  const bool is_varied = found.score >= 0;
  bool is_missing_left = false;
  if (has_missing) {
    const Side left = sweep(true);
    is_missing_left = left.score != found.score ? left.score > found.score : left.bin <= found.bin;
    if (is_missing_left) found = left;
  }
  if (found.score >= 0 && found.score > best.score) {
    best = {found.score, feature, found.bin, has_missing, is_missing_left, found.left};
  }
  return is_varied;
}

template <class Word>
bool search_any_words(const Word* words, const std::uint32_t* n_rows, const NodeCounts& node,
                      int missing_bin, FeatureIndex feature, Choice& best) {
  return offer_best(words[missing_bin] != 0, feature, best, [&](bool is_missing_left) {
    Sweep sweep(node, is_missing_left ? counts_of(words[missing_bin]) : Counts{},
                is_missing_left ? n_rows[missing_bin] : 0);
    for (int bin = 0; bin < missing_bin; ++bin) {
      if (words[bin] != 0 && !sweep.add(bin, counts_of(words[bin]), n_rows[bin])) break;
    }
    return sweep.best();
  });
}

void start_few(const Code* codes, std::size_t n_rows, FewRows& few) {
  for (std::size_t i = 0; i < kFewRows; ++i) {
    const auto weight = static_cast<std::uint8_t>(i < n_rows ? codes[i] >> 1 : 0);
    few.weight[i] = weight;
    few.positives[i] = (codes[i] & 1) != 0 ? weight : std::uint8_t{0};
  }
}

bool search_few(const FewRows& few, std::uint64_t rows, const NodeCounts& node,
                const FeatureIndex* features, const Bin* missing_bins, std::size_t n_features,
                Choice& best) {
  struct Here {
    std::uint16_t weight, positives, n_rows;
  };
  std::array<Here, kWords> cells;  // only where `occupied` says so
  bool is_varied = false;
  for (std::size_t k = 0; k < n_features; ++k) {
    const Bin* column = few.columns.first + features[k] * few.columns.stride;
    BinSet occupied;
    for (std::uint64_t left = rows; left != 0; left &= left - 1) {
      const auto row = static_cast<std::size_t>(std::countr_zero(left));
      const Bin bin = column[row];
      Here& cell = cells[bin];
      if (!occupied.contains(bin)) cell = {};
      occupied.insert(bin);
      cell.weight = static_cast<std::uint16_t>(cell.weight + few.weight[row]);
      cell.positives = static_cast<std::uint16_t>(cell.positives + few.positives[row]);
      ++cell.n_rows;
    }
    const Bin missing_bin = missing_bins[features[k]];
    const bool has_missing = occupied.contains(missing_bin);
    const Here missing = has_missing ? cells[missing_bin] : Here{};
    is_varied |= offer_best(has_missing, features[k], best, [&](bool is_missing_left) {
      const Here moved = is_missing_left ? missing : Here{};
      Sweep sweep(node, {moved.weight, moved.positives}, moved.n_rows);
      occupied.for_each([&](Bin bin) {
        const Here& cell = cells[bin];
        if (bin != missing_bin) sweep.add(bin, {cell.weight, cell.positives}, cell.n_rows);
      });
      return sweep.best();
    });
  }
  return is_varied;
}

FewSides divide_few(const FewRows& few, std::uint64_t rows, const Choice& choice, Bin missing_bin) {
  const Bin* column = few.columns.first + choice.feature * few.columns.stride;
  FewSides sides;
  sides.right_bin = missing_bin;
  for (std::uint64_t left = rows; left != 0; left &= left - 1) {
    const auto row = static_cast<std::size_t>(std::countr_zero(left));
    const int bin = column[row];
    const bool is_left = bin <= choice.left_bin || (choice.is_missing_left && bin == missing_bin);
    if (is_left) {
      sides.left |= std::uint64_t{1} << row;
      sides.left_counts.weight += few.weight[row];
      sides.left_counts.positives += few.positives[row];
    } else {
      sides.right_bin = std::min(sides.right_bin, bin);
    }
  }
  return sides;
}

bool search_words(const std::uint32_t* words, const std::uint32_t* n_rows, const NodeCounts& node,
                  int missing_bin, FeatureIndex feature, Choice& best) {
  return search_any_words(words, n_rows, node, missing_bin, feature, best);
}

}  // namespace

bool search_wide_words(const std::uint64_t* words, const std::uint32_t* n_rows,
                       const NodeCounts& node, int missing_bin, FeatureIndex feature,
                       Choice& best) {
  return search_any_words(words, n_rows, node, missing_bin, feature, best);
}

Kernels choose_kernels() {
  static constexpr FewKernels kFewBaseline{start_few, search_few, divide_few};
#if ORCHARD_HAS_X86_64
  return {*choose_version(&kFewBaseline, &kFewAvx2, &kFewAvx512),
          choose_version<SearchWords>(search_words, search_words_avx2, search_words_avx512)};
#else
  return {kFewBaseline, search_words};
#endif
}

}  // namespace orchard::learn::binary
