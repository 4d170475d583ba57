// Communicators for a part of the ranks, and the memory that the ranks of a node share.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "communicator_pattern.hpp"

namespace orchard::testing {
namespace {

using comm::Communicator;
using comm::Message;
using ::testing::HasSubstr;

void splits_by_colour(Communicator world) {
  const int colour = world.rank() % 2;
  auto part = world.split(colour);
  EXPECT_EQ(part.rank(), world.rank() / 2);
  EXPECT_EQ(part.size(), (world.size() + 1 - colour) / 2);
  std::int64_t expected = 0;
  for (int rank = colour; rank < world.size(); rank += 2) expected += rank;
  EXPECT_EQ(part.sum(world.rank()), expected);
  if (part.rank() == 0 && part.size() > 1) part.send(1, 5, pattern(3, 5));
  if (part.rank() == 1) {
    EXPECT_EQ(receive(part).source, 0);
  }
  auto single = part.split(part.rank());
  EXPECT_EQ(single.size(), 1);
  EXPECT_EQ(single.sum(7), 7);
}

void splits_many_times(Communicator world) {
  for (int i = 0; i < 100; ++i) {
    auto part = world.split(world.rank() <= i % world.size() ? 1 : 0);
    ASSERT_EQ(part.max(world.rank()) >= world.rank(), true);
  }
}

void makes_subsets_without_the_others(Communicator world) {
  const int n = world.size();
  // Pairs that overlap, in an order in which each waits for the one before it; then all ranks.
  for (int first = 0; first + 1 < n; ++first) {
    if (world.rank() != first && world.rank() != first + 1) continue;
    auto pair = world.subset({first, first + 1});
    EXPECT_EQ(pair.size(), 2);
    EXPECT_EQ(pair.rank(), world.rank() - first);
    EXPECT_EQ(pair.sum(world.rank()), 2 * first + 1);
    pair.send(1 - pair.rank(), 3, pattern(5000, world.rank()));
    EXPECT_EQ(receive(pair).bytes, pattern(5000, 2 * first + 1 - world.rank()));
    pair.dissolve();
  }
  std::vector<int> all;
  for (int rank = 0; rank < n; ++rank) all.push_back(rank);
  for (int i = 0; i < 20; ++i) {
    auto same = world.subset(all);
    ASSERT_EQ(same.sum(1), n);
    same.dissolve();
  }
  std::reverse(all.begin(), all.end());
  auto reversed = world.subset(all);
  EXPECT_EQ(reversed.rank(), n - 1 - world.rank());
  EXPECT_EQ(reversed.broadcast(pattern(9, world.rank()), 0), pattern(9, n - 1));
  reversed.dissolve();
  auto alone = world.subset({world.rank()});
  EXPECT_EQ(alone.size(), 1);
  EXPECT_EQ(alone.max(world.rank()), world.rank());
  alone.dissolve();
  EXPECT_THROW(world.subset({n}), Error);
  EXPECT_THROW(world.subset({}), Error);
  EXPECT_THROW(world.subset({world.rank(), world.rank()}), Error);
  world.barrier();
}

void check_shared_memory(Communicator node) {
  constexpr std::size_t kShare_bytes = 100'003;
  const auto n_ranks = static_cast<std::size_t>(node.size());
  auto memory = node.allocate_shared(kShare_bytes * n_ranks);
  ASSERT_EQ(memory.n_bytes, kShare_bytes * n_ranks);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.data) % 64, 0U);
  for (std::size_t i = 0; i < memory.n_bytes; ++i) ASSERT_EQ(memory.data[i], std::byte{0});
  for (int round = 0; round < 3; ++round) {
    node.barrier();
    const Bytes own = pattern(kShare_bytes, 10 * round + node.rank());
    std::memcpy(memory.data + kShare_bytes * static_cast<std::size_t>(node.rank()), own.data(),
                kShare_bytes);
    if (round == 1) {
      node.together([] {});
    } else {
      node.barrier();
    }
    for (int rank = 0; rank < node.size(); ++rank) {
      const Bytes expected = pattern(kShare_bytes, 10 * round + rank);
      EXPECT_EQ(std::memcmp(memory.data + kShare_bytes * static_cast<std::size_t>(rank),
                            expected.data(), kShare_bytes),
                0)
          << "rank " << rank << " round " << round;
    }
  }
  const auto other = node.allocate_shared(16);
  EXPECT_NE(other.id, memory.id);
  EXPECT_NE(other.data, memory.data);
  node.free_shared(memory);
  other.data[node.rank() % 16] = std::byte{1};
  node.free_shared(other);
  const auto empty = node.allocate_shared(0);
  EXPECT_EQ(empty.n_bytes, 0U);
  node.free_shared(empty);
}

void shares_memory_on_a_node(Communicator world) {
  auto node = world.split_by_node();
  EXPECT_GE(world.size(), node.size());
  check_shared_memory(node);
  check_shared_memory(node.split(node.rank() % 2));
  check_shared_memory(world.split(world.rank()));
  if (world.size() > 1) {
    EXPECT_THROW(world.allocate_shared(8), Error);  // it may span nodes
  }
}

void refuses_memory_that_is_not_there(Communicator world) {
  auto node = world.split_by_node();
  for (std::size_t n_bytes : {std::size_t{1} << 60, ~std::size_t{0}}) {
    try {
      node.allocate_shared(n_bytes);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kResources);
      EXPECT_THAT(error.message(), HasSubstr(std::to_string(n_bytes)));
    }
  }
  EXPECT_EQ(node.sum(1), node.size());
}

}  // namespace

std::vector<ConformanceCase> with_cases_of_parts(std::vector<ConformanceCase> cases) {
  const std::vector<ConformanceCase> more = {
      ORCHARD_CASE(splits_by_colour),
      ORCHARD_CASE(splits_many_times),
      ORCHARD_CASE(makes_subsets_without_the_others),
      ORCHARD_CASE(shares_memory_on_a_node),
      ORCHARD_CASE(refuses_memory_that_is_not_there),
  };
  cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

}  // namespace orchard::testing
