#include "orchard/base/digest.hpp"

#include <gtest/gtest.h>

#include <string>

namespace orchard {
namespace {

// Published test value of XXH3 with 128 bits and seed 0: the digest of nothing.
TEST(DigestTest, EmptyInputHasThePublishedValue) {
  EXPECT_EQ(digest(std::string_view()).hex(), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(digest(ByteSpan()), digest(std::string_view()));
  EXPECT_EQ(Digester().value(), digest(std::string_view()));
}

TEST(DigestTest, HexHasLeadingZeros) {
  EXPECT_EQ((Digest128{0x1, 0xab}.hex()), "000000000000000100000000000000ab");
}

TEST(DigestTest, EveryBitCounts) {
  std::string text(1000, 'x');
  const Digest128 before = digest(text);
  for (std::size_t i = 0; i < text.size(); i += 37) {
    text[i] ^= 1;
    EXPECT_NE(digest(text), before) << "byte " << i;
    text[i] ^= 1;
  }
  EXPECT_EQ(digest(text), before);
  text += 'x';
  EXPECT_NE(digest(text), before);
}

TEST(DigestTest, AStreamOfPiecesEqualsTheWhole) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += static_cast<char>(i * 31 + i / 7);
  for (const std::size_t step : {1u, 3u, 255u, 256u, 1024u, 4999u, 5000u, 6000u}) {
    Digester digester;
    for (std::size_t at = 0; at < text.size(); at += step) {
      digester.add(std::string_view(text).substr(at, step));
    }
    EXPECT_EQ(digester.value(), digest(text)) << "pieces of " << step;
  }
}

TEST(DigestTest, ValueDoesNotEndTheStream) {
  Digester digester;
  digester.add(std::string_view("ab"));
  EXPECT_EQ(digester.value(), digest(std::string_view("ab")));
  Digester moved = std::move(digester);
  moved.add(std::string_view("c"));
  EXPECT_EQ(moved.value(), digest(std::string_view("abc")));
}

}  // namespace
}  // namespace orchard
