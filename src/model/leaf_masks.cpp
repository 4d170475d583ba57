#include "leaf_masks.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "category_codes.hpp"
#include "orchard/base/instruction_set.hpp"

namespace orchard::model {
namespace {

constexpr std::size_t kRows = LeafMasks::kRows;
constexpr std::uint32_t kFourTimes = 0x01010101;

/// Leaves below each node, and the number of its first.
struct LeafRange {
  std::size_t first = 0, n = 1;
};

std::vector<LeafRange> number_leaves(const Tree& tree) {
  std::vector<LeafRange> ranges(tree.n_nodes());
  const auto left = [&](std::size_t node) { return static_cast<std::size_t>(tree.left[node]); };
  for (std::size_t node = tree.n_nodes(); node-- > 0;) {
    if (tree.left[node] >= 0) ranges[node].n = ranges[left(node)].n + ranges[left(node) + 1].n;
  }
  for (std::size_t node = 0; node < tree.n_nodes(); ++node) {
    if (tree.left[node] < 0) continue;
    ranges[left(node)].first = ranges[node].first;
    ranges[left(node) + 1].first = ranges[node].first + ranges[left(node)].n;
  }
  return ranges;
}

/// 16 bytes in whatever registers the processor has.
using Lanes = std::uint8_t __attribute__((vector_size(16)));
constexpr std::size_t kLanes = sizeof(Lanes);
constexpr std::size_t kGroups = 4;  // rows of one pass over a plane's items: 4 registers

Lanes load(const std::uint8_t* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, kLanes);
  return lanes;
}

Lanes all(std::uint32_t repeated_byte) {
  return Lanes{} + static_cast<std::uint8_t>(repeated_byte);
}

/// The place of the one bit that is set in each byte.
Lanes place_of_bit(Lanes bit) {
  const Lanes four = reinterpret_cast<Lanes>((bit & all(0x0f)) == Lanes{}) & all(4);
  const Lanes two = reinterpret_cast<Lanes>((bit & all(0x33)) == Lanes{}) & all(2);
  const Lanes one = reinterpret_cast<Lanes>((bit & all(0x55)) == Lanes{}) & all(1);
  return four | two | one;
}

/// Asks the nodes of numeric splits; `added` to the codes first.
void ask(const std::vector<LeafMasks::Item>& items, std::uint32_t added, const Bin* codes,
         Lanes (&plane)[kGroups]) {
  for (const auto& item : items) {
    const Lanes limit = all(item.limit), keep = all(item.keep);
    for (std::size_t g = 0; g < kGroups; ++g) {
      const Lanes code = load(codes + item.column + g * kLanes) + all(added);
      plane[g] &= reinterpret_cast<Lanes>(code <= limit) | keep;
    }
  }
}

/// What `plane` holds for 64 rows once its nodes were asked.
void ask_plane(const LeafMasks::Plane& from, const Bin* codes, Lanes (&plane)[kGroups]) {
  for (auto& group : plane) group = all(255);
  ask(from.items, 0, codes, plane);
  ask(from.low_items, 1, codes, plane);
  for (const auto& item : from.sets) {
    for (std::size_t i = 0; i < kGroups * kLanes; ++i) {
      const Bin code = codes[item.column + i];
      const auto is_right = static_cast<unsigned>(item.right[code / 64] >> (code % 64) & 1);
      plane[i / kLanes][i % kLanes] &= static_cast<std::uint8_t>((is_right - 1) | item.keep);
    }
  }
}

void find_leaves_baseline(const LeafMasks::SmallTree& tree, const Bin* codes,
                          std::uint8_t* leaves) {
  for (std::size_t begin = 0; begin < kRows; begin += kGroups * kLanes) {
    Lanes leaf[kGroups] = {};
    for (std::size_t p = tree.planes.size(); p-- > 0;) {
      Lanes plane[kGroups];
      ask_plane(tree.planes[p], codes + begin, plane);
      for (std::size_t g = 0; g < kGroups; ++g) {
        const auto is_empty = reinterpret_cast<Lanes>(plane[g] == Lanes{});
        const Lanes here =
            place_of_bit(plane[g] & -plane[g]) + all(static_cast<std::uint32_t>(8 * p));
        leaf[g] = (is_empty & leaf[g]) | (~is_empty & here);
      }
    }
    std::memcpy(leaves + begin, leaf, sizeof leaf);
  }
}

/// Adds what the bytes of one output have come to.
void flush(const ByteSums& bytes, std::size_t n_bytes, std::int64_t least, std::size_t n_rows,
           std::size_t stride, std::int64_t* out) {
  std::uint64_t total[kRows] = {};
  for (std::size_t b = 0; b < n_bytes; ++b) {
    for (std::size_t i = 0; i < ByteSums::kWords; ++i) {
      const std::uint16_t odd = bytes.odd[b][i];
      const auto even = static_cast<std::uint16_t>(bytes.mixed[b][i] - (odd << 8));
      total[2 * i] += std::uint64_t{even} << (8 * b);
      total[2 * i + 1] += std::uint64_t{odd} << (8 * b);
    }
  }
  for (std::size_t row = 0; row < n_rows; ++row) {
    out[row * stride] += static_cast<std::int64_t>(total[row] + static_cast<std::uint64_t>(least));
  }
}

}  // namespace

void LeafMasks::add(const Tree& tree, const RowCoder& coder, std::size_t first_output) {
  const auto ranges = number_leaves(tree);
  SmallTree out;
  out.first_output = first_output;
  out.planes.resize((ranges[0].n + 7) / 8);
  out.values.resize(ranges[0].n * n_values_);
  for (std::size_t node = 0; node < tree.n_nodes(); ++node) {
    if (tree.left[node] < 0) {
      const auto* row =
          tree.values.data() + static_cast<std::size_t>(tree.value_row[node]) * n_values_;
      std::copy_n(row, n_values_, out.values.data() + ranges[node].first * n_values_);
      continue;
    }
    const auto ruled_out = ranges[static_cast<std::size_t>(tree.left[node])];
    const auto bits =
        (ruled_out.n == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << ruled_out.n) - 1)
        << ruled_out.first;
    const auto column = static_cast<std::uint32_t>(coder.column_of(tree, node) * kRows);
    for (std::size_t p = 0; p < out.planes.size(); ++p) {
      const auto gone = static_cast<std::uint8_t>(bits >> (8 * p));
      if (gone == 0) continue;
      const std::uint32_t keep = kFourTimes * static_cast<std::uint8_t>(~gone);
      if ((tree.flags[node] & Tree::kCategorical) != 0) {
        out.planes[p].sets.push_back({right_codes(tree, node), column, keep});
      } else {
        const bool is_low = (tree.flags[node] & Tree::kMissingLeft) != 0;
        const std::uint32_t limit = coder.limit_of(tree, node) + (is_low ? 1 : 0);
        auto& items = is_low ? out.planes[p].low_items : out.planes[p].items;
        items.push_back({column, kFourTimes * limit, keep});
      }
    }
  }
  make_value_bytes(out);
  trees_.push_back(std::move(out));
}

void LeafMasks::make_value_bytes(SmallTree& tree) const {
  const std::size_t n_leaves = tree.values.size() / n_values_;
  tree.least.assign(tree.values.begin(),
                    tree.values.begin() + static_cast<std::ptrdiff_t>(n_values_));
  const auto above_least = [&](std::size_t leaf, std::size_t k) {
    return static_cast<std::uint64_t>(tree.values[leaf * n_values_ + k]) -
           static_cast<std::uint64_t>(tree.least[k]);
  };
  std::uint64_t all = 0;
  for (std::size_t k = 0; k < n_values_; ++k) {
    for (std::size_t leaf = 0; leaf < n_leaves; ++leaf) {
      tree.least[k] = std::min(tree.least[k], tree.values[leaf * n_values_ + k]);
    }
    for (std::size_t leaf = 0; leaf < n_leaves; ++leaf) all |= above_least(leaf, k);
  }
  tree.n_bytes = (static_cast<std::size_t>(std::bit_width(all)) + 7) / 8;
  tree.value_bytes.resize(n_values_ * tree.n_bytes * kMaxLeaves);
  auto* byte = tree.value_bytes.data();
  for (std::size_t k = 0; k < n_values_; ++k) {
    for (std::size_t b = 0; b < tree.n_bytes; ++b, byte += kMaxLeaves) {
      for (std::size_t leaf = 0; leaf < n_leaves; ++leaf) {
        byte[leaf] = static_cast<std::uint8_t>(above_least(leaf, k) >> (8 * b));
      }
    }
  }
}

void LeafMasks::accumulate(const Bin* codes, std::size_t n_rows, std::int64_t* sums) const {
#if ORCHARD_HAS_X86_64
  if (instruction_set() >= InstructionSet::kAvx512) return accumulate_bytes(codes, n_rows, sums);
  FindLeaves* const find =
      choose_version<FindLeaves>(find_leaves_baseline, find_leaves_avx2, nullptr);
#else
  FindLeaves* const find = find_leaves_baseline;
#endif
  std::uint8_t leaves[kRows];
  for (const auto& tree : trees_) {
    find(tree, codes, leaves);
    std::int64_t* out = sums + tree.first_output;
    for (std::size_t row = 0; row < n_rows; ++row, out += n_outputs_) {
      const std::int64_t* value = tree.values.data() + leaves[row] * n_values_;
      for (std::size_t k = 0; k < n_values_; ++k) out[k] += value[k];
    }
  }
}

#if ORCHARD_HAS_X86_64
/// Bytes of values are added up apart, 64 rows at a time, and joined at the end.
void LeafMasks::accumulate_bytes(const Bin* codes, std::size_t n_rows, std::int64_t* sums) const {
  alignas(64) std::uint8_t leaves[kRows];
  std::vector<ByteSums> bytes(n_outputs_);
  std::vector<std::int64_t> least(n_outputs_);
  for (std::size_t begin = 0; begin < trees_.size(); begin += ByteSums::kMaxTrees) {
    const std::size_t end = std::min(begin + ByteSums::kMaxTrees, trees_.size());
    std::fill(bytes.begin(), bytes.end(), ByteSums{});
    std::fill(least.begin(), least.end(), 0);
    std::size_t n_bytes = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const SmallTree& tree = trees_[i];
      find_leaves_avx512(tree, codes, leaves);
      n_bytes = std::max(n_bytes, tree.n_bytes);
      for (std::size_t k = 0; k < n_values_; ++k) {
        least[tree.first_output + k] += tree.least[k];
        add_value_bytes_avx512(tree.value_bytes.data() + k * tree.n_bytes * kMaxLeaves,
                               tree.n_bytes, leaves, bytes[tree.first_output + k]);
      }
    }
    for (std::size_t output = 0; output < n_outputs_; ++output) {
      flush(bytes[output], n_bytes, least[output], n_rows, n_outputs_, sums + output);
    }
  }
}
#endif

}  // namespace orchard::model
