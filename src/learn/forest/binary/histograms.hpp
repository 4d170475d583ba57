#pragma once
// Searching nodes of many rows.

#include <array>

#include "forest/binary/kernels.hpp"

namespace orchard::learn::binary {

/// Counts a node's rows by bin and searches the counts. Keeps its memory.
class Histograms {
 public:
  explicit Histograms(const Kernels& kernels) : search_words_(kernels.search_words) {}

  /// Offers the best split of each of at most kFeaturesAPass numeric features, and says which bin
  /// is the lowest at the right of it (missing bin: only missing). `codes` begins at the node's
  /// first row, and so does `columns`, unless `rows` lists the places of the node's rows in it.
  /// `missing_bins` is by feature. False when no feature has two bins.
  bool search(const moving::Columns& columns, const RowIndex* rows, const Code* codes,
              const NodeCounts& node, const FeatureIndex* features, const Bin* missing_bins,
              std::size_t n_features, Choice& best, int& right_bin);

 private:
  template <class Word>
  using Pass = std::array<Word, kFeaturesAPass * kWords>;

  template <class Word>
  using SearchPass = bool(const Word* words, const std::uint32_t* n_rows, const NodeCounts& node,
                          int missing_bin, FeatureIndex feature, Choice& best);

  template <class Word>
  bool search(Pass<Word>& words, SearchPass<Word>* search_words, const NodeCounts& node,
              const FeatureIndex* features, const Bin* missing_bins, std::size_t n_features,
              Choice& best, int& right_bin);

  SearchWords* search_words_;
  alignas(64) Pass<std::uint32_t> words_{};   ///< weight << 16 | positives
  alignas(64) Pass<std::uint32_t> n_rows_{};  ///< only where sides must have some
  alignas(64) Pass<std::uint64_t> wide_{};    ///< weight << 32 | positives
};

}  // namespace orchard::learn::binary
