// No damaged file is ever read as a whole one: every byte of a small checkpoint and a small model.

#include <random>

#include "checkpoint_image.hpp"
#include "global_seed.hpp"
#include "model_image.hpp"
#include "orchard/store/model_file.hpp"
#include "store_fixture.hpp"

namespace orchard::store {
namespace {

Bytes checkpoint_bytes(std::int64_t salt = 0) {
  const h5::Image image =
      build_checkpoint(example_snapshot(salt), {{"a", "b"}}, 1, "20260101T000000Z", "host");
  return Bytes(image.bytes().begin(), image.bytes().end());
}

bool is_detected(ByteSpan bytes) {
  try {
    read_checkpoint(bytes, "x");
  } catch (const Error& error) {
    return error.kind() == ErrorKind::kData;
  }
  return false;
}

TEST(DamageTest, EveryFlippedByteIsDetected) {
  Bytes bytes = checkpoint_bytes();
  ASSERT_LT(bytes.size(), 200'000u);
  ASSERT_FALSE(is_detected(bytes));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::byte bit{static_cast<unsigned char>(1u << (i % 8))};
    bytes[i] ^= bit;
    ASSERT_TRUE(is_detected(bytes)) << "byte " << i;
    bytes[i] ^= bit;
  }
}

TEST(DamageTest, EveryTruncationIsDetected) {
  const Bytes bytes = checkpoint_bytes();
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    ASSERT_TRUE(is_detected(ByteSpan(bytes).first(n))) << n << " bytes";
  }
}

TEST(DamageTest, ZeroedAndRepeatedBlocksAreDetected) {
  const Bytes bytes = checkpoint_bytes();
  for (std::size_t begin = 0; begin < bytes.size(); begin += 4096) {
    const std::size_t end = std::min(begin + 4096, bytes.size());
    Bytes zeroed = bytes;
    std::fill(zeroed.begin() + static_cast<std::ptrdiff_t>(begin),
              zeroed.begin() + static_cast<std::ptrdiff_t>(end), std::byte{0});
    EXPECT_TRUE(is_detected(zeroed)) << "zeros at " << begin;
    if (begin == 0) continue;
    Bytes repeated = bytes;
    std::copy(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(end - begin),
              repeated.begin() + static_cast<std::ptrdiff_t>(begin));
    EXPECT_TRUE(is_detected(repeated)) << "repeated at " << begin;
  }
}

TEST(DamageTest, TheHeadOfOneAndTheContentOfAnotherAreDetected) {
  const Bytes a = checkpoint_bytes(1);
  Bytes b = checkpoint_bytes(2);
  ASSERT_EQ(a.size(), b.size());
  std::copy(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(h5::kUserBlockBytes), b.begin());
  EXPECT_TRUE(is_detected(b));
}

/// Flips `n_flips` random bits of a model, one at a time, each under a fresh digest; how many of
/// them were refused. The others may load as another model, which must still be safe to walk.
int n_refused_under_valid_digest(std::uint64_t seed, int n_flips) {
  std::mt19937_64 random(seed);
  const h5::Image whole = build_model(example_model());
  int n_refused = 0;
  for (int i = 0; i < n_flips; ++i) {
    auto* copy = static_cast<std::byte*>(std::malloc(whole.bytes().size()));
    std::copy(whole.bytes().begin(), whole.bytes().end(), copy);
    h5::Image image(copy, whole.bytes().size());
    const auto bytes = image.mutable_bytes();
    const std::size_t at = h5::kUserBlockBytes + random() % (bytes.size() - h5::kUserBlockBytes);
    bytes[at] ^= std::byte{static_cast<unsigned char>(1u << (random() % 8))};
    h5::seal(image, h5::FileKind::kModel, kModelFormat, 0);
    try {
      const auto model = read_model(image.bytes(), "x");
      EXPECT_NO_THROW(model.validate());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kData) << error.what();
      ++n_refused;
    }
  }
  return n_refused;
}

TEST(DamageTest, DamageUnderAValidDigestNeverCrashes) {
  for (const auto seed : testing_support::global_seeds()) {
    SCOPED_TRACE(seed);
    EXPECT_GT(n_refused_under_valid_digest(seed, 60), 10);
  }
}

}  // namespace
}  // namespace orchard::store
