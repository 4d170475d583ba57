#include "orchard/base/bytes.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orchard {
namespace {

struct Point {
  std::int32_t x = 0;
  float y = 0;
  bool operator==(const Point&) const = default;
};

static_assert(Plain<double> && Plain<Point> && Plain<std::byte>);
static_assert(!Plain<const char*> && !Plain<std::string_view> && !Plain<std::span<const int>>);

TEST(BytesTest, ReadsBackWhatWasWritten) {
  const std::vector<double> numbers{0.5, -0.0, 1e308};
  const std::vector<Point> points{{1, 2.5f}, {-3, 4.0f}};
  const std::vector<std::string> texts{"", "a", std::string("nul\0inside", 10)};
  ByteWriter writer;
  writer.put(std::uint8_t{7});
  writer.put(numbers);
  writer.put(std::string("h\xc3\xa9"));
  writer.put(texts);
  writer.put(points);
  writer.put(std::int64_t{-5});
  writer.put(std::vector<std::byte>());

  const Bytes bytes = writer.take();
  ByteReader reader(bytes);
  EXPECT_EQ(reader.get<std::uint8_t>(), 7);
  EXPECT_EQ(reader.get_vector<double>(), numbers);
  EXPECT_EQ(reader.get_string(), "h\xc3\xa9");
  EXPECT_EQ(reader.get_strings(), texts);
  EXPECT_EQ(reader.get_vector<Point>(), points);
  EXPECT_FALSE(reader.is_at_end());
  EXPECT_EQ(reader.get<std::int64_t>(), -5);
  EXPECT_TRUE(reader.get_vector<std::byte>().empty());
  EXPECT_TRUE(reader.is_at_end());
}

TEST(BytesTest, TheFormatIsLittleEndianWithoutPadding) {
  ByteWriter writer;
  writer.put(std::uint8_t{1});
  writer.put(std::uint32_t{0x04030201});
  writer.put(std::string("A"));
  const std::vector<int> expected{1, 1, 2, 3, 4, 1, 0, 0, 0, 0, 0, 0, 0, 'A'};
  ASSERT_EQ(writer.bytes().size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(std::to_integer<int>(writer.bytes()[i]), expected[i]) << "byte " << i;
  }
}

TEST(BytesTest, EveryTruncationIsRefused) {
  ByteWriter writer;
  writer.put(std::vector<std::int32_t>{1, 2, 3});
  writer.put(std::vector<std::string>{"ab", "c"});
  writer.put(1.0);
  const Bytes whole = writer.take();
  const auto read_all = [](ByteSpan bytes) {
    ByteReader reader(bytes);
    reader.get_vector<std::int32_t>();
    reader.get_strings();
    reader.get<double>();
  };
  EXPECT_NO_THROW(read_all(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(read_all(ByteSpan(whole).first(size)), Error) << size << " bytes";
  }
}

TEST(BytesTest, AnImpossibleSizeIsRefusedBeforeMemoryIsTaken) {
  for (const std::uint64_t size : {std::uint64_t{1} << 40, std::uint64_t{1} << 61,
                                   std::numeric_limits<std::uint64_t>::max()}) {
    std::vector<std::uint64_t> words(1 + size % 2, size);  // a length that compilers cannot see
    const auto bytes = std::as_bytes(std::span(words));
    EXPECT_THROW(ByteReader(bytes).get_vector<double>(), Error);
    EXPECT_THROW(ByteReader(bytes).get_string(), Error);
    EXPECT_THROW(ByteReader(bytes).get_strings(), Error);
  }
}

}  // namespace
}  // namespace orchard
