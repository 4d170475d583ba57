#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>

#include "orchard/base/clock.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/file.hpp"
#include "orchard/h5/builder.hpp"
#include "orchard/h5/reader.hpp"
#include "orchard/h5/user_block.hpp"

namespace orchard::h5 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

void write_example(Builder& builder) {
  builder.make_group("/a");
  builder.write("/a/bytes", std::vector<std::uint8_t>{1, 2, 255});
  builder.write("/a/numbers", std::vector<double>{0.5, -0.0, std::nan("7"), 1e300}, 2, 2);
  builder.write("/a/empty", std::vector<std::int64_t>{});
  builder.write_strings("/texts", {"one", "", std::string("t\0wo", 4), "\xff"});
  builder.set_attribute("/", "n", std::int64_t{-3});
  builder.set_attribute("/", "x", 0.1);
  builder.set_attribute("/a", "word", "orchard");
  builder.set_attribute("/a/bytes", "nothing", "");
}

Image build_example() {
  Builder builder;
  write_example(builder);
  return builder.finish();
}

/// Arrays of many sizes, which end in the middle of chunks.
std::vector<std::vector<double>> ragged_arrays() {
  std::vector<std::vector<double>> arrays;
  double value = 0;
  for (const std::size_t n : {0, 3, 70'000, 0, 131'072, 1, 199'999, 0}) {
    auto& array = arrays.emplace_back(n);
    for (double& each : array) each = value += 0.5;
  }
  return arrays;
}

std::vector<double> joined(const std::vector<std::vector<double>>& arrays) {
  std::vector<double> all;
  for (const auto& array : arrays) all.insert(all.end(), array.begin(), array.end());
  return all;
}

TEST(ImageTest, ReadsBackWhatWasWritten) {
  const Image image = build_example();
  const Reader reader(image.bytes(), "example");
  EXPECT_THAT(reader.read<std::uint8_t>("/a/bytes"), ElementsAre(1, 2, 255));
  const auto numbers = reader.read<double>("/a/numbers", 4);
  EXPECT_TRUE(std::signbit(numbers[1]));
  const double nan = std::nan("7");
  EXPECT_EQ(std::memcmp(&numbers[2], &nan, sizeof nan), 0);
  EXPECT_THAT(reader.objects().at("/a/numbers").shape, ElementsAre(2, 2));
  EXPECT_TRUE(reader.read<std::int64_t>("/a/empty").empty());
  EXPECT_THAT(reader.read_strings("/texts"),
              ElementsAre("one", "", std::string("t\0wo", 4), "\xff"));
  EXPECT_EQ(reader.int_attribute("/", "n"), -3);
  EXPECT_EQ(reader.double_attribute("/", "x"), 0.1);
  EXPECT_EQ(reader.text_attribute("/a", "word"), "orchard");
  EXPECT_EQ(reader.text_attribute("/a/bytes", "nothing"), "");
}

TEST(ImageTest, JoinedArraysAreTheBytesOfOneArray) {
  const auto build = [](bool is_joined) {
    const auto arrays = ragged_arrays();
    Builder builder;
    if (is_joined) {
      std::vector<double> only;  // the one that was asked for last
      builder.write_joined<double>("/x", joined(arrays).size(), arrays.size(), [&](std::size_t i) {
        only = arrays[i];
        return std::span<const double>(only);
      });
      builder.write_joined<double>("/empty", 0, 0, {});
    } else {
      builder.write("/x", joined(arrays));
      builder.write("/empty", std::vector<double>{});
    }
    return builder.finish();
  };
  const Image one = build(false), many = build(true);
  EXPECT_TRUE(
      std::equal(one.bytes().begin(), one.bytes().end(), many.bytes().begin(), many.bytes().end()));
}

TEST(ImageTest, JoinedArraysAreAsManyValuesAsWasSaid) {
  const std::vector<double> array = {1, 2, 3};
  for (const std::size_t n_values : {0, 2, 4}) {
    Builder builder;
    EXPECT_THROW(
        builder.write_joined<double>("/x", n_values, 1,
                                     [&](std::size_t) { return std::span<const double>(array); }),
        Error)
        << n_values;
  }
}

TEST(ImageTest, AFileHasTheBytesOfAnImage) {
  const auto write = [](Builder& builder) {
    write_example(builder);
    builder.write("/long", joined(ragged_arrays()));
  };
  Builder in_memory;
  write(in_memory);
  Image image = in_memory.finish();
  seal(image, FileKind::kModel, 3, 5);

  const std::string path = ::testing::TempDir() + "orchard_h5_" + std::to_string(::getpid());
  AtomicFile file(path);
  Builder in_file(file);
  write(in_file);
  in_file.finish(FileKind::kModel, 3, 5);
  file.publish(true);
  const auto bytes = read_file(path);
  std::remove(path.c_str());
  EXPECT_EQ(file.n_bytes(), bytes.size());
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), image.bytes().begin(), image.bytes().end()));
}

TEST(ImageTest, SeveralFilesAreOpenAtOnce) {
  Builder first, second;
  first.write("/x", std::vector<std::int32_t>{1});
  second.write("/x", std::vector<std::int32_t>{2});
  const Image a = first.finish(), b = second.finish();
  const Reader reader_a(a.bytes(), "a"), reader_b(b.bytes(), "b");
  EXPECT_THAT(reader_a.read<std::int32_t>("/x"), ElementsAre(1));
  EXPECT_THAT(reader_b.read<std::int32_t>("/x"), ElementsAre(2));
}

TEST(ImageTest, EveryTypeKeepsItsExtremes) {
  const auto round_trip = []<class T>(T) {
    const std::vector<T> values = {std::numeric_limits<T>::lowest(), T{0},
                                   std::numeric_limits<T>::max()};
    Builder builder;
    builder.write("/values", values);
    const Image image = builder.finish();
    EXPECT_EQ(Reader(image.bytes(), "x").read<T>("/values"), values);
  };
  round_trip(std::uint8_t{});
  round_trip(std::int32_t{});
  round_trip(std::uint32_t{});
  round_trip(std::int64_t{});
  round_trip(std::uint64_t{});
  round_trip(float{});
  round_trip(double{});
}

TEST(ImageTest, EqualContentIsEqualBytes) {
  const Image first = build_example();
  sleep_s(1.1);  // HDF5's own time stamps count whole seconds
  std::vector<std::byte> litter(1'000'000, std::byte{0x5a});
  const Image second = build_example();
  ASSERT_EQ(first.bytes().size(), second.bytes().size());
  EXPECT_EQ(std::memcmp(first.bytes().data(), second.bytes().data(), first.bytes().size()), 0);
}

TEST(ImageTest, ArraysOfManyChunksAndManyObjects) {
  std::vector<std::int64_t> values(3'000'001);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int64_t>(i * i);
  const std::vector<float> wide(700'000, 2.5F);
  Builder builder;
  builder.write("/values", values);
  builder.write("/wide", wide, 2, 350'000);
  for (int i = 0; i < 100; ++i) builder.write("/d" + std::to_string(i), std::vector<float>{1});
  const Image image = builder.finish();
  EXPECT_LT(image.bytes().size(), values.size() * 8 + wide.size() * 4 + 200'000);
  const Reader reader(image.bytes(), "large");
  EXPECT_EQ(reader.read<std::int64_t>("/values"), values);
  EXPECT_EQ(reader.read<float>("/wide"), wide);
  EXPECT_EQ(reader.objects().size(), 103u);
}

TEST(ImageTest, ChecksumsFindFlippedValuesWithoutTheDigest) {
  Builder builder;
  builder.write("/values", std::vector<std::uint64_t>(1000, 0x1122334455667788));
  Image image = builder.finish();
  const auto bytes = image.mutable_bytes();
  const std::uint64_t pattern = 0x1122334455667788;
  std::size_t at = 0;
  while (std::memcmp(bytes.data() + at, &pattern, 8) != 0) ++at;
  bytes[at + 400] ^= std::byte{4};
  const Reader reader(image.bytes(), "flipped");
  try {
    reader.read<std::uint64_t>("/values");
    FAIL() << "a flipped bit was read as a value";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kData);
    EXPECT_THAT(error.what(), HasSubstr("flipped: /values: HDF5: "));
  }
}

TEST(ImageTest, WrongUseIsAnErrorWithHdf5sWords) {
  Builder builder;
  builder.write("/a", std::vector<float>{1});
  EXPECT_THROW(builder.write("/a", std::vector<float>{1}), Error);
  EXPECT_THROW(builder.write("/absent/b", std::vector<float>{1}), Error);
  EXPECT_THROW(builder.write("/c", std::vector<float>{1, 2, 3}, 2, 2), Error);
  EXPECT_THROW(builder.set_attribute("/a", "long", std::string(100'000, 'x')), Error);
  try {
    builder.make_group("/a");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInternal);
    EXPECT_THAT(error.what(), HasSubstr("/a: HDF5: "));
  }
  builder.finish();
  EXPECT_THROW(builder.finish(), Error);
}

TEST(ImageTest, AnAbandonedBuilderLeavesNothing) {
  for (int i = 0; i < 3; ++i) {
    Builder builder;
    builder.write("/a", std::vector<double>(100'000, 1.0));
  }
  SUCCEED();
}

}  // namespace
}  // namespace orchard::h5
