#include "number.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "orchard/base/text.hpp"
#include "orchard/random/stream.hpp"
#include "scratch_file.hpp"

namespace orchard::data {
namespace {

TEST(Number, SyntaxOfNumbers) {
  for (const char* text : {"0", "1", "-1", "+3", ".5", "5.", "-.5e3", "1e5", "1E+05", "1e-300",
                           " 3 ", "\t3", "007", "1e400", "1e99999999999999999999", "0.0"}) {
    EXPECT_TRUE(is_number(text)) << text;
  }
  for (const char* text : {"",
                           " ",
                           ".",
                           "-",
                           "+",
                           "e5",
                           "1e",
                           "1e+",
                           "1d5",
                           "0x10",
                           "nan",
                           "NaN",
                           "inf",
                           "-inf",
                           "Infinity",
                           "1,5",
                           "1 2",
                           "1_000",
                           "--1",
                           "+-1",
                           "1.2.3",
                           "5x",
                           "1e5.5",
                           "\xc2\xa0"
                           "1"}) {
    EXPECT_FALSE(is_number(text)) << text;
    EXPECT_FALSE(parse_number(text)) << text;
  }
}

TEST(Number, EdgesOfTheRange) {
  EXPECT_EQ(parse_number("1e400"), INFINITY);
  EXPECT_EQ(parse_number("-1e99999999999999999999"), -INFINITY);
  EXPECT_EQ(parse_number("1e-400"), 0.0);
  EXPECT_EQ(parse_number("0." + std::string(400, '0') + "1"), 0.0);
  EXPECT_EQ(parse_number("0." + std::string(400, '0') + "1e401"), 1.0);
  EXPECT_EQ(parse_number("1" + std::string(400, '0')), INFINITY);
  EXPECT_EQ(parse_number("1" + std::string(400, '0') + "e-400"), 1.0);
  EXPECT_EQ(parse_number("0e999999999"), 0.0);
  EXPECT_EQ(parse_number("5e-324"), 5e-324);
  EXPECT_EQ(parse_number("1.7976931348623157e308"), 1.7976931348623157e308);
  EXPECT_EQ(parse_number("9007199254740993"), 9007199254740992.0);
  EXPECT_EQ(parse_number("8.692932128906250000e-01"), 0.869293212890625);
}

/// Random numerals are rounded as strtod rounds them.
TEST(Number, RoundsCorrectly) {
  const random::Stream stream(testing::test_seed(), random::Purpose::kBootstrap, 0);
  std::uint64_t draw = 0;
  for (int i = 0; i < 20000; ++i) {
    const auto shift = stream.below(64, draw++);
    const auto digits = stream.bits(draw++) >> shift;
    const std::string digits_text = std::to_string(digits);
    const auto point = stream.below(digits_text.size() + 1, draw++);
    const char* const sign = stream.below(2, draw++) == 0 ? "-" : "";
    std::string text =
        format("{}{}.{}", sign, digits_text.substr(0, point), digits_text.substr(point));
    if (stream.below(2, draw++) == 0) {
      text += format("e{}", static_cast<int>(stream.below(60, draw++)) - 30);
    }
    ASSERT_EQ(parse_number(text), std::strtod(text.c_str(), nullptr)) << text;
  }
}

/// The short way reads what the long way reads, or leaves it to that.
TEST(Number, ShortFormsReadTheSame) {
  const random::Stream stream(testing::test_seed(), random::Purpose::kBootstrap, 1);
  std::uint64_t draw = 0;
  std::vector<std::string> cells = {
      "0",   "-0",      "5",        "5.",       "-5.",   "0.0",       "-0.00",
      "007", "1234567", "12345678", "1.234567", "-",     "",          ".5",
      "-.5", "+1",      "1e5",      "1.5e-3",   "1.2.3", "1.2345678", "9999999.9999999",
      "x",   "1x",      "1.x",      "\"1\"",    " 1",    "1 ",        "1:",
      "1./", "nan",     "--1",      "1-",       "1.-2"};
  for (int i = 0; i < 20000; ++i) {
    std::string cell = stream.below(2, draw++) == 0 ? "-" : "";
    cell += std::to_string(stream.bits(draw++) >> (20 + stream.below(44, draw)));
    if (stream.below(4, draw++) != 0) {
      cell += "." + std::to_string(stream.bits(draw++) >> (35 + stream.below(29, draw)));
    }
    cells.push_back(cell);
  }
  int n_short = 0;
  for (const auto& cell : cells) {
    for (const std::string cell_end : {",", "\n", "\r\n", ";"}) {
      const std::string text = cell + cell_end + "0123456789012345678901234567";
      float value = -1;
      const char* const at = read_short_number(text.data(), text.data() + text.size(), value);
      if (at == nullptr) continue;
      ++n_short;
      ASSERT_EQ(at, text.data() + cell.size()) << text;
      ASSERT_NE(cell_end, ";") << text;
      const auto expected = parse_number(cell);
      ASSERT_TRUE(expected) << text;
      const float expected_value = static_cast<float>(*expected) + 0.0f;
      ASSERT_EQ(std::memcmp(&value, &expected_value, sizeof value), 0) << text;
    }
    float value = 0;
    EXPECT_EQ(read_short_number(cell.data(), cell.data() + cell.size(), value), nullptr) << cell;
  }
  EXPECT_GT(n_short, 20000);
}

}  // namespace
}  // namespace orchard::data
