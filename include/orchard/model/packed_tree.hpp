#pragma once
// A finished tree in few bytes, for fits and searches that hold hundreds of them.

#include <cstdint>
#include <span>
#include <vector>

#include "orchard/base/bytes.hpp"
#include "orchard/model/tree.hpp"

namespace orchard::model {

/// All of a node side by side, as trees are built; the parts are those of Tree.
struct Node {
  double gain = 0;
  std::uint64_t stops = 0;
  std::int32_t feature = -1;
  float threshold = 0;
  NodeIndex left = -1;
  std::int32_t value_row = -1;
  std::uint32_t n_samples = 0;
  std::int32_t category_begin = -1, category_n_words = 0;
  std::uint8_t flags = 0;
};

/// A tree in about a third of its bytes; unpacked it is the same, bit for bit, whatever its arrays
/// hold. An array has numbers for the inner nodes, for the leaves or for both: where all nodes of a
/// kind have what is usual there (leaves no feature, inner nodes no value) none is stored. Each
/// array takes 1, 2, 4 or 8 bytes a number, what its greatest one needs: it is the distance from
/// what is usual. Equal trees are equal when packed. Owns its bytes.
class PackedTree {
 public:
  /// An array of the tree, under the name that it has there.
  template <class T>
  struct Column {
    T usual{};               ///< of nodes without a stored number
    std::uint8_t width = 0;  ///< bytes of a stored number; 0: the array is empty
    bool is_at_inner = false, is_at_leaves = false;  ///< whose numbers are stored
    std::uint64_t begin = 0;                         ///< of its numbers, in the bytes

    bool is_empty() const { return width == 0; }
    /// Whether some node has another number than the usual one.
    bool says_something() const { return is_at_inner || is_at_leaves; }
    bool operator==(const Column&) const = default;
  };

  PackedTree() = default;
  /// Throws kInternal unless the arrays of nodes have one entry a node, or may be empty and are.
  explicit PackedTree(const Tree& tree);
  /// A tree without values and levels yet. Whether it has stops and levels is as in Tree: arrays
  /// that are empty or not.
  PackedTree(std::span<const Node> nodes, bool has_stops, bool has_categories);
  Tree unpack() const;

  std::size_t n_nodes() const { return n_nodes_; }
  /// In memory, but for what every tree takes.
  std::size_t n_bytes() const;
  /// The array of that name: [n_nodes], or empty. What `out` held is gone.
  template <class T>
  void read(const Column<T>& column, std::vector<T>& out) const;
  bool operator==(const PackedTree&) const = default;

  void put(ByteWriter& out) const;
  /// So many bytes it writes. A message that grows would at times be there twice, and trees may be
  /// most of the memory: who writes many makes room first.
  std::size_t n_message_bytes() const;
  /// What `put` wrote; can be unpacked, but is not validated. Throws kInternal past the end and
  /// when the parts do not fit together.
  static PackedTree get(ByteReader& in);

  Column<std::int32_t> feature{-1};
  Column<float> threshold;
  Column<NodeIndex> left{-1};
  Column<std::uint8_t> flags;
  Column<std::int32_t> value_row{-1};
  Column<std::uint32_t> n_samples;
  Column<double> gain;
  Column<std::int32_t> category_begin{-1};
  Column<std::int32_t> category_n_words;
  Column<std::uint64_t> stops;
  std::vector<std::uint32_t> category_words;
  std::vector<std::int64_t> values;

 private:
  struct Arrays;
  void pack(const Arrays& arrays);
  void check_bytes() const;
  template <class T>
  std::size_t n_stored(const Column<T>& column) const {
    return (column.is_at_inner ? n_inner_ : 0) + (column.is_at_leaves ? n_nodes_ - n_inner_ : 0);
  }

  std::uint32_t n_nodes_ = 0, n_inner_ = 0;
  /// A bit a node, set at inner ones, in whole 64-bit words; the columns, zeros behind each of
  /// them, so that one number too many may be read.
  Bytes bytes_;
};

}  // namespace orchard::model
