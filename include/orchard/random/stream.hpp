#pragma once
// Randomness is addressed, not drawn: a random number is a function of what it is for. Nothing
// about ranks, threads, time or order enters, nor the grid point, family or fold.

#include <array>
#include <cstdint>
#include <span>

namespace orchard::random {

/// What a number is for. The values are part of the meaning of a random_state: never renumber.
enum class Purpose : std::uint32_t {
  kBootstrap = 1,   ///< which rows a tree draws; draw = j-th draw
  kFeatures = 2,    ///< the order in which a node tries features; draw = position
  kFolds = 3,       ///< shuffled splitters; draw = position in the shuffle
  kValidation = 4,  ///< the early-stopping split of boosting
  kBinSample = 5,   ///< the rows from which cut points are made
};

/// 128-bit name of a node: the hash of the way from the root to it.
struct NodeKey {
  std::uint64_t high = 0, low = 0;
  bool operator==(const NodeKey&) const = default;
  /// Key of a child; `side` is 0 for left and 1 for right.
  NodeKey child(std::uint32_t side) const;
};

/// The numbers at one address (random_state, purpose, unit, node). Has no state: `draw` selects the
/// number, and the same draw always gives the same number. Generator: Philox 4x64-10
/// (Salmon et al., SC 2011).
class Stream {
 public:
  /// `unit` is the tree or round. There is no default seed; 0 is an ordinary seed.
  Stream(std::uint64_t random_state, Purpose purpose, std::uint64_t unit, NodeKey node = {});

  /// 64 random bits. Draws 4k .. 4k+3 come from one evaluation; see `block`.
  std::uint64_t bits(std::uint64_t draw) const { return block(draw / 4)[draw % 4]; }
  std::array<std::uint64_t, 4> block(std::uint64_t index) const;
  /// An integer in [0, n): the high half of bits * n. n must not be 0.
  std::uint64_t below(std::uint64_t n, std::uint64_t draw) const {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(bits(draw)) * n) >> 64);
  }
  /// A real in [0, 1) with 53 bits.
  double real(std::uint64_t draw) const {
    return static_cast<double>(bits(draw) >> 11) * 0x1.0p-53;
  }
  /// Fisher-Yates from the front: after it, values[0..m) is the beginning of the full permutation
  /// for any m. Uses draws 0 .. size-2.
  void shuffle(std::span<std::uint32_t> values) const;

 private:
  std::array<std::uint64_t, 2> key_;
  NodeKey node_;
};

}  // namespace orchard::random
