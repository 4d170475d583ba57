#include "orchard/model/tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "orchard/base/error.hpp"
#include "orchard/model/tree_text.hpp"
#include "small_models.hpp"

namespace orchard::model {
namespace {

TEST(TreeTest, AGoodTreeValidates) {
  small_tree(1).validate(2, 1);
  small_tree(3).validate(2, 3);
  Tree tree = small_tree(1);
  tree.value_row[0] = 2;
  tree.stops = {1, 3, 0, 2, 2};
  tree.validate(2, 1);
}

struct Damage {
  const char* name;
  std::function<void(Tree&)> apply;
  const char* message;
};

void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.name; }

const Damage kDamages[] = {
    {"empty", [](Tree& t) { t = {}; }, "no nodes"},
    {"short_array", [](Tree& t) { t.threshold.pop_back(); }, "differ in length"},
    {"short_stops", [](Tree& t) { t.stops = {1}; }, "differ in length"},
    {"value_rows", [](Tree& t) { t.values.pop_back(); }, "no whole rows"},
    {"value_row", [](Tree& t) { t.value_row[1] = 3; }, "value row 3 of 3"},
    {"negative_value_row", [](Tree& t) { t.value_row[1] = -2; }, "value row -2"},
    {"no_value", [](Tree& t) { t.value_row[4] = -1; }, "leaf without a value"},
    {"feature", [](Tree& t) { t.feature[0] = 2; }, "splits feature 2 of 2"},
    {"negative_feature", [](Tree& t) { t.feature[0] = -1; }, "splits feature -1"},
    {"leaf_feature", [](Tree& t) { t.feature[1] = 0; }, "leaf but has a feature"},
    {"loop", [](Tree& t) { t.left[2] = 0; }, "has children 0 and 1"},
    {"itself", [](Tree& t) { t.left[2] = 2; }, "has children 2 and 3"},
    {"past_end", [](Tree& t) { t.left[2] = 4; }, "has children 4 and 5 of 5"},
    {"far_past_end", [](Tree& t) { t.left[2] = std::numeric_limits<NodeIndex>::max(); },
     "has children 2147483647"},
    {"negative_child", [](Tree& t) { t.left[2] = -2; }, "has children -2"},
    {"shared_child", [](Tree& t) { t.left[0] = 3; }, "shares a child"},
    {"unreachable", [](Tree& t) { t.left[0] = -1, t.feature[0] = -1, t.value_row[0] = 0; },
     "cannot be reached"},
    {"threshold", [](Tree& t) { t.threshold[0] = NAN; }, "threshold that is not finite"},
    {"gain", [](Tree& t) { t.gain[0] = INFINITY; }, "gain that is not finite"},
    {"flags", [](Tree& t) { t.flags[0] = 4; }, "unknown flags 4"},
    {"words", [](Tree& t) { t.category_n_words[2] = 2; }, "levels in words 0 to 2 of 1"},
    {"begin", [](Tree& t) { t.category_begin[2] = -1; }, "levels in words -1"},
    {"levels_of_number", [](Tree& t) { t.category_begin[0] = 0; }, "is not categorical"},
    {"stop",
     [](Tree& t) {
       t.stops = {1, 1, 0, 1, 1};
     },
     "stops a readout but has no value"},
};

class TreeDamageTest : public ::testing::TestWithParam<Damage> {};

TEST_P(TreeDamageTest, IsRefused) {
  Tree tree = small_tree(2);
  GetParam().apply(tree);
  try {
    tree.validate(2, 2);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kData);
    EXPECT_THAT(error.message(), ::testing::HasSubstr(GetParam().message));
  }
}

INSTANTIATE_TEST_SUITE_P(Damages, TreeDamageTest, ::testing::ValuesIn(kDamages),
                         [](const auto& entry) { return std::string(entry.param.name); });

TEST(TreeTextTest, PrintsATree) {
  const auto forest = small_forest(0);
  EXPECT_EQ(print_tree(forest, 0, 9),
            "x0 <= 1.5, missing right  (rows 10, gain 0.25)\n"
            "  1.25  (rows 4)\n"
            "  x1 in {b}, missing left  (rows 6, gain 0.125)\n"
            "    2.5  (rows 1)\n"
            "    3.75  (rows 5)\n");
  EXPECT_EQ(print_tree(forest, 0, 0), "x0 <= 1.5, missing right  (rows 10, gain 0.25) ...\n");
  EXPECT_THROW(print_tree(forest, 1, 9), Error);
}

TEST(TreeTextTest, PrintsClassFractions) {
  auto forest = small_forest(2);
  forest.trees[0].values[0] = 0;
  EXPECT_THAT(print_tree(forest, 0, 9), ::testing::HasSubstr("  class1: 2.5  (rows 4)\n"));
}

}  // namespace
}  // namespace orchard::model
