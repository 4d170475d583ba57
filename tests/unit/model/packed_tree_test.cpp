#include "orchard/model/packed_tree.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "orchard/base/error.hpp"
#include "orchard/model/unit.hpp"
#include "small_models.hpp"

namespace orchard::model {
namespace {

/// Nodes of any number, most of them as fits make them, some with what none should have.
Tree random_tree(std::mt19937_64& random, std::size_t n_nodes) {
  const auto below = [&](std::uint64_t n) { return random() % n; };
  const std::uint64_t most[] = {10, 300, 70'000, 0x7fffffff};
  const auto number = [&](std::uint64_t n_most) {
    return static_cast<std::int32_t>(below(n_most));
  };
  const bool is_odd = below(3) == 0, has_categories = below(2) == 0, has_stops = below(2) == 0;
  const auto n_features = most[below(4)], n_values = most[below(4)], n_rows = most[below(4)];
  const auto n_stops = below(64) + 1;
  Tree tree;
  for (std::size_t i = 0; i < n_nodes; ++i) {
    const bool is_leaf = below(2) == 0, is_strange = is_odd && below(20) == 0;
    const bool is_usual = is_leaf != is_strange;
    tree.feature.push_back(is_usual ? -1 : number(n_features));
    tree.threshold.push_back(is_usual ? 0.0F : is_strange ? -0.0F : std::ldexp(1.0F, number(20)));
    tree.left.push_back(is_leaf ? -1 : number(0x7fffffff));
    tree.flags.push_back(static_cast<std::uint8_t>(is_usual ? 0 : below(4)));
    tree.value_row.push_back(is_leaf || is_strange ? number(n_values) : -1);
    tree.n_samples.push_back(static_cast<std::uint32_t>(below(n_rows)));
    tree.gain.push_back(is_usual ? 0.0 : std::ldexp(1.0, -number(40)));
    if (is_strange) tree.gain.back() = std::numeric_limits<double>::infinity();
    if (has_categories) {
      tree.category_begin.push_back(is_usual ? -1 : number(1000));
      tree.category_n_words.push_back(is_usual ? 0 : number(3));
    }
    if (has_stops) tree.stops.push_back(random() >> (64 - n_stops));
  }
  for (std::size_t i = below(5); i > 0; --i) tree.values.push_back(number(1000) - 500);
  for (std::size_t i = below(5); i > 0; --i) tree.category_words.push_back(7);
  return tree;
}

std::vector<Node> nodes_of(const Tree& tree) {
  std::vector<Node> nodes(tree.n_nodes());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    nodes[i].feature = tree.feature[i];
    nodes[i].threshold = tree.threshold[i];
    nodes[i].left = tree.left[i];
    nodes[i].flags = tree.flags[i];
    nodes[i].value_row = tree.value_row[i];
    nodes[i].n_samples = tree.n_samples[i];
    nodes[i].gain = tree.gain[i];
    if (!tree.category_begin.empty()) {
      nodes[i].category_begin = tree.category_begin[i];
      nodes[i].category_n_words = tree.category_n_words[i];
    }
    if (!tree.stops.empty()) nodes[i].stops = tree.stops[i];
  }
  return nodes;
}

TEST(PackedTreeTest, UnpacksToTheSameTree) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 400; ++i) {
    const Tree tree = random_tree(random, i < 130 ? static_cast<std::size_t>(i) : random() % 3000);
    const PackedTree packed(tree);
    ASSERT_EQ(packed.n_nodes(), tree.n_nodes());
    ASSERT_EQ(packed.unpack(), tree) << i;
    PackedTree of_nodes(nodes_of(tree), !tree.stops.empty(), !tree.category_begin.empty());
    of_nodes.values = tree.values;
    of_nodes.category_words = tree.category_words;
    ASSERT_EQ(of_nodes, packed) << i;
    ByteWriter writer;
    packed.put(writer);
    ASSERT_EQ(writer.bytes().size(), packed.n_message_bytes());
    ByteReader reader(writer.bytes());
    ASSERT_EQ(PackedTree::get(reader), packed);
    ASSERT_TRUE(reader.is_at_end());
  }
}

TEST(PackedTreeTest, KeepsTheSignOfAZero) {
  Tree tree = small_tree(1);
  for (auto& threshold : tree.threshold) threshold = -0.0F;
  for (const float threshold : PackedTree(tree).unpack().threshold) {
    EXPECT_TRUE(std::signbit(threshold));
  }
}

TEST(PackedTreeTest, StoresWhatIsUnusualInFewBytes) {
  Tree tree;
  const std::size_t n = 6400;
  tree.left.assign(n, -1);
  tree.feature = tree.value_row = tree.left;
  tree.threshold.assign(n, 0);
  tree.flags.assign(n, 0);
  tree.n_samples.assign(n, 1);
  tree.gain.assign(n, 0);
  const auto with_samples = PackedTree(tree).n_bytes();
  EXPECT_LT(with_samples, n + n / 8 + 100);
  tree.n_samples.back() = 256;
  EXPECT_EQ(PackedTree(tree).n_bytes(), with_samples + n);
  tree.left.front() = 300;
  tree.gain.front() = 0.5;
  EXPECT_EQ(PackedTree(tree).n_bytes(), with_samples + n + 2 + 8) << "of the only inner node";
}

TEST(PackedTreeTest, ArraysOfOtherLengthsAreRefused) {
  for (const auto cut : {+[](Tree& t) { t.gain.pop_back(); }, +[](Tree& t) { t.left.clear(); },
                         +[](Tree& t) { t.flags.clear(); }, +[](Tree& t) { t.stops = {1}; }}) {
    Tree tree = small_tree(1);
    cut(tree);
    EXPECT_THROW(PackedTree{tree}, Error);
  }
}

TEST(PackedTreeTest, MessagesThatDoNotFitAreRefused) {
  std::mt19937_64 random(2);
  ByteWriter writer;
  PackedTree(random_tree(random, 100)).put(writer);
  const auto refused = [](Bytes bytes) {
    try {
      ByteReader reader(bytes);
      PackedTree::get(reader).unpack();
    } catch (const Error& error) {
      return error.kind() == ErrorKind::kInternal;
    }
    return false;
  };
  for (std::size_t n = 0; n < writer.bytes().size(); ++n) {
    ASSERT_TRUE(refused(Bytes(writer.bytes().begin(), writer.bytes().begin() + n)));
  }
  for (const std::size_t at : {0, 4, 8, 11}) {  // nodes, inner nodes, a width, a place
    auto bytes = writer.bytes();
    bytes[at + 3] = std::byte{0x7f};
    bytes[at] = std::byte{0x7f};
    EXPECT_TRUE(refused(bytes)) << at;
  }
  // Inner nodes behind the last of 100: a bit of the second word of kinds, which lies behind the
  // counts, the columns and the number of bytes.
  auto bytes = writer.bytes();
  constexpr std::size_t kKinds = 2 * 4 + 10 * (3 + 8) + 8;
  bytes[4] = static_cast<std::byte>(std::to_integer<int>(bytes[4]) + 1);
  bytes[kKinds + 15] = std::byte{1};
  EXPECT_TRUE(refused(bytes));
}

TEST(UnitTest, CopiesShareTreesAndCompareThem) {
  const Unit unit({small_tree(1), small_tree(3)});
  const Unit copy = unit;
  EXPECT_EQ(copy.packed().data(), unit.packed().data());
  EXPECT_EQ(unit, Unit({small_tree(1), small_tree(3)}));
  EXPECT_FALSE(unit == Unit({small_tree(1)}));
  EXPECT_EQ(unit[1], small_tree(3));
  EXPECT_EQ(std::vector<Tree>(unit.begin(), unit.end()),
            (std::vector<Tree>{small_tree(1), small_tree(3)}));
  EXPECT_EQ(Unit().size(), 0u);
  EXPECT_TRUE(Unit().begin() == Unit().end());
}

}  // namespace
}  // namespace orchard::model
