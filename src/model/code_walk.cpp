#include "orchard/model/code_walk.hpp"

#include <algorithm>
#include <numeric>

#include "code_walk_kernel.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/instruction_set.hpp"

namespace orchard::model {
namespace {

constexpr std::size_t kMaxNarrowNodes = (std::size_t{1} << 17) - 1;
constexpr std::size_t kMaxNarrowColumns = 127;
constexpr std::size_t kMaxColumns = 65000;
constexpr std::size_t kSpare = 16;  // vectors are stored whole

template <class Word>
struct Fields;

template <>
struct Fields<std::uint32_t> {
  static std::uint32_t pair(std::uint32_t word) { return word >> 16; }
  static std::uint32_t is_low(std::uint32_t word) { return word >> 15 & 1; }
  static std::uint32_t column(std::uint32_t word) { return word >> 8 & 0x7f; }
};

template <>
struct Fields<std::uint64_t> {
  static std::uint32_t pair(std::uint64_t word) { return static_cast<std::uint32_t>(word >> 32); }
  static std::uint32_t is_low(std::uint64_t word) { return static_cast<std::uint32_t>(word) >> 31; }
  static std::uint32_t column(std::uint64_t word) {
    return static_cast<std::uint32_t>(word) >> 8 & 0x7fffff;
  }
};

/// What a walk reads; the sets only where nodes split by membership.
template <class Word>
struct Nodes {
  const Word* words;
  std::uint32_t leaf_column;
  const std::uint32_t* set_of;
  const CodeTree::CodeSet* sets;
};

template <class Word, bool kMayMiss, bool kHasSets>
std::uint32_t step(const Nodes<Word>& nodes, const Bin* codes, std::uint32_t place) {
  const Word word = nodes.words[place];
  const Bin code = codes[Fields<Word>::column(word)];
  std::uint32_t is_right;
  if constexpr (kMayMiss) {
    const std::uint32_t added = Fields<Word>::is_low(word);
    is_right = static_cast<Bin>(code + added) > static_cast<Bin>(word) + added ? 1 : 0;
  } else {
    is_right = code > static_cast<Bin>(word) ? 1 : 0;
  }
  if constexpr (kHasSets) {
    const auto set_word = nodes.sets[nodes.set_of[place]][code / 64];
    is_right |= static_cast<std::uint32_t>(set_word >> (code % 64) & 1);
  }
  return 2 * Fields<Word>::pair(word) + is_right;
}

/// Steps between two sortings: the chains of many rows overlap, since none waits for another.
constexpr int kSteps = 4;

template <class Word, bool kMayMiss, bool kHasSets>
void walk_all(const Nodes<Word>& nodes, const CodeRows& rows, WalkScratch& scratch,
              NodeIndex* leaves) {
  std::uint32_t* walk_row = scratch.row.data();
  std::uint32_t* walk_place = scratch.place.data();
  for (std::size_t n_walks = rows.n_rows; n_walks > 0;) {
    std::size_t n_left = 0;
    for (std::size_t i = 0; i < n_walks; ++i) {
      const std::uint32_t row = walk_row[i];
      const Bin* codes = rows.codes + row * rows.stride;
      std::uint32_t place = walk_place[i];
      for (int k = 0; k < kSteps; ++k) place = step<Word, kMayMiss, kHasSets>(nodes, codes, place);
      leaves[row] = static_cast<NodeIndex>(place - 1);
      walk_row[n_left] = row;
      walk_place[n_left] = place;
      n_left += Fields<Word>::column(nodes.words[place]) != nodes.leaf_column ? 1 : 0;
    }
    n_walks = n_left;
  }
}

template <class Word>
void walk_words(const Nodes<Word>& nodes, const CodeRows& rows, WalkScratch& scratch,
                NodeIndex* leaves) {
  if (nodes.sets != nullptr) {
    walk_all<Word, true, true>(nodes, rows, scratch, leaves);
  } else if (rows.may_miss) {
    walk_all<Word, true, false>(nodes, rows, scratch, leaves);
  } else {
    walk_all<Word, false, false>(nodes, rows, scratch, leaves);
  }
}

}  // namespace

CodeTree::CodeTree(const Tree& tree, std::size_t n_columns, const SplitOf& split_of)
    : top_(tree, split_of),
      leaf_column_(n_columns),
      is_narrow_(tree.n_nodes() <= kMaxNarrowNodes && n_columns <= kMaxNarrowColumns) {
  require(n_columns <= kMaxColumns, "a row has at most 65,000 codes");
  const std::size_t n_places = tree.n_nodes() + 1;
  if (is_narrow_) {
    narrow_.resize(n_places);
  } else {
    wide_.resize(n_places);
  }
  // A leaf at an odd place is the second of its pair: all rows have a code above its limit.
  for (std::size_t at = 0; at < n_places; ++at) {
    set_word(at, at / 2, leaf_column_, false, at % 2 == 0 ? 255 : 254);
  }
  for (std::size_t node = 0; node < tree.n_nodes(); ++node) {
    if (tree.left[node] >= 0) add_split(tree, node, split_of(node));
  }
}

void CodeTree::set_word(std::size_t at, std::size_t pair, std::size_t column, bool is_low,
                        Bin limit) {
  if (is_narrow_) {
    narrow_[at] =
        static_cast<std::uint32_t>(pair << 16 | std::size_t{is_low} << 15 | column << 8 | limit);
  } else {
    wide_[at] = std::uint64_t{pair} << 32 | std::uint64_t{is_low} << 31 |
                std::uint64_t{column} << 8 | limit;
  }
}

void CodeTree::add_split(const Tree& tree, std::size_t node, const CodeSplit& split) {
  const auto first_child = static_cast<std::size_t>(tree.left[node]) + 1;
  require(first_child % 2 == 0 && split.column < leaf_column_,
          "children lie in pairs behind the root");
  if (!split.is_set) {
    return set_word(node + 1, first_child / 2, split.column, split.is_missing_left, split.limit);
  }
  if (sets_.empty()) {
    sets_.push_back({});
    set_of_.assign(tree.n_nodes() + 1, 0);
  }
  set_word(node + 1, first_child / 2, split.column, false, 255);  // nothing lies above
  set_of_[node + 1] = static_cast<std::uint32_t>(sets_.size());
  sets_.push_back(split.right);
}

/// nodes[row] = where the row leaves the top.
void CodeTree::enter(const CodeRows& rows, std::span<NodeIndex> nodes) const {
  FindLeaves* const find = find_leaves();
  const Bin* columns = rows.columns;
  for (std::size_t first = 0; first < nodes.size(); first += kCodeBlock) {
    std::uint8_t tops[kCodeBlock];
    find(top_, columns, tops);
    columns += leaf_column_ * kCodeBlock;
    const std::size_t n_here = std::min(kCodeBlock, nodes.size() - first);
    for (std::size_t i = 0; i < n_here; ++i) nodes[first + i] = top_.leaves[tops[i]];
  }
}

void CodeTree::walk(const CodeRows& rows, WalkScratch& scratch, std::span<NodeIndex> leaves) const {
  require(leaves.size() == rows.n_rows, "there is a leaf for each row");
  require(rows.n_rows <= CodeRows::kMaxRows, "few enough rows are walked together");
  enter(rows, leaves);
  scratch.row.resize(rows.n_rows + kSpare);
  std::iota(scratch.row.begin(), scratch.row.end(), 0u);
  scratch.place.resize(rows.n_rows + kSpare);
  for (std::size_t row = 0; row < rows.n_rows; ++row) {
    scratch.place[row] = static_cast<std::uint32_t>(leaves[row]) + 1;
  }
  const auto leaf_column = static_cast<std::uint32_t>(leaf_column_);
  const auto* sets = sets_.empty() ? nullptr : sets_.data();
  if (!is_narrow_) {
    return walk_words<std::uint64_t>({wide_.data(), leaf_column, set_of_.data(), sets}, rows,
                                     scratch, leaves.data());
  }
#if ORCHARD_HAS_X86_64
  if (sets == nullptr && instruction_set() >= InstructionSet::kAvx512) {
    const NarrowWalk walk{
        narrow_.data(), rows.codes,         static_cast<std::uint32_t>(rows.stride),
        leaf_column,    scratch.row.data(), scratch.place.data()};
    auto* const version = rows.may_miss ? walk_narrow_missing_avx512 : walk_narrow_avx512;
    return version(walk, rows.n_rows, leaves.data());
  }
#endif
  walk_words<std::uint32_t>({narrow_.data(), leaf_column, set_of_.data(), sets}, rows, scratch,
                            leaves.data());
}

}  // namespace orchard::model
