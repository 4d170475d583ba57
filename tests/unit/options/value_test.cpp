#include "value.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orchard::options {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

Accepts any_number() {
  return {.words = {"none", "sqrt"}, .integers = IntegerRange{}, .reals = RealRange{-1e300, 1e300}};
}

Values read(const std::string& text) {
  OptionRow row;
  row.name = "x";
  row.accepts = any_number();
  const auto reading = read_axis(row, text);
  for (const auto& problem : reading.problems) ADD_FAILURE() << problem;
  return reading.values;
}

Values integers(std::initializer_list<std::int64_t> values) {
  Values out;
  for (const auto value : values) out.emplace_back(value);
  return out;
}
Values reals(std::initializer_list<double> values) {
  Values out;
  for (const auto value : values) out.emplace_back(value);
  return out;
}

TEST(Values, TypesByTheirLook) {
  EXPECT_THAT(
      read("8, 0.5, 1.0, 1e-3, +4, none, sqrt"),
      ElementsAre(ParamValue(std::int64_t{8}), ParamValue(0.5), ParamValue(1.0), ParamValue(1e-3),
                  ParamValue(std::int64_t{4}), ParamValue(), ParamValue("sqrt")));
  EXPECT_THAT(read("'sqrt'"), ElementsAre(ParamValue("sqrt")));
  EXPECT_THAT(read("1, 1.0"), ElementsAre(ParamValue(std::int64_t{1}), ParamValue(1.0)));
}

TEST(Values, RangeIsPythons) {
  EXPECT_EQ(read("range(1, 5)"), integers({1, 2, 3, 4}));
  EXPECT_EQ(read("range(20, 61, 20)"), integers({20, 40, 60}));
  EXPECT_EQ(read("range(5, 0, -2)"), integers({5, 3, 1}));
  EXPECT_EQ(read("range(-3, 0)"), integers({-3, -2, -1}));
  EXPECT_EQ(read("range( 9223372036854775805 , 9223372036854775807 )"),
            integers({9223372036854775805, 9223372036854775806}));
  EXPECT_EQ(read("range(-9223372036854775807, 9223372036854775807, 9223372036854775807)"),
            integers({-9223372036854775807, 0}));
}

TEST(Values, LinKeepsIntegersWhenAllAre) {
  EXPECT_EQ(read("lin(1, 10, 4)"), integers({1, 4, 7, 10}));
  EXPECT_EQ(read("lin(0, 1, 3)"), reals({0, 0.5, 1}));
  EXPECT_EQ(read("lin(1.0, 3, 3)"), reals({1, 2, 3}));
  EXPECT_EQ(read("lin(0.1, 0.7, 7)"), reals({0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7}));
  EXPECT_EQ(read("lin(5, 1, 3)"), integers({5, 3, 1}));
}

TEST(Values, LogIsRoundedToNiceDigitsWithExactEnds) {
  EXPECT_EQ(read("log(0.05, 0.2, 3)"), reals({0.05, 0.1, 0.2}));
  EXPECT_EQ(read("log(0.01, 10, 4)"), reals({0.01, 0.1, 1, 10}));
  EXPECT_EQ(read("log(1, 1000, 4)"), integers({1, 10, 100, 1000}));
  EXPECT_EQ(read("log(1e-7, 1e7, 15)"), reals({1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 1e1,
                                               1e2, 1e3, 1e4, 1e5, 1e6, 1e7}));
  const auto values = read("log(0.0123456789012345678, 0.3, 5)");
  EXPECT_EQ(std::get<double>(values.front()), 0.0123456789012345678);
  EXPECT_EQ(std::get<double>(values.back()), 0.3);
  for (std::size_t i = 1; i < values.size(); ++i) {
    EXPECT_NEAR(std::get<double>(values[i]) / std::get<double>(values[i - 1]),
                std::pow(0.3 / 0.0123456789012345678, 0.25), 1e-12);
  }
}

TEST(Values, Log2RoundsToIntegersAndDropsDuplicates) {
  EXPECT_EQ(read("log2(1, 64, 4)"), integers({1, 4, 16, 64}));
  EXPECT_EQ(read("log2(1, 1024, 11)"), integers({1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}));
  EXPECT_EQ(read("log2(1, 4, 5)"), integers({1, 2, 3, 4}));
}

TEST(Values, ListsMixItemsAndSeries) {
  EXPECT_EQ(read("0, log(0.1, 10, 3), none").size(), 5U);
  EXPECT_EQ(read("range(1, 3), range(2, 5)"), integers({1, 2, 3, 4}));
}

TEST(Values, SplitItems) {
  std::vector<std::string> texts;
  for (const auto& item : split_items("a, \"b, c\", f(d, e), 'g', it's"))
    texts.push_back(item.text);
  EXPECT_THAT(texts, ElementsAreArray({"a", "b, c", "f(d, e)", "g", "it's"}));
  EXPECT_THROW(split_items("a,"), Error);
  EXPECT_THROW(split_items(""), Error);
  EXPECT_THROW(split_items("\"a"), Error);
}

TEST(Values, WhatIsPrintedIsReadBack) {
  const Values values = {ParamValue(),       ParamValue(std::int64_t{-7}),
                         ParamValue(1.0),    ParamValue(0.1),
                         ParamValue(1e-7),   ParamValue(1e22),
                         ParamValue("sqrt"), ParamValue(1.0 / 3)};
  EXPECT_EQ(print_values(values), "none, -7, 1.0, 0.1, 1e-07, 1e+22, sqrt, 0.3333333333333333");
  for (const auto& value : values) {
    EXPECT_EQ(guess(split_items(print_value(value)).at(0)), value) << print_value(value);
  }
  for (const std::string text :
       {"none", "7", "0.5", "a, b", "true", " x", "it's", "say \"x\"", "f(x", "plain words"}) {
    const auto items = split_items(print_text(text));
    ASSERT_EQ(items.size(), 1U) << text;
    EXPECT_EQ(guess(items[0]), ParamValue(text));
  }
}

TEST(Values, DescriptionsNameRanges) {
  EXPECT_EQ(describe(any_number()).substr(0, 10), "an integer");
  EXPECT_EQ(describe({.words = {"a", "b", "c"}}), "a, b or c");
  EXPECT_EQ(describe({.words = {}, .reals = RealRange{0, 1, true, false}}), "a number in (0, 1]");
}

}  // namespace
}  // namespace orchard::options
