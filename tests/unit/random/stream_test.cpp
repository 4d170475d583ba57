#include "orchard/random/stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "../../support/global_seed.hpp"

namespace orchard::random {
namespace {

using ::testing::ElementsAre;
using Block = std::array<std::uint64_t, 4>;
using Key = std::array<std::uint64_t, 2>;

/// Philox 4x64-10 as in the paper of Salmon et al., written without the library under test.
Block plain_philox(Block counter, Key key) {
  for (int round = 0; round < 10; ++round) {
    const auto first = static_cast<unsigned __int128>(0xD2E7470EE14C6C93) * counter[0];
    const auto second = static_cast<unsigned __int128>(0xCA5A826395121157) * counter[2];
    counter = {static_cast<std::uint64_t>(second >> 64) ^ counter[1] ^ key[0],
               static_cast<std::uint64_t>(second),
               static_cast<std::uint64_t>(first >> 64) ^ counter[3] ^ key[1],
               static_cast<std::uint64_t>(first)};
    key[0] += 0x9E3779B97F4A7C15;
    key[1] += 0xBB67AE8584CAA73B;
  }
  return counter;
}

// The answers published with Random123 (kat_vectors, "philox4x64 10").
TEST(StreamTest, PlainPhiloxGivesThePublishedAnswers) {
  constexpr std::uint64_t kOnes = ~std::uint64_t{0};
  EXPECT_THAT(
      plain_philox({0, 0, 0, 0}, {0, 0}),
      ElementsAre(0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b, 0x7e68b68aec7ba23b));
  EXPECT_THAT(
      plain_philox({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
      ElementsAre(0x87b092c3013fe90b, 0x438c3c67be8d0224, 0x9cc7d7c69cd777b6, 0xa09caebf594f0ba0));
  EXPECT_THAT(
      plain_philox({0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89},
                   {0x452821e638d01377, 0xbe5466cf34e90c6c}),
      ElementsAre(0xa528f45403e61d95, 0x38c72dbd566e9788, 0xa5a1610e72fd18b5, 0x57bd43b5e52b7fe6));
}

TEST(StreamTest, ABlockIsPhiloxOfItsAddress) {
  const Stream zero(0, static_cast<Purpose>(0), 0);
  EXPECT_EQ(zero.block(0), plain_philox({0, 0, 0, 0}, {0, 0}));
  const NodeKey node{0x0123456789abcdef, 0xfedcba9876543210};
  const std::uint64_t unit = 17, index = 0x1122334455667788;
  const Key key{~std::uint64_t{0}, (std::uint64_t{2} << 48) ^ unit};
  const Stream stream(~std::uint64_t{0}, Purpose::kFeatures, unit, node);
  EXPECT_EQ(stream.block(index), plain_philox({node.high, node.low, index, 0}, key));
}

TEST(StreamTest, DrawsAreTheWordsOfTheBlocks) {
  const Stream stream(7, Purpose::kBootstrap, 3);
  for (std::uint64_t draw = 0; draw < 40; ++draw) {
    EXPECT_EQ(stream.bits(draw), stream.block(draw / 4)[draw % 4]);
    EXPECT_EQ(stream.real(draw), std::ldexp(static_cast<double>(stream.bits(draw) >> 11), -53));
  }
}

TEST(StreamTest, EqualAddressesGiveEqualNumbersInAnyOrder) {
  const Stream one(42, Purpose::kFolds, 5), other(42, Purpose::kFolds, 5);
  std::vector<std::uint64_t> forward, backward;
  for (std::uint64_t draw = 0; draw < 100; ++draw) forward.push_back(one.bits(draw));
  for (std::uint64_t draw = 100; draw-- > 0;) backward.push_back(other.bits(draw));
  std::reverse(backward.begin(), backward.end());
  EXPECT_EQ(forward, backward);
}

// Written down once: a change of these numbers changes what every random_state means.
TEST(StreamTest, NumbersAreThoseRecorded) {
  const Stream stream(42, Purpose::kBootstrap, 0);
  EXPECT_EQ(stream.bits(0), 4338652241128938444u);
  EXPECT_EQ(stream.bits(5), 1141785348024060978u);
  const NodeKey left = NodeKey{}.child(0), right = NodeKey{}.child(1);
  EXPECT_EQ(left.high, 5693410811723017244u);
  EXPECT_EQ(left.low, 11578836914111191717u);
  EXPECT_EQ(right.high, 11719992482096827448u);
  std::vector<std::uint32_t> values(10);
  std::iota(values.begin(), values.end(), 0u);
  Stream(0, Purpose::kFolds, 0).shuffle(values);
  EXPECT_THAT(values, ElementsAre(5, 2, 4, 9, 3, 1, 8, 7, 6, 0));
}

TEST(StreamTest, EveryPartOfTheAddressCounts) {
  const NodeKey root;
  std::vector<Stream> streams;
  for (const std::uint64_t state : {0u, 1u, 2u, 42u}) {
    for (const Purpose purpose : {Purpose::kBootstrap, Purpose::kFeatures, Purpose::kFolds,
                                  Purpose::kValidation, Purpose::kBinSample}) {
      for (const std::uint64_t unit : {0u, 1u, 2u, 1000u}) {
        for (const NodeKey node : {root, root.child(0), root.child(1), root.child(0).child(1)}) {
          streams.emplace_back(state, purpose, unit, node);
        }
      }
    }
  }
  std::set<std::uint64_t> seen;
  for (const Stream& stream : streams) {
    for (std::uint64_t draw = 0; draw < 8; ++draw) seen.insert(stream.bits(draw));
  }
  EXPECT_EQ(seen.size(), streams.size() * 8);
}

/// Share of equal bits in draws of two streams; the standard deviation is 1 / (2 sqrt(64 n)).
double agreement(const Stream& a, const Stream& b, int n_draws) {
  int n_equal = 0;
  for (int i = 0; i < n_draws; ++i) {
    const auto draw = static_cast<std::uint64_t>(i);
    n_equal += std::popcount(~(a.bits(draw) ^ b.bits(draw)));
  }
  return n_equal / (64.0 * n_draws);
}

TEST(StreamTest, NeighbouringAddressesAreIndependent) {
  constexpr int kDraws = 4000;
  const double limit = 6 * 0.5 / std::sqrt(64.0 * kDraws);
  for (const auto seed : testing_support::global_seeds()) {
    SCOPED_TRACE(seed);
    const NodeKey node = NodeKey{}.child(0);
    const Stream base(seed, Purpose::kFeatures, 10, node);
    const std::vector<Stream> neighbours{Stream(seed + 1, Purpose::kFeatures, 10, node),
                                         Stream(seed, Purpose::kFolds, 10, node),
                                         Stream(seed, Purpose::kFeatures, 11, node),
                                         Stream(seed, Purpose::kFeatures, 10, NodeKey{}.child(1)),
                                         Stream(seed, Purpose::kFeatures, 10, node.child(0))};
    for (const Stream& other : neighbours) EXPECT_NEAR(agreement(base, other, kDraws), 0.5, limit);
  }
}

TEST(NodeKeyTest, NodesOfATreeHaveDifferentKeys) {
  std::vector<NodeKey> level{NodeKey{}};
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen{{0, 0}};
  std::size_t n_nodes = 1;
  for (int depth = 0; depth < 12; ++depth) {
    std::vector<NodeKey> next;
    for (const NodeKey& parent : level) {
      for (const std::uint32_t side : {0u, 1u}) {
        next.push_back(parent.child(side));
        seen.emplace(next.back().high, next.back().low);
        ++n_nodes;
      }
    }
    level = std::move(next);
  }
  EXPECT_EQ(seen.size(), n_nodes);
}

/// Chi-square of `counts` against uniform, as a standard normal number (Wilson and Hilferty).
double normal_chi_square(const std::vector<int>& counts) {
  const double n = std::accumulate(counts.begin(), counts.end(), 0.0);
  const double expected = n / static_cast<double>(counts.size());
  double chi_square = 0;
  for (const int count : counts) chi_square += (count - expected) * (count - expected) / expected;
  const double freedom = static_cast<double>(counts.size()) - 1;
  const double variance = 2 / (9 * freedom);
  return (std::cbrt(chi_square / freedom) - (1 - variance)) / std::sqrt(variance);
}

TEST(StreamTest, IntegersAndRealsAreUniform) {
  for (const auto seed : testing_support::global_seeds()) {
    SCOPED_TRACE(seed);
    const Stream stream(seed, Purpose::kBootstrap, 1);
    for (const std::size_t n_cells : {2u, 3u, 10u, 97u, 256u}) {
      std::vector<int> integers(n_cells), reals(n_cells);
      for (std::uint64_t draw = 0; draw < 60000; ++draw) {
        const auto integer = stream.below(n_cells, draw);
        const double real = stream.real(draw + 60000);
        ASSERT_LT(integer, n_cells);
        ASSERT_GE(real, 0.0);
        ASSERT_LT(real, 1.0);
        ++integers[integer];
        ++reals[static_cast<std::size_t>(real * static_cast<double>(n_cells))];
      }
      EXPECT_LT(normal_chi_square(integers), 5) << n_cells << " cells";
      EXPECT_LT(normal_chi_square(reals), 5) << n_cells << " cells";
    }
  }
}

TEST(StreamTest, BelowHandlesTheExtremes) {
  const Stream stream(1, Purpose::kFolds, 0);
  for (std::uint64_t draw = 0; draw < 100; ++draw) {
    EXPECT_EQ(stream.below(1, draw), 0u);
    EXPECT_LT(stream.below(~std::uint64_t{0}, draw), ~std::uint64_t{0});
  }
}

TEST(StreamTest, ShuffleIsTheFisherYatesOfItsDraws) {
  const Stream stream(9, Purpose::kFeatures, 4, NodeKey{}.child(1));
  for (const std::uint32_t size : {0u, 1u, 2u, 5u, 100u, 1000u}) {
    std::vector<std::uint32_t> values(size), rest(size), expected;
    std::iota(values.begin(), values.end(), 0u);
    rest = values;
    stream.shuffle(values);
    for (std::size_t i = 0; i < size; ++i) {
      const auto left = static_cast<std::uint64_t>(size - i);
      const auto pick = left > 1 ? i + stream.below(left, i) : i;
      expected.push_back(rest[pick]);
      rest[pick] = rest[i];
    }
    EXPECT_EQ(values, expected);
    std::sort(values.begin(), values.end());
    std::vector<std::uint32_t> sorted(size);
    std::iota(sorted.begin(), sorted.end(), 0u);
    EXPECT_EQ(values, sorted) << "not a permutation of " << size;
  }
}

TEST(StreamTest, EveryOrderOfAShuffleIsAsLikely) {
  for (const auto seed : testing_support::global_seeds()) {
    SCOPED_TRACE(seed);
    std::vector<int> n_seen(24);
    for (std::uint64_t unit = 0; unit < 12000; ++unit) {
      std::vector<std::uint32_t> values{0, 1, 2, 3};
      Stream(seed, Purpose::kFeatures, unit).shuffle(values);
      std::size_t rank = 0;  // of the permutation among the 24
      for (std::size_t i = 0; i < 4; ++i) {
        std::size_t n_smaller = 0;
        for (std::size_t j = i + 1; j < 4; ++j) n_smaller += values[j] < values[i] ? 1 : 0;
        rank = rank * (4 - i) + n_smaller;
      }
      ++n_seen[rank];
    }
    EXPECT_LT(normal_chi_square(n_seen), 5);
  }
}

}  // namespace
}  // namespace orchard::random
