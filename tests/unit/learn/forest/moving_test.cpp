// The loops of rows that move: every version against what they are said to do.

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "forest/moving/kernels.hpp"
#include "instruction_sets.hpp"

#if ORCHARD_HAS_X86_64

namespace orchard::learn::moving {
namespace {

constexpr std::size_t kSizes[] = {1,  2,   15,  16,  17,   31,   33,   63,   64,
                                  65, 127, 128, 300, 2047, 2048, 2049, 5000, 4096 + 65};

class ForestMovingTest : public ::testing::TestWithParam<InstructionSet> {
 protected:
  std::vector<std::uint8_t> draw(std::size_t n) {
    std::vector<std::uint8_t> bytes(n);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random_());
    return bytes;
  }

  static const Kernels& kernels() {
    return GetParam() == InstructionSet::kAvx512 ? kAvx512Kernels : kAvx2Kernels;
  }

  std::mt19937_64 random_{7};
};

bool bit(const std::vector<std::uint64_t>& masks, std::size_t row) {
  return (masks[row / 64] >> (row % 64) & 1) != 0;
}

TEST_P(ForestMovingTest, MarksRowsAndNoneBehindThem) {
  const Kernels& kernels = this->kernels();
  for (const std::size_t n : kSizes) {
    const auto bytes = draw(n + kReadAhead);
    std::vector<std::uint64_t> masks(n / 64 + 1), right(masks);
    for (const std::uint8_t least : {1, 2, 200, 255}) {
      std::size_t n_marked = kernels.mark(bytes.data(), n, least, masks.data());
      for (std::size_t row = 0; row < (n + 63) / 64 * 64; ++row) {
        ASSERT_EQ(bit(masks, row), row < n && bytes[row] >= least) << n << ' ' << row;
        n_marked -= bit(masks, row) ? 1 : 0;
      }
      ASSERT_EQ(n_marked, 0U);
    }
    for (const RightBins bins : {RightBins{0, 0}, {0, 7}, {100, 50}, {3, 252}, {255, 1}}) {
      std::size_t n_left = kernels.find_sides(bytes.data(), n, bins, masks.data(), right.data());
      for (std::size_t row = 0; row < (n + 63) / 64 * 64; ++row) {
        const bool is_right =
            bytes[row] >= bins.first_right && bytes[row] < bins.first_right + bins.n_right;
        ASSERT_EQ(bit(masks, row), row < n && !is_right) << n << ' ' << row;
        ASSERT_EQ(bit(right, row), row < n && is_right) << n << ' ' << row;
        n_left -= bit(masks, row) ? 1 : 0;
      }
      ASSERT_EQ(n_left, 0U);
    }
  }
}

TEST_P(ForestMovingTest, KeepsMarkedRowsAndWhatLiesBehindTheirRoom) {
  const Kernels& kernels = this->kernels();
  constexpr std::size_t kColumns = 7;
  for (const std::size_t n : kSizes) {
    for (const std::uint64_t one_in : {1, 2, 3, 20, 400}) {
      const std::size_t stride = n + kReadAhead;
      const auto from = draw(stride * kColumns), before = draw(stride * kColumns);
      std::vector<std::uint64_t> masks(n / 64 + 1);
      std::vector<std::size_t> rows;
      for (std::size_t row = 0; row < n; ++row) {
        if (random_() % one_in != 0) continue;
        rows.push_back(row);
        masks[row / 64] |= std::uint64_t{1} << (row % 64);
      }
      for (const std::size_t room : {rows.size(), n}) {
        auto to = before;
        kernels.keep_rows({from.data(), stride, kColumns}, n, masks.data(), room, to.data(),
                          stride);
        for (std::size_t column = 0; column < kColumns; ++column) {
          const std::size_t first = column * stride;
          for (std::size_t i = 0; i < rows.size(); ++i) {
            ASSERT_EQ(to[first + i], from[first + rows[i]]) << n << ' ' << one_in << ' ' << i;
          }
          for (std::size_t i = room; i < stride; ++i) {
            ASSERT_EQ(to[first + i], before[first + i]) << n << ' ' << one_in << ' ' << i;
          }
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Sets, ForestMovingTest,
    ::testing::ValuesIn(testing_support::instruction_sets(InstructionSet::kAvx2)),
    [](const auto& entry) { return std::string(name_of(entry.param)); });

}  // namespace
}  // namespace orchard::learn::moving

#endif
