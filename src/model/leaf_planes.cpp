#include "orchard/model/leaf_planes.hpp"

#include <algorithm>
#include <cstring>
#include <queue>

#include "orchard/base/instruction_set.hpp"

namespace orchard::model {
namespace {

constexpr std::size_t kRows = LeafPlanes::kRows;
constexpr std::uint32_t kFourTimes = 0x01010101;

/// The nodes that are asked: those that most training rows reached, while leaves can be numbered.
std::vector<bool> choose_inner(const Tree& tree) {
  const auto comes_later = [&](std::size_t a, std::size_t b) {
    return tree.n_samples[a] != tree.n_samples[b] ? tree.n_samples[a] < tree.n_samples[b] : a > b;
  };
  std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(comes_later)> open(
      comes_later);
  std::vector<bool> is_inner(tree.n_nodes());
  const auto offer = [&](std::size_t node) {
    if (tree.left[node] >= 0) open.push(node);
  };
  offer(0);
  for (std::size_t n_leaves = 1; !open.empty() && n_leaves < LeafPlanes::kMaxLeaves; ++n_leaves) {
    const std::size_t node = open.top();
    open.pop();
    is_inner[node] = true;
    offer(static_cast<std::size_t>(tree.left[node]));
    offer(static_cast<std::size_t>(tree.left[node]) + 1);
  }
  return is_inner;
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
void ask(const std::vector<LeafPlanes::Item>& items, std::uint32_t added, const Bin* codes,
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
void ask_plane(const LeafPlanes::Plane& from, const Bin* codes, Lanes (&plane)[kGroups]) {
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

void find_leaves_baseline(const LeafPlanes& tree, const Bin* codes, std::uint8_t* out) {
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
    std::memcpy(out + begin, leaf, sizeof leaf);
  }
}

}  // namespace

FindLeaves* find_leaves() {
#if ORCHARD_HAS_X86_64
  return choose_version(find_leaves_baseline, find_leaves_avx2, find_leaves_avx512);
#else
  return find_leaves_baseline;
#endif
}

LeafPlanes::LeafPlanes(const Tree& tree, const SplitOf& split_of) : planes(kMaxLeaves / 8) {
  number_leaves(tree, split_of, choose_inner(tree), 0);
  planes.resize((leaves.size() + 7) / 8);
}

/// Numbers the leaves below a node and returns how many they are.
std::size_t LeafPlanes::number_leaves(const Tree& tree, const SplitOf& split_of,
                                      const std::vector<bool>& is_inner, std::size_t node) {
  if (!is_inner[node]) {
    leaves.push_back(static_cast<NodeIndex>(node));
    return 1;
  }
  const std::size_t first = leaves.size();
  const auto left = static_cast<std::size_t>(tree.left[node]);
  const std::size_t n_left = number_leaves(tree, split_of, is_inner, left);
  rule_out(split_of(node), ((std::uint64_t{1} << n_left) - 1) << first);
  return n_left + number_leaves(tree, split_of, is_inner, left + 1);
}

/// A row that goes right reaches none of the leaves in `bits`.
void LeafPlanes::rule_out(const CodeSplit& split, std::uint64_t bits) {
  const auto column = static_cast<std::uint32_t>(split.column * kRows);
  for (std::size_t p = 0; p < planes.size(); ++p) {
    const auto gone = static_cast<std::uint8_t>(bits >> (8 * p));
    if (gone == 0) continue;
    const std::uint32_t keep = kFourTimes * static_cast<std::uint8_t>(~gone);
    if (split.is_set) {
      planes[p].sets.push_back({split.right, column, keep});
    } else if (split.is_missing_left) {
      planes[p].low_items.push_back({column, kFourTimes * (split.limit + 1u), keep});
    } else {
      planes[p].items.push_back({column, kFourTimes * split.limit, keep});
    }
  }
}

}  // namespace orchard::model
