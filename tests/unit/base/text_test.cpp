#include "orchard/base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <utility>

#include "../../support/global_seed.hpp"

namespace orchard {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

using Texts = std::vector<std::string>;

TEST(TextTest, TrimTakesBlanksFromBothEnds) {
  EXPECT_EQ(trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(trim("a"), "a");
  EXPECT_EQ(trim(" \v\f "), "");
  EXPECT_EQ(trim(""), "");
}

TEST(TextTest, SplitGivesOnePartMoreThanSeparators) {
  EXPECT_THAT(split("a,b,,c", ','), ElementsAre("a", "b", "", "c"));
  EXPECT_THAT(split("", ','), ElementsAre(""));
  EXPECT_THAT(split(",", ','), ElementsAre("", ""));
  EXPECT_THAT(split(" a ", ','), ElementsAre(" a "));
}

TEST(TextTest, JoinUndoesSplit) {
  EXPECT_EQ(join(split("a,b,,c", ','), ","), "a,b,,c");
  EXPECT_EQ(join(Texts{}, ","), "");
  EXPECT_EQ(join(Texts{"x", "y"}, " and "), "x and y");
}

TEST(TextTest, ToLowerChangesAsciiOnly) {
  EXPECT_EQ(to_lower("AbZ-9@[\xc3\x84"), "abz-9@[\xc3\x84");
}

TEST(TextTest, ParseIntTakesDecimalIntegersOnly) {
  EXPECT_THAT(parse_int("0"), Optional(0));
  EXPECT_THAT(parse_int("+17"), Optional(17));
  EXPECT_THAT(parse_int("-17"), Optional(-17));
  EXPECT_THAT(parse_int("9223372036854775807"), Optional(std::numeric_limits<std::int64_t>::max()));
  EXPECT_THAT(parse_int("-9223372036854775808"),
              Optional(std::numeric_limits<std::int64_t>::min()));
  for (const char* text : {"", "+", "-", "+-5", "-+5", "--5", " 1", "1 ", "1.0", "1e3", "0x10",
                           "1_0", "9223372036854775808", "-9223372036854775809", "nan"}) {
    EXPECT_EQ(parse_int(text), std::nullopt) << "'" << text << "'";
  }
}

TEST(TextTest, ParseDoubleTakesFiniteNumbersOnly) {
  const std::vector<std::pair<const char*, double>> good{
      {"0", 0.0},
      {"-1.5", -1.5},
      {"+2", 2.0},
      {".5", 0.5},
      {"5.", 5.0},
      {"1e5", 1e5},
      {"1E+5", 1e5},
      {"1e-5", 1e-5},
      {"0.1", 0.1},
      {"1.7976931348623157e308", 0x1.fffffffffffffp1023},
      {"5e-324", 0x1p-1074},
      {"2.2250738585072011e-308", 0x0.fffffffffffffp-1022}};
  for (const auto& [text, value] : good) EXPECT_THAT(parse_double(text), Optional(value)) << text;
  for (const char* text :
       {"",    "+",    "-",        ".",     "e5",       "1e",    "1e+", "+-1",  "-+1",
        "--1", "++1",  " 1",       "1 ",    "1,5",      "0x1p3", "nan", "-nan", "NaN",
        "inf", "-inf", "Infinity", "1e309", "-1.8e308", "1d5",   "1f"}) {
    EXPECT_EQ(parse_double(text), std::nullopt) << "'" << text << "'";
  }
}

TEST(TextTest, ParseDoubleTellsUnderflowFromOverflow) {
  const std::string zeros(400, '0');
  const std::vector<std::string> tiny{"1e-400",
                                      "0." + zeros + "1",
                                      "0." + zeros + "1e5",
                                      "1" + zeros + "e-2000",
                                      "1e-99999999999999999999",
                                      "+1e-400",
                                      "0.0001E-400"};
  for (const auto& text : tiny) {
    EXPECT_THAT(parse_double(text), Optional(0.0)) << text;
    if (text[0] == '+') continue;
    EXPECT_TRUE(std::signbit(parse_double("-" + text).value())) << text;
  }
  const std::vector<std::string> huge{"1e400",
                                      "1" + zeros,
                                      "1" + zeros + "e-10",
                                      "0." + zeros + "1e2000",
                                      "1e99999999999999999999",
                                      "1e+9999",
                                      "12345E+400"};
  for (const auto& text : huge) EXPECT_EQ(parse_double(text), std::nullopt) << text;
  EXPECT_THAT(parse_double("1" + zeros + "e-400"), Optional(1.0));
}

TEST(TextTest, PrintDoubleIsTheShortestThatReadsBack) {
  EXPECT_EQ(print_double(0.1), "0.1");
  EXPECT_EQ(print_double(-0.0), "-0");
  EXPECT_EQ(print_double(100), "100");
  EXPECT_EQ(print_double(1.0 / 3), "0.3333333333333333");
  EXPECT_EQ(print_double(1e22), "1e+22");
  EXPECT_EQ(print_double(std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(print_double(-std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(print_double(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(print_double(-std::numeric_limits<double>::infinity()), "-inf");
  for (const auto seed : testing_support::global_seeds()) {
    std::mt19937_64 random(seed);
    for (int i = 0; i < 20000; ++i) {
      const auto value = std::bit_cast<double>(random());
      if (!std::isfinite(value)) continue;
      const auto text = print_double(value);
      EXPECT_EQ(std::bit_cast<std::uint64_t>(parse_double(text).value()),
                std::bit_cast<std::uint64_t>(value))
          << text;
      EXPECT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
    }
  }
}

TEST(TextTest, EscapeMakesBytesPrintable) {
  EXPECT_EQ(escape("plain text"), "plain text");
  EXPECT_EQ(escape(std::string("a\0\n\x7f\xff", 5)), "a\\x00\\x0a\\x7f\\xff");
  EXPECT_EQ(escape("abcdef", 3), "abc...");
  EXPECT_EQ(escape("abc", 3), "abc");
}

/// Optimal string alignment, by recursion.
std::size_t slow_distance(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return a.size() + b.size();
  std::size_t best = std::min(slow_distance(a.substr(1), b), slow_distance(a, b.substr(1))) + 1;
  best = std::min(best, slow_distance(a.substr(1), b.substr(1)) + (a[0] == b[0] ? 0 : 1));
  if (a.size() > 1 && b.size() > 1 && a[0] == b[1] && a[1] == b[0]) {
    best = std::min(best, slow_distance(a.substr(2), b.substr(2)) + 1);
  }
  return best;
}

TEST(TextTest, EditDistanceCountsSwapsOnce) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("max_depht", "max_depth"), 1u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("", ""), 0u);
  std::mt19937_64 random(7);
  for (int i = 0; i < 300; ++i) {
    std::string a, b;
    for (auto n = random() % 6; n > 0; --n) a += static_cast<char>('a' + random() % 3);
    for (auto n = random() % 6; n > 0; --n) b += static_cast<char>('a' + random() % 3);
    EXPECT_EQ(edit_distance(a, b), slow_distance(a, b)) << a << " " << b;
    EXPECT_EQ(edit_distance(a, b), edit_distance(b, a)) << a << " " << b;
  }
}

TEST(TextTest, NearestNamesAreFewNearAndInOrder) {
  const Texts known{"max_depth", "max_iter", "max_bins", "min_samples_leaf", "learning_rate"};
  EXPECT_THAT(nearest_names("max_detph", known), ElementsAre("max_depth"));
  EXPECT_THAT(nearest_names("MAX_DEPTH", known), ElementsAre("max_depth"));
  EXPECT_EQ(nearest_names("eta", known), Texts{});
  EXPECT_THAT(nearest_names("ad", Texts{"ac", "ab", "ae", "af", "ad"}),
              ElementsAre("ad", "ac", "ab"));
  EXPECT_EQ(nearest_names(std::string(200, 'x'), Texts{std::string(200, 'x')}), Texts{});
}

TEST(TextTest, DidYouMeanNamesTheCandidates) {
  EXPECT_EQ(did_you_mean("gini", Texts{"gin", "entropy"}), "Did you mean 'gin'?");
  EXPECT_EQ(did_you_mean("aa", Texts{"ab", "ac"}), "Did you mean 'ab' or 'ac'?");
  EXPECT_EQ(did_you_mean("zzz", Texts{"gin"}), "");
}

TEST(TextTest, CsvFieldQuotesOnlyWhereItMust) {
  EXPECT_EQ(csv_field("plain text"), "plain text");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"no\""), "\"say \"\"no\"\"\"");
  EXPECT_EQ(csv_field("two\nlines"), "\"two\nlines\"");
  EXPECT_EQ(csv_field(""), "");
}

TEST(TextTest, PrintBytesHasThreeDigits) {
  EXPECT_EQ(print_bytes(0), "0 B");
  EXPECT_EQ(print_bytes(312), "312 B");
  EXPECT_EQ(print_bytes(1500000), "1.5 MB");
  EXPECT_EQ(print_bytes(999), "999 B");
  EXPECT_EQ(print_bytes(999999), "1 MB");
  EXPECT_EQ(print_bytes(64'000'000'000), "64 GB");
  EXPECT_EQ(print_bytes(std::numeric_limits<std::uint64_t>::max()), "1.84e+04 PB");
}

TEST(TextTest, PrintDurationGrowsItsUnits) {
  EXPECT_EQ(print_duration(0), "0.0 s");
  EXPECT_EQ(print_duration(0.84), "0.8 s");
  EXPECT_EQ(print_duration(59.94), "59.9 s");
  EXPECT_EQ(print_duration(59.97), "1 min 00 s");
  EXPECT_EQ(print_duration(200), "3 min 20 s");
  EXPECT_EQ(print_duration(3599.7), "1 h 00 min");
  EXPECT_EQ(print_duration(7500), "2 h 05 min");
  EXPECT_EQ(print_duration(100 * 3600.0), "100 h 00 min");
}

}  // namespace
}  // namespace orchard
