#include "orchard/model/code_walk.hpp"

#include "orchard/base/error.hpp"

namespace orchard::model {
namespace {

constexpr std::size_t kMaxNarrowNodes = (std::size_t{1} << 17) - 1;
constexpr std::size_t kMaxNarrowColumns = 256;
/// Steps between two sortings: the chains of many rows overlap, since none waits for another.
constexpr int kSteps = 4;

template <class Word>
struct Fields;

template <>
struct Fields<std::uint32_t> {
  static std::uint32_t pair(std::uint32_t word) { return word >> 16; }
  static std::uint32_t column(std::uint32_t word) { return word >> 8 & 0xff; }
};

template <>
struct Fields<std::uint64_t> {
  static std::uint32_t pair(std::uint64_t word) { return static_cast<std::uint32_t>(word >> 32); }
  static std::uint32_t column(std::uint64_t word) { return static_cast<std::uint32_t>(word) >> 8; }
};

/// What a walk reads; `set_of` is null when no node splits by membership.
template <class Word>
struct Nodes {
  const Word* words;
  const std::uint32_t* set_of;
  const CodeTree::CodeSet* sets;
};

template <bool kHasSets, class Word>
std::uint32_t step(const Nodes<Word>& nodes, const Bin* codes, std::uint32_t place) {
  const Word word = nodes.words[place];
  const Bin code = codes[Fields<Word>::column(word)];
  std::uint32_t is_right = code > static_cast<Bin>(word) ? 1 : 0;
  if constexpr (kHasSets) {
    const auto set_word = nodes.sets[nodes.set_of[place]][code / 64];
    is_right |= static_cast<std::uint32_t>(set_word >> (code % 64) & 1);
  }
  return 2 * Fields<Word>::pair(word) + is_right;
}

/// Walks rows[0 .. n_walks) of the scratch until all have arrived; `leaves` gets node numbers.
template <bool kHasSets, class Word>
void walk_baseline(const Nodes<Word>& nodes, const CodeRows& rows, std::uint32_t leaf_column,
                   WalkScratch& scratch, NodeIndex* leaves) {
  std::uint32_t* walk_row = scratch.row.data();
  std::uint32_t* walk_place = scratch.node.data();
  for (std::size_t n_walks = rows.n_rows; n_walks > 0;) {
    std::size_t n_left = 0;
    for (std::size_t i = 0; i < n_walks; ++i) {
      const std::uint32_t row = walk_row[i];
      const Bin* codes = rows.codes + row * rows.stride;
      std::uint32_t place = walk_place[i];
      for (int k = 0; k < kSteps; ++k) place = step<kHasSets>(nodes, codes, place);
      leaves[row] = static_cast<NodeIndex>(place - 1);
      walk_row[n_left] = row;
      walk_place[n_left] = place;
      n_left += Fields<Word>::column(nodes.words[place]) != leaf_column ? 1 : 0;
    }
    n_walks = n_left;
  }
}

}  // namespace

CodeTree::CodeTree(const Tree& tree, std::size_t n_columns)
    : left_(tree.left),
      leaf_column_(n_columns - 1),
      is_narrow_(tree.n_nodes() <= kMaxNarrowNodes && n_columns <= kMaxNarrowColumns) {
  require(n_columns > 0 && n_columns <= 65535, "codes lie in 1 to 65,535 columns");
  const std::size_t n_places = tree.n_nodes() + 1;
  if (is_narrow_) {
    narrow_.resize(n_places);
  } else {
    wide_.resize(n_places);
  }
  // A leaf at an odd place is the second of its pair: above its limit lies the code of all rows.
  for (std::size_t at = 0; at < n_places; ++at) {
    set_word(at, at / 2, leaf_column_, at % 2 == 0 ? 255 : 254);
  }
}

void CodeTree::set_word(std::size_t at, std::size_t pair, std::size_t column, Bin limit) {
  if (is_narrow_) {
    narrow_[at] = static_cast<std::uint32_t>(pair << 16 | column << 8 | limit);
  } else {
    wide_[at] = std::uint64_t{pair} << 32 | std::uint64_t{column} << 8 | limit;
  }
}

void CodeTree::split(std::size_t node, std::size_t column, Bin limit) {
  const auto first_child = static_cast<std::size_t>(left_[node]) + 1;
  require(first_child % 2 == 0 && column < leaf_column_, "children lie in pairs behind the root");
  set_word(node + 1, first_child / 2, column, limit);
}

void CodeTree::split(std::size_t node, std::size_t column, const CodeSet& right) {
  if (sets_.empty()) {
    sets_.push_back({});
    set_of_.assign(left_.size() + 1, 0);
  }
  split(node, column, Bin{255});
  set_of_[node + 1] = static_cast<std::uint32_t>(sets_.size());
  sets_.push_back(right);
}

template <class Word>
void CodeTree::walk_words(const CodeRows& rows, WalkScratch& scratch,
                          std::span<NodeIndex> leaves) const {
  Nodes<Word> nodes{nullptr, set_of_.data(), sets_.data()};
  if constexpr (sizeof(Word) == 4) {
    nodes.words = narrow_.data();
  } else {
    nodes.words = wide_.data();
  }
  const auto leaf_column = static_cast<std::uint32_t>(leaf_column_);
  if (sets_.empty()) {
    walk_baseline<false>(nodes, rows, leaf_column, scratch, leaves.data());
  } else {
    walk_baseline<true>(nodes, rows, leaf_column, scratch, leaves.data());
  }
}

void CodeTree::walk(const CodeRows& rows, WalkScratch& scratch, std::span<NodeIndex> leaves) const {
  require(leaves.size() == rows.n_rows, "there is a leaf for each row");
  require(rows.n_rows <= CodeRows::kMaxRows, "few enough rows are walked together");
  scratch.row.resize(rows.n_rows);
  for (std::size_t row = 0; row < rows.n_rows; ++row) {
    scratch.row[row] = static_cast<std::uint32_t>(row);
  }
  scratch.node.assign(rows.n_rows, 1);
  if (is_narrow_) {
    walk_words<std::uint32_t>(rows, scratch, leaves);
  } else {
    walk_words<std::uint64_t>(rows, scratch, leaves);
  }
}

}  // namespace orchard::model
