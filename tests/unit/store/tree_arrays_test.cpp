#include "tree_arrays.hpp"

#include "store_fixture.hpp"

namespace orchard::store {
namespace {

using model::Tree;
using ::testing::HasSubstr;

std::vector<Tree> round_trip(const std::vector<Tree>& trees, std::size_t* n_objects = nullptr) {
  const std::vector<model::PackedTree> packed(trees.begin(), trees.end());
  TreeList list;
  for (const auto& tree : packed) list.push_back(&tree);
  h5::Builder builder;
  write_trees(builder, "/trees", list);
  const h5::Image image = builder.finish();
  const h5::Reader reader(image.bytes(), "trees");
  if (n_objects != nullptr) *n_objects = reader.objects().size();
  return read_trees(reader, "/trees");
}

TEST(TreeArraysTest, RoundTripsTreesOfEveryKind) {
  Tree leaf;
  leaf.feature = {-1};
  leaf.threshold = {0};
  leaf.left = {-1};
  leaf.flags = {0};
  leaf.value_row = {0};
  leaf.n_samples = {1};
  leaf.gain = {0};
  leaf.values = {42};
  Tree stopped = small_tree();
  stopped.stops = {1, 0, 7};
  const std::vector<Tree> trees = {small_tree(), leaf, categorical_tree(3), stopped};
  EXPECT_EQ(round_trip(trees), trees);
  EXPECT_EQ(round_trip({}), std::vector<Tree>{});
}

TEST(TreeArraysTest, ArraysThatSayNothingAreLeftOut) {
  std::size_t n_plain = 0, n_all = 0;
  round_trip({small_tree()}, &n_plain);
  Tree stopped = categorical_tree(0);
  stopped.stops = {1, 0, 7};
  round_trip({stopped}, &n_all);
  EXPECT_EQ(n_plain + 6, n_all);
}

TEST(TreeArraysTest, ACategoricalNodeWithoutLevelsKeepsItsPlace) {
  Tree tree = categorical_tree(0);
  tree.category_n_words[0] = 0;
  tree.category_words.clear();
  EXPECT_EQ(round_trip({tree}), std::vector<Tree>{tree});
}

TEST(TreeArraysTest, TreesWithMissingArraysAreNotWritten) {
  Tree tree = small_tree();
  tree.gain.pop_back();
  EXPECT_EQ(error_of([&] { round_trip({tree}); }).kind(), ErrorKind::kInternal);
}

TEST(TreeArraysTest, BordersThatDoNotFitAreRefused) {
  const auto refusal = [](std::vector<std::uint64_t> node_offsets,
                          std::vector<std::uint64_t> value_offsets) {
    const Tree tree = small_tree();
    h5::Builder builder;
    builder.make_group("/trees");
    builder.write("/trees/node_offsets", node_offsets);
    builder.write("/trees/value_offsets", value_offsets);
    builder.write("/trees/feature", tree.feature);
    builder.write("/trees/threshold", tree.threshold);
    builder.write("/trees/left", tree.left);
    builder.write("/trees/flags", tree.flags);
    builder.write("/trees/value_row", tree.value_row);
    builder.write("/trees/n_samples", tree.n_samples);
    builder.write("/trees/gain", tree.gain);
    builder.write("/trees/values", tree.values);
    const h5::Image image = builder.finish();
    const h5::Reader reader(image.bytes(), "crafted");
    return std::string(error_of([&] {
                         read_trees(reader, "/trees");
                         throw Error(ErrorKind::kData, "accepted");
                       }).what());
  };
  EXPECT_EQ(refusal({0, 3}, {0, 2}), "accepted");
  EXPECT_THAT(refusal({}, {0, 2}), HasSubstr("node_offsets: is empty"));
  EXPECT_THAT(refusal({0, 4}, {0, 2}), HasSubstr("/trees/feature: has 3 values, expected 4"));
  EXPECT_THAT(refusal({1, 3}, {0, 2}), HasSubstr("does not run from 0"));
  EXPECT_THAT(refusal({0, 5, 3}, {0, 1, 2}), HasSubstr("falls at place 2"));
  EXPECT_THAT(refusal({0, 3}, {0, 1, 2}), HasSubstr("value_offsets: has 3 values, expected 2"));
  EXPECT_THAT(refusal({0, 3}, {0, 3}), HasSubstr("value_offsets: does not run from 0 to 2"));
  EXPECT_THAT(refusal({0, std::numeric_limits<std::uint64_t>::max()}, {0, 2}),
              HasSubstr("/trees/feature: has 3 values"));
}

}  // namespace
}  // namespace orchard::store
