// No damaged file is ever read as a whole one: every byte of a small checkpoint and a small model.

#include <random>

#include "checkpoint_image.hpp"
#include "global_seed.hpp"
#include "model_image.hpp"
#include "orchard/store/model_file.hpp"
#include "store_fixture.hpp"

// HDF5 1.10 loses the object header that it refuses. Only these tests show it damage at all: the
// digest stands before it.
extern "C" const char* __lsan_default_suppressions() { return "leak:libhdf5"; }

namespace orchard::store {
namespace {

Bytes checkpoint_bytes(std::int64_t salt = 0) {
  h5::Image image = image_of([&](h5::Builder& builder) {
    write_checkpoint(builder, example_snapshot(salt), {{"a", "b"}}, "20260101T000000Z", "host");
  });
  h5::seal(image, h5::FileKind::kCheckpoint, kCheckpointFormat, 1);
  return Bytes(image.bytes().begin(), image.bytes().end());
}

h5::Image model_image(const model::Ensemble& ensemble) {
  return image_of([&](h5::Builder& builder) { write_model(builder, ensemble); });
}

bool is_detected(ByteSpan bytes) {
  try {
    read_checkpoint(bytes, "x");
  } catch (const Error& error) {
    return error.kind() == ErrorKind::kData;
  }
  return false;
}

h5::Image copy_of(const h5::Image& image) {
  const auto bytes = image.bytes();
  auto* copy = static_cast<std::byte*>(std::malloc(bytes.size()));
  std::copy(bytes.begin(), bytes.end(), copy);
  return h5::Image(copy, bytes.size());
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

/// HDF5's own checksums stand behind the digest: a flipped bit under a fresh digest is refused, or
/// lies where nothing is read. It never becomes another model.
TEST(DamageTest, FlipsUnderAValidDigestAreNeverAnotherModel) {
  const h5::Image whole = model_image(example_model());
  for (const auto seed : testing_support::global_seeds()) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    int n_refused = 0;
    for (int i = 0; i < 40; ++i) {
      h5::Image image = copy_of(whole);
      const auto bytes = image.mutable_bytes();
      const std::size_t at = h5::kUserBlockBytes + random() % (bytes.size() - h5::kUserBlockBytes);
      bytes[at] ^= std::byte{static_cast<unsigned char>(1u << (random() % 8))};
      h5::seal(image, h5::FileKind::kModel, kModelFormat, 0);
      try {
        EXPECT_EQ(read_model(image.bytes(), "x"), example_model());
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kData) << error.what();
        ++n_refused;
      }
    }
    EXPECT_GT(n_refused, 5);
  }
}

/// One number of one tree becomes nonsense.
model::Ensemble crafted_model(std::mt19937_64& random) {
  model::Ensemble crafted = example_model();
  model::Tree& tree = crafted.trees[random() % crafted.trees.size()];
  const std::size_t node = random() % tree.n_nodes();
  const std::int32_t base = random() % 4 == 0 ? INT32_MAX - 3 : 0;
  const auto wild = static_cast<std::int32_t>(random() % 7) - 3 + base;
  std::vector<std::int32_t>* const arrays[] = {&tree.left, &tree.feature, &tree.value_row,
                                               &tree.category_begin, &tree.category_n_words};
  const std::size_t choice = random() % 6;
  if (choice == 5) {
    tree.flags[node] = static_cast<std::uint8_t>(wild);
  } else {
    tree.category_begin.resize(tree.n_nodes(), -1);
    tree.category_n_words.resize(tree.n_nodes(), 0);
    arrays[choice]->at(node) = wild;
  }
  return crafted;
}

/// Files that are whole in every way but hold nonsense, as a fault of ours or a forger would write
/// them: refused, or safe to walk.
TEST(DamageTest, NonsenseInAWholeFileIsRefusedOrHarmless) {
  for (const auto seed : testing_support::global_seeds()) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    int n_refused = 0;
    for (int i = 0; i < 60; ++i) {
      const h5::Image image = model_image(crafted_model(random));
      try {
        read_model(image.bytes(), "x").validate();
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kData) << error.what();
        ++n_refused;
      }
    }
    EXPECT_GT(n_refused, 20);
  }
}

}  // namespace
}  // namespace orchard::store
