#pragma once
// Growing all that is below a node of few rows, by one thread.
//
// Where a tree may have any number of leaves, every node that has a legal split is split, so the
// order is free: depth first keeps the histograms in the cache, and other threads have other
// nodes. Such a node's sums fit packed words, so its histograms are half as large and what the
// kernel adds up is searched as it is.

#include <cstdint>
#include <span>
#include <vector>

#include "boosting/columns.hpp"
#include "boosting/histogram.hpp"
#include "boosting/tree_writer.hpp"

namespace orchard::learn::boosting {

/// Rows of a node that one thread may take.
inline constexpr std::size_t kSubtreeRows = kPackedRows;

struct SubtreeNode : GrownNode {
  std::int64_t depth = 0;
  std::int64_t weight = 0;   ///< as in TreeGrower
  std::uint32_t n_left = 0;  ///< rows that its split sends left
  Segment places;            ///< in the list of its subtree
};

/// A node and what was grown below it.
struct Subtree {
  std::vector<RowIndex> rows;       ///< of the data
  std::vector<std::uint32_t> list;  ///< [n_rows] indices into `rows`
  std::vector<SubtreeNode> nodes;   ///< root first; `left` counts within this vector

  std::span<const std::uint32_t> members(const SubtreeNode& node) const {
    return {list.data() + node.places.begin, node.places.size()};
  }
};

/// The means of one thread. The result is that of TreeGrower's own splits.
class SubtreeGrower {
 public:
  /// `weight_scale`: quanta of weights, as in TreeGrower. All borrowed.
  SubtreeGrower(const data::BinnedData& data, const options::BoostingSettings& settings,
                const HistogramLayout& layout, const TrainingRows& rows, double weight_scale,
                parallel::Pool& pool);

  /// Grows `subtree`, which has its rows and its root. `histogram`: of the root, or null.
  /// `gradients` are packed. Throws Stopped.
  void grow(const QuantisedGradients& gradients, const SplitRules& rules,
            const Histogram* histogram, Subtree& subtree);

 private:
  using Words = std::vector<std::uint64_t>;  // [n_columns][kPackedStride]

  void gather(const QuantisedGradients& gradients);
  Words& histogram_at(std::size_t level);
  void build(const SubtreeNode& node, Words& words) const;
  void pack_histogram(const Histogram& histogram, Words& words) const;
  void expand(std::size_t place, std::size_t level);
  bool is_searchable(const SubtreeNode& node) const;
  const std::uint64_t* words_of(const SubtreeNode& node, const Words& words, std::size_t feature,
                                BundledSlots<std::uint64_t>& room) const;
  Candidate candidate_of(const SubtreeNode& node, const Words& words, std::size_t feature) const;
  void search(std::size_t place, const Words& words, std::vector<Candidate>& candidates) const;
  void search_pair(std::size_t small, const Words& words, std::size_t large, Words& large_words);
  bool find_split(std::size_t place, const Words& words, std::vector<Candidate>& candidates);
  std::uint32_t partition(const SubtreeNode& node, const Split& split);
  void count_bins(const SubtreeNode& node, std::size_t feature,
                  std::array<std::uint32_t, 256>& counts) const;
  std::size_t make_children(std::size_t place);
  std::int64_t weight_of(const SubtreeNode& node) const;

  const data::BinnedData& data_;
  const data::RowColumns& columns_;
  const options::BoostingSettings& settings_;
  const HistogramLayout& layout_;
  const TrainingRows& rows_;
  double weight_scale_;
  parallel::Pool& pool_;
  std::vector<Words> histograms_;  // by level of recursion
  std::vector<Candidate> candidates_, large_candidates_;
  std::vector<std::uint32_t> scratch_;

  // Of the subtree under way, by place in its rows: what a node needs lies close together.
  const SplitRules* rules_of_tree_ = nullptr;
  Subtree* subtree_ = nullptr;
  std::vector<Bin> bins_;  // [n_rows][row_stride]
  std::vector<std::uint64_t> words_;
  std::vector<std::int64_t> weights_;
};

}  // namespace orchard::learn::boosting
