#include "orchard/model/code_walk.hpp"

#include <algorithm>
#include <numeric>

#include "orchard/base/error.hpp"
#include "orchard/base/instruction_set.hpp"

namespace orchard::model {
namespace {

constexpr std::size_t kMaxNarrowNodes = (std::size_t{1} << 17) - 1;
constexpr std::size_t kMaxNarrowColumns = 255;
constexpr std::size_t kMaxColumns = 65000;

/// What a walk reads; the sets only where nodes split by membership.
template <class Word>
struct Nodes {
  const Word* words;
  std::uint32_t leaf_column;
  const Bin* added;
  const std::uint32_t* set_of;
  const CodeTree::CodeSet* sets;
};

std::uint32_t pair_of(std::uint32_t word) { return word >> 16; }
std::uint32_t pair_of(std::uint64_t word) { return static_cast<std::uint32_t>(word >> 32); }
std::uint32_t column_of(std::uint32_t word) { return word >> 8 & 0xff; }
std::uint32_t column_of(std::uint64_t word) { return static_cast<std::uint32_t>(word) >> 8; }

/// The place after `place`.
template <class Word, bool kMayMiss, bool kHasSets>
struct Step {
  static std::uint64_t from(const Nodes<Word>& nodes, const Bin* codes, std::uint64_t place) {
    const Word word = nodes.words[place];
    const Bin code = codes[column_of(word)];
    const auto limit = static_cast<Bin>(word);
    bool is_right = code > limit;
    if constexpr (kMayMiss) {
      const Bin added = nodes.added[place];
      is_right = static_cast<Bin>(code + added) > static_cast<Bin>(limit + added);
    }
    if constexpr (kHasSets) {
      const auto set_word = nodes.sets[nodes.set_of[place]][code / 64];
      is_right |= (set_word >> (code % 64) & 1) != 0;
    }
    return 2 * std::uint64_t{pair_of(word)} + (is_right ? 1 : 0);
  }
};

#if ORCHARD_HAS_X86_64
/// The usual case. The processor's width is what bounds a walk, and from the above compilers make
/// half as many instructions again.
template <>
struct Step<std::uint32_t, false, false> {
  static std::uint64_t from(const Nodes<std::uint32_t>& nodes, const Bin* codes,
                            std::uint64_t place) {
    std::uint32_t word, column;
    std::uint64_t pair;
    asm("movl (%[words],%[place],4), %[word]\n\t"
        "movzbl %h[word], %[column]\n\t"
        "movl %[word], %k[pair]\n\t"
        "shrl $16, %k[pair]\n\t"
        "cmpb (%[codes],%q[column]), %b[word]\n\t"  // carry when the limit is below the code
        "adcl %k[pair], %k[pair]"
        : [word] "=&Q"(word), [column] "=&R"(column), [pair] "=&r"(pair)
        : [words] "r"(nodes.words), [place] "r"(place), [codes] "r"(codes)
        : "cc", "memory");
    return pair;
  }
};
#endif

/// Walks taken abreast: enough to hide how long each waits for its own last step.
constexpr std::size_t kAbreast = 12;
/// Steps between two sortings.
constexpr int kSteps = 4;

/// Walks a row further, and so on, until all have arrived; the first time by `n_steps`.
template <class Word, bool kMayMiss, bool kHasSets>
void walk_all(const Nodes<Word>& nodes, const CodeRows& rows, int n_steps, WalkScratch& scratch,
              NodeIndex* leaves) {
  std::uint32_t* walk_row = scratch.row.data();
  std::uint32_t* walk_place = scratch.place.data();
  for (std::size_t n_walks = rows.n_rows; n_walks > 0; n_steps = kSteps) {
    // What is walked twice arrives twice.
    std::fill_n(walk_row + n_walks, kAbreast - 1, walk_row[n_walks - 1]);
    std::fill_n(walk_place + n_walks, kAbreast - 1, walk_place[n_walks - 1]);
    std::size_t n_left = 0;
    for (std::size_t i = 0; i < n_walks; i += kAbreast) {
      const Bin* codes[kAbreast];
      std::uint64_t place[kAbreast];
      for (std::size_t j = 0; j < kAbreast; ++j) {
        codes[j] = rows.codes + walk_row[i + j] * rows.stride;
        place[j] = walk_place[i + j];
      }
      for (int k = 0; k < n_steps; ++k) {
#pragma GCC unroll 12
        for (std::size_t j = 0; j < kAbreast; ++j) {
          place[j] = Step<Word, kMayMiss, kHasSets>::from(nodes, codes[j], place[j]);
        }
      }
#pragma GCC unroll 12
      for (std::size_t j = 0; j < kAbreast; ++j) {
        const std::uint32_t row = walk_row[i + j];
        leaves[row] = static_cast<NodeIndex>(place[j] - 1);
        walk_row[n_left] = row;
        walk_place[n_left] = static_cast<std::uint32_t>(place[j]);
        n_left += column_of(nodes.words[place[j]]) != nodes.leaf_column ? 1 : 0;
      }
    }
    n_walks = n_left;
  }
}

template <class Word>
void walk_words(const Nodes<Word>& nodes, const CodeRows& rows, int n_steps, WalkScratch& scratch,
                NodeIndex* leaves) {
  if (nodes.sets != nullptr) {
    walk_all<Word, true, true>(nodes, rows, n_steps, scratch, leaves);
  } else if (rows.may_miss) {
    walk_all<Word, true, false>(nodes, rows, n_steps, scratch, leaves);
  } else {
    walk_all<Word, false, false>(nodes, rows, n_steps, scratch, leaves);
  }
}

/// How many nodes below the top a training row visits on average.
double mean_steps(const Tree& tree, const std::vector<NodeIndex>& top_leaves) {
  std::vector<bool> is_below(tree.n_nodes());
  for (const NodeIndex node : top_leaves) is_below[static_cast<std::size_t>(node)] = true;
  double n_visits = 0;
  for (std::size_t node = 0; node < tree.n_nodes(); ++node) {
    if (!is_below[node] || tree.left[node] < 0) continue;
    const auto left = static_cast<std::size_t>(tree.left[node]);
    is_below[left] = is_below[left + 1] = true;
    n_visits += tree.n_samples[node];
  }
  return n_visits / std::max<double>(1, tree.n_samples[0]);
}

}  // namespace

CodeTree::CodeTree(const Tree& tree, std::size_t n_columns, const SplitOf& split_of)
    : top_(tree, split_of),
      leaf_column_(n_columns),
      is_narrow_(tree.n_nodes() <= kMaxNarrowNodes && n_columns <= kMaxNarrowColumns),
      is_all_top_(std::all_of(top_.leaves.begin(), top_.leaves.end(),
                              [&](NodeIndex node) { return tree.is_leaf(node); })) {
  require(n_columns <= kMaxColumns, "a row has at most 65,000 codes");
  if (is_all_top_) return;
  // Most rows have arrived soon after the mean.
  first_steps_ = std::max(kSteps, static_cast<int>(mean_steps(tree, top_.leaves)) - 1);
  const std::size_t n_places = tree.n_nodes() + 1;
  if (is_narrow_) {
    narrow_.resize(n_places);
  } else {
    wide_.resize(n_places);
  }
  added_.resize(n_places);
  // A leaf at an odd place is the second of its pair: all rows have a code above its limit.
  for (std::size_t at = 0; at < n_places; ++at) {
    set_word(at, at / 2, leaf_column_, at % 2 == 0 ? 255 : 254);
  }
  for (std::size_t node = 0; node < tree.n_nodes(); ++node) {
    if (tree.left[node] >= 0) add_split(tree, node, split_of(node));
  }
}

void CodeTree::set_word(std::size_t at, std::size_t pair, std::size_t column, Bin limit) {
  if (is_narrow_) {
    narrow_[at] = static_cast<std::uint32_t>(pair << 16 | column << 8 | limit);
  } else {
    wide_[at] = std::uint64_t{pair} << 32 | std::uint64_t{column} << 8 | limit;
  }
}

void CodeTree::add_split(const Tree& tree, std::size_t node, const CodeSplit& split) {
  const auto first_child = static_cast<std::size_t>(tree.left[node]) + 1;
  require(first_child % 2 == 0 && split.column < leaf_column_,
          "children lie in pairs behind the root");
  if (!split.is_set) {
    added_[node + 1] = split.is_missing_left ? 1 : 0;
    return set_word(node + 1, first_child / 2, split.column, split.limit);
  }
  if (sets_.empty()) {
    sets_.push_back({});
    set_of_.assign(tree.n_nodes() + 1, 0);
  }
  set_word(node + 1, first_child / 2, split.column, 255);  // nothing lies above
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
  if (is_all_top_) return;
  scratch.row.resize(rows.n_rows + 2 * kAbreast);
  std::iota(scratch.row.begin(), scratch.row.end(), 0u);
  scratch.place.resize(rows.n_rows + 2 * kAbreast);
  for (std::size_t row = 0; row < rows.n_rows; ++row) {
    scratch.place[row] = static_cast<std::uint32_t>(leaves[row]) + 1;
  }
  const auto leaf_column = static_cast<std::uint32_t>(leaf_column_);
  const auto* sets = sets_.empty() ? nullptr : sets_.data();
  const auto walk_with = [&](const auto* words) {
    const Nodes nodes{words, leaf_column, added_.data(), set_of_.data(), sets};
    walk_words(nodes, rows, first_steps_, scratch, leaves.data());
  };
  if (is_narrow_) {
    walk_with(narrow_.data());
  } else {
    walk_with(wide_.data());
  }
}

}  // namespace orchard::model
