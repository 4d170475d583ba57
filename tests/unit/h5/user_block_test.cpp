#include "orchard/h5/user_block.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchard/base/error.hpp"
#include "orchard/h5/builder.hpp"
#include "orchard/h5/reader.hpp"

namespace orchard::h5 {
namespace {

using ::testing::HasSubstr;

Image sealed_example() {
  Builder builder;
  builder.write("/x", std::vector<std::int32_t>{1, 2, 3});
  Image image = builder.finish();
  seal(image, FileKind::kCheckpoint, 7, 123456789012);
  return image;
}

std::string fault(ByteSpan bytes) {
  try {
    check_file(bytes, "f.h5");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kData);
    return error.what();
  }
  return "none";
}

TEST(UserBlockTest, RoundTripAndStillReadableByHdf5) {
  const Image image = sealed_example();
  const UserBlock block = check_file(image.bytes(), "f.h5");
  EXPECT_EQ(block.kind, FileKind::kCheckpoint);
  EXPECT_EQ(block.format, 7u);
  EXPECT_EQ(block.sequence, 123456789012u);
  EXPECT_EQ(block.n_bytes, image.bytes().size());
  EXPECT_EQ(Reader(image.bytes(), "f.h5").read<std::int32_t>("/x").size(), 3u);
}

TEST(UserBlockTest, EveryFlippedBitOfTheBlockIsFound) {
  Image image = sealed_example();
  const auto bytes = image.mutable_bytes();
  for (std::size_t bit = 0; bit < kUserBlockBytes * 8; ++bit) {
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_NE(fault(image.bytes()), "none") << "bit " << bit;
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
  EXPECT_EQ(fault(image.bytes()), "none");
}

TEST(UserBlockTest, MessagesTellWhatIsWrong) {
  const Image image = sealed_example();
  EXPECT_THAT(fault({}), HasSubstr("is cut off after 0 bytes"));
  EXPECT_THAT(fault(image.bytes().first(511)), HasSubstr("is cut off after 511 bytes"));
  EXPECT_THAT(fault(image.bytes().first(image.bytes().size() - 1)), HasSubstr("(cut off)"));
  EXPECT_THAT(fault(Bytes(1000)), HasSubstr("is not a file of orchard's"));
  Bytes longer(image.bytes().begin(), image.bytes().end());
  longer.push_back(std::byte{0});
  EXPECT_THAT(fault(longer), HasSubstr("bytes, expected"));
}

}  // namespace
}  // namespace orchard::h5
