#include "orchard/model/packed_tree.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>

#include "orchard/base/error.hpp"

namespace orchard::model {
namespace {

/// Zeros behind each column: the widest number.
constexpr std::size_t kSpareBytes = 8;
constexpr std::size_t kMostColumns = 10;
constexpr std::size_t kWordBytes = sizeof(std::uint64_t);

std::size_t n_words(std::size_t n_nodes) { return (n_nodes + 63) / 64; }

template <std::size_t kBytes>
struct Unsigned;
template <>
struct Unsigned<1> {
  using Type = std::uint8_t;
};
template <>
struct Unsigned<4> {
  using Type = std::uint32_t;
};
template <>
struct Unsigned<8> {
  using Type = std::uint64_t;
};

template <class T>
using Bits = typename Unsigned<sizeof(T)>::Type;

/// What is stored of a number: how far its bits are from the usual ones. Small where it is a small
/// natural number, or one less.
template <class T>
Bits<T> packed(T number, T usual) {
  return static_cast<Bits<T>>(std::bit_cast<Bits<T>>(number) - std::bit_cast<Bits<T>>(usual));
}
template <class T, class Stored>
T unpacked(Stored stored, T usual) {
  return std::bit_cast<T>(
      static_cast<Bits<T>>(static_cast<Bits<T>>(stored) + std::bit_cast<Bits<T>>(usual)));
}

/// Numbers of nodes, wherever they lie; borrowed.
template <class T>
class Numbers {
 public:
  Numbers() = default;
  Numbers(const T* first, std::size_t n, std::size_t stride_bytes)
      : first_(reinterpret_cast<const std::byte*>(first)), n_(n), stride_bytes_(stride_bytes) {}
  explicit Numbers(const std::vector<T>& array) : Numbers(array.data(), array.size(), sizeof(T)) {}
  std::size_t size() const { return n_; }
  T operator[](std::size_t i) const {
    return *reinterpret_cast<const T*>(first_ + i * stride_bytes_);
  }

 private:
  const std::byte* first_ = nullptr;
  std::size_t n_ = 0, stride_bytes_ = 0;
};

template <class T>
using Column = PackedTree::Column<T>;

/// Calls visit(column, array) for all arrays of nodes. Of trees that are const or not.
template <class AnyPacked, class AnyTree, class Visit>
void for_each_column(AnyPacked& packed, AnyTree& tree, Visit visit) {
  visit(packed.feature, tree.feature);
  visit(packed.threshold, tree.threshold);
  visit(packed.left, tree.left);
  visit(packed.flags, tree.flags);
  visit(packed.value_row, tree.value_row);
  visit(packed.n_samples, tree.n_samples);
  visit(packed.gain, tree.gain);
  visit(packed.category_begin, tree.category_begin);
  visit(packed.category_n_words, tree.category_n_words);
  visit(packed.stops, tree.stops);
}

/// Calls act(number of type uint8_t ... uint64_t) with the type of a column's numbers.
template <class Act>
void with_width(std::uint8_t width, Act act) {
  switch (width) {
    case 1:
      return act(std::uint8_t{});
    case 2:
      return act(std::uint16_t{});
    case 4:
      return act(std::uint32_t{});
    default:
      return act(std::uint64_t{});
  }
}

/// Nodes that are gone through for one array after the other while they are in the nearest cache.
constexpr std::size_t kBlockNodes = 512;

/// Calls act(begin, end) for all of n nodes, block by block.
template <class Act>
void for_blocks(std::size_t n, Act act) {
  for (std::size_t begin = 0; begin < n; begin += kBlockNodes) {
    act(begin, std::min(n, begin + kBlockNodes));
  }
}

/// All bits that are set in some number to be stored, at inner nodes and at leaves.
struct Used {
  std::uint64_t at_inner = 0, at_leaves = 0;
};

template <class T>
void note_used(const Numbers<T>& array, T usual, const Numbers<NodeIndex>& left, std::size_t begin,
               std::size_t end, Used& used) {
  Bits<T> at_inner = 0, at_leaves = 0;
  for (std::size_t i = begin; i < end; ++i) {
    const Bits<T> bits = packed(array[i], usual);
    const auto is_leaf = static_cast<Bits<T>>(left[i] < 0 ? ~Bits<T>{0} : Bits<T>{0});
    at_leaves |= bits & is_leaf;
    at_inner |= bits & static_cast<Bits<T>>(~is_leaf);
  }
  used.at_inner |= at_inner;
  used.at_leaves |= at_leaves;
}

/// Writes a number wherever the last one was, when that is not to be stored: no branch, which no
/// processor could foresee. So one number too many may be written. Returns where the next goes.
template <class T>
std::byte* store(const Numbers<T>& array, const Numbers<NodeIndex>& left, const Column<T>& column,
                 std::size_t begin, std::size_t end, std::byte* to) {
  if (!column.says_something()) return to;
  const bool is_whole = column.is_at_inner && column.is_at_leaves;
  with_width(column.width, [&]<class Stored>(Stored) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto stored = static_cast<Stored>(packed(array[i], column.usual));
      std::memcpy(to, &stored, sizeof stored);
      const bool is_stored = is_whole || (left[i] >= 0) == column.is_at_inner;
      to += is_stored ? sizeof stored : 0;
    }
  });
  return to;
}

}  // namespace

/// Those of a tree, under the names that they have there.
struct PackedTree::Arrays {
  Numbers<std::int32_t> feature;
  Numbers<float> threshold;
  Numbers<NodeIndex> left;
  Numbers<std::uint8_t> flags;
  Numbers<std::int32_t> value_row;
  Numbers<std::uint32_t> n_samples;
  Numbers<double> gain;
  Numbers<std::int32_t> category_begin, category_n_words;
  Numbers<std::uint64_t> stops;
};

PackedTree::PackedTree(const Tree& tree)
    : category_words(tree.category_words), values(tree.values) {
  Arrays arrays;
  for_each_column(arrays, tree, [](auto& numbers, const auto& array) {
    numbers = std::remove_reference_t<decltype(numbers)>(array);
  });
  pack(arrays);
}

PackedTree::PackedTree(std::span<const Node> nodes, bool has_stops, bool has_categories) {
  if (nodes.empty()) return;
  const auto numbers = [&](const auto& of_first) {
    return Numbers(&of_first, nodes.size(), sizeof(Node));
  };
  const Node& first = nodes.front();
  Arrays arrays;
  arrays.feature = numbers(first.feature);
  arrays.threshold = numbers(first.threshold);
  arrays.left = numbers(first.left);
  arrays.flags = numbers(first.flags);
  arrays.value_row = numbers(first.value_row);
  arrays.n_samples = numbers(first.n_samples);
  arrays.gain = numbers(first.gain);
  if (has_categories) {
    arrays.category_begin = numbers(first.category_begin);
    arrays.category_n_words = numbers(first.category_n_words);
  }
  if (has_stops) arrays.stops = numbers(first.stops);
  pack(arrays);
}

void PackedTree::pack(const Arrays& arrays) {
  const std::size_t n = arrays.feature.size();
  const auto& children = arrays.left;
  const bool is_whole = children.size() == n && arrays.threshold.size() == n &&
                        arrays.flags.size() == n && arrays.value_row.size() == n &&
                        arrays.n_samples.size() == n && arrays.gain.size() == n &&
                        (arrays.category_begin.size() == 0 || arrays.category_begin.size() == n) &&
                        arrays.category_n_words.size() == arrays.category_begin.size() &&
                        (arrays.stops.size() == 0 || arrays.stops.size() == n);
  require(is_whole && n <= std::numeric_limits<std::uint32_t>::max(),
          "every array of a tree has an entry for each node");
  n_nodes_ = static_cast<std::uint32_t>(n);

  std::array<Used, kMostColumns> used;
  for_blocks(n, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) n_inner_ += children[i] >= 0 ? 1 : 0;
    auto of_column = used.begin();
    for_each_column(*this, arrays, [&](const auto& column, const auto& array) {
      if (array.size() != 0) note_used(array, column.usual, children, begin, end, *of_column);
      ++of_column;
    });
  });
  std::size_t n_bytes = n_words(n) * kWordBytes;
  auto of_column = used.begin();
  for_each_column(*this, arrays, [&](auto& column, const auto& array) {
    const auto [at_inner, at_leaves] = *of_column++;
    if (array.size() == 0) return;
    column.is_at_inner = at_inner != 0;
    column.is_at_leaves = at_leaves != 0;
    const int n_bits = std::bit_width(at_inner | at_leaves);
    column.width = n_bits <= 8 ? 1 : n_bits <= 16 ? 2 : n_bits <= 32 ? 4 : 8;
    column.begin = n_bytes;
    n_bytes += n_stored(column) * column.width + kSpareBytes;
  });

  bytes_.resize(n_bytes);
  std::array<std::byte*, kMostColumns> next;
  auto to = next.begin();
  for_each_column(*this, arrays,
                  [&](const auto& column, const auto&) { *to++ = bytes_.data() + column.begin; });
  for_blocks(n, [&](std::size_t begin, std::size_t end) {
    auto here = next.begin();
    for_each_column(*this, arrays, [&](const auto& column, const auto& array) {
      *here = store(array, children, column, begin, end, *here);
      ++here;
    });
  });
  to = next.begin();
  for_each_column(*this, arrays, [&](const auto& column, const auto&) {
    if (!column.is_empty()) std::memset(*to, 0, kSpareBytes);
    ++to;
  });
  for (std::size_t begin = 0; begin < n; begin += 64) {
    std::uint64_t word = 0;
    for (std::size_t i = begin; i < std::min(n, begin + 64); ++i) {
      word |= static_cast<std::uint64_t>(children[i] >= 0) << (i % 64);
    }
    std::memcpy(bytes_.data() + begin / 64 * kWordBytes, &word, sizeof word);
  }
}

template <class T>
void PackedTree::read(const Column<T>& column, std::vector<T>& out) const {
  out.clear();
  if (column.is_empty()) return;
  out.resize(n_nodes_, column.usual);
  if (!column.says_something()) return;
  with_width(column.width, [&]<class Stored>(Stored stored) {
    const std::byte* from = bytes_.data() + column.begin;
    if (column.is_at_inner && column.is_at_leaves) {
      for (std::size_t i = 0; i < n_nodes_; ++i) {
        std::memcpy(&stored, from + i * sizeof stored, sizeof stored);
        out[i] = unpacked(stored, column.usual);
      }
      return;
    }
    for (std::size_t begin = 0; begin < n_nodes_; begin += 64) {
      std::uint64_t is_stored = 0;
      std::memcpy(&is_stored, bytes_.data() + begin / 64 * kWordBytes, sizeof is_stored);
      if (column.is_at_leaves) is_stored = ~is_stored;
      const std::size_t end = std::min<std::size_t>(n_nodes_, begin + 64);
      for (std::size_t i = begin; i < end; ++i) {
        // As in store(): a number is read for every node, and is 0 where there is none.
        std::memcpy(&stored, from, sizeof stored);
        const std::uint64_t is_here = is_stored & 1;
        out[i] = unpacked(static_cast<Stored>(stored & (Stored{0} - is_here)), column.usual);
        from += is_here * sizeof stored;
        is_stored >>= 1;
      }
    }
  });
}

template void PackedTree::read(const Column<std::int32_t>&, std::vector<std::int32_t>&) const;
template void PackedTree::read(const Column<std::uint32_t>&, std::vector<std::uint32_t>&) const;
template void PackedTree::read(const Column<std::uint8_t>&, std::vector<std::uint8_t>&) const;
template void PackedTree::read(const Column<std::uint64_t>&, std::vector<std::uint64_t>&) const;
template void PackedTree::read(const Column<float>&, std::vector<float>&) const;
template void PackedTree::read(const Column<double>&, std::vector<double>&) const;

Tree PackedTree::unpack() const {
  Tree tree;
  for_each_column(*this, tree, [&](const auto& column, auto& array) { read(column, array); });
  tree.category_words = category_words;
  tree.values = values;
  return tree;
}

std::size_t PackedTree::n_bytes() const {
  return bytes_.size() + category_words.size() * sizeof(category_words[0]) +
         values.size() * sizeof(values[0]);
}

std::size_t PackedTree::n_message_bytes() const {
  constexpr std::size_t kColumnBytes = 3 + sizeof(Column<double>::begin);
  return n_bytes() + kMostColumns * kColumnBytes + 2 * sizeof n_nodes_ + 3 * sizeof(std::uint64_t);
}

void PackedTree::put(ByteWriter& out) const {
  out.put(n_nodes_);
  out.put(n_inner_);
  const Tree none;
  for_each_column(*this, none, [&](const auto& column, const auto&) {
    out.put(column.width);
    out.put(column.is_at_inner);
    out.put(column.is_at_leaves);
    out.put(column.begin);
  });
  out.put(bytes_);
  out.put(category_words);
  out.put(values);
}

void PackedTree::check_bytes() const {
  const std::size_t n_kinds_bytes = n_words(n_nodes_) * kWordBytes;
  require(n_kinds_bytes <= bytes_.size(), "a packed tree holds the kinds of its nodes");
  std::size_t n_inner = 0;
  for (std::size_t begin = 0; begin < n_kinds_bytes; begin += kWordBytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes_.data() + begin, sizeof word);
    n_inner += static_cast<std::size_t>(std::popcount(word));
    const std::size_t n_here = n_nodes_ - begin / kWordBytes * 64;
    require(n_here >= 64 || word >> n_here == 0, "a packed tree has kinds of its nodes alone");
  }
  require(n_inner == n_inner_ && n_inner <= n_nodes_, "a packed tree counts its inner nodes");
  const Tree none;
  for_each_column(*this, none, [&](const auto& column, const auto& array) {
    if (column.is_empty()) return;
    const std::size_t n_bytes = n_stored(column) * column.width;
    require(std::has_single_bit(column.width) && column.width <= sizeof(array[0]) &&
                column.begin >= n_kinds_bytes && column.begin <= bytes_.size() &&
                n_bytes + kSpareBytes <= bytes_.size() - column.begin,
            "a packed tree holds its columns");
  });
}

PackedTree PackedTree::get(ByteReader& in) {
  PackedTree tree;
  tree.n_nodes_ = in.get<std::uint32_t>();
  tree.n_inner_ = in.get<std::uint32_t>();
  const Tree none;
  for_each_column(tree, none, [&](auto& column, const auto&) {
    column.width = in.get<std::uint8_t>();
    column.is_at_inner = in.get<std::uint8_t>() != 0;
    column.is_at_leaves = in.get<std::uint8_t>() != 0;
    column.begin = in.get<std::uint64_t>();
  });
  tree.bytes_ = in.get_vector<std::byte>();
  tree.check_bytes();
  tree.category_words = in.get_vector<std::uint32_t>();
  tree.values = in.get_vector<std::int64_t>();
  return tree;
}

}  // namespace orchard::model
