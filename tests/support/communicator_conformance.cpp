#include "communicator_conformance.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <ctime>
#include <limits>
#include <map>
#include <new>
#include <stdexcept>

#include "communicator_pattern.hpp"
#include "orchard/base/clock.hpp"

namespace orchard::testing {
namespace {

using comm::Communicator;
using comm::Message;
using ::testing::HasSubstr;

void knows_its_place(Communicator world) {
  EXPECT_GE(world.rank(), 0);
  EXPECT_LT(world.rank(), world.size());
  EXPECT_EQ(world.sum(1), world.size());
  const std::int64_t n = world.size();
  EXPECT_EQ(world.sum(world.rank()), n * (n - 1) / 2);
  const auto copy = world;
  EXPECT_EQ(copy.rank(), world.rank());
}

void reduces_integers(Communicator world) {
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  const std::int64_t rank = world.rank(), last = world.size() - 1;
  EXPECT_EQ(world.min(rank + 5), 5);
  EXPECT_EQ(world.max(rank * 1000000007), last * 1000000007);
  EXPECT_EQ(world.min(rank == last ? kLeast : kMost), kLeast);
  EXPECT_EQ(world.max(rank == last ? kMost : kLeast), kMost);
  EXPECT_EQ(world.sum(rank == 0 ? kLeast : 0), kLeast);

  std::vector<std::int64_t> values(3000);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<std::int64_t>(i) * (rank + 1) - (std::int64_t{1} << 40);
  }
  world.sum(std::span(values));
  const std::int64_t n = world.size();
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(values[i],
              static_cast<std::int64_t>(i) * n * (n + 1) / 2 - n * (std::int64_t{1} << 40));
  }
  world.sum(std::span<std::int64_t>());
}

void sums_in_parts(Communicator world) {
  const auto n_ranks = static_cast<std::size_t>(world.size());
  const std::int64_t n = world.size(), own = world.rank();
  for (const std::size_t n_values : {0, 1, 2, 5, 3000, 40'001}) {
    // The first part is twice as long as the others, and the last rank's is empty.
    std::vector<std::size_t> borders(n_ranks + 1, n_values);
    for (std::size_t rank = 0; rank + 1 < n_ranks; ++rank) {
      borders[rank] = rank == 0 ? 0 : n_values * (rank + 1) / n_ranks;
    }
    borders[0] = 0;
    std::vector<std::int64_t> values(n_values);
    for (std::size_t i = 0; i < n_values; ++i) {
      values[i] = static_cast<std::int64_t>(i) * (own + 1) - (std::int64_t{1} << 40);
    }
    const auto before = values;
    world.sum_parts(values, borders);
    for (std::size_t i = 0; i < n_values; ++i) {
      const auto rank = static_cast<std::size_t>(own);
      const bool is_mine = i >= borders[rank] && i < borders[rank + 1];
      ASSERT_EQ(values[i], is_mine ? static_cast<std::int64_t>(i) * n * (n + 1) / 2 -
                                         n * (std::int64_t{1} << 40)
                                   : before[i])
          << i << " of " << n_values;
    }
  }
}

void finds_the_greatest_numbers(Communicator world) {
  constexpr auto kInfinity = std::numeric_limits<double>::infinity();
  const int last = world.size() - 1;
  const bool is_last = world.rank() == last;
  std::vector<double> values = {0.5 * world.rank(),
                                -1.5 - world.rank(),
                                is_last ? 5e-324 : -5e-324,
                                is_last ? kInfinity : 1e300,
                                is_last ? -1e-300 : -kInfinity,
                                is_last ? 0.0 : -0.0};
  world.max(values);
  const std::vector<double> expected = {0.5 * last, -1.5, 5e-324, kInfinity, -1e-300, 0.0};
  EXPECT_EQ(values, expected);
  EXPECT_FALSE(std::signbit(values.back()));
  world.max(std::span<double>());
}

void gathers_to_all(Communicator world) {
  for (const std::size_t n_bytes : {0, 1, 247, 248, 249, 100'000}) {
    const auto given = [&](int rank) {
      return pattern(n_bytes + static_cast<std::size_t>(rank % 2), rank);
    };
    const auto parts = world.all_gather(given(world.rank()));
    ASSERT_EQ(parts.size(), static_cast<std::size_t>(world.size()));
    for (int rank = 0; rank < world.size(); ++rank) {
      EXPECT_TRUE(parts[static_cast<std::size_t>(rank)] == given(rank)) << n_bytes;
    }
  }
}

void exchanges(Communicator world) {
  for (const std::size_t n_bytes : {0, 1, 100, 70'000}) {
    const auto given = [&](int from, int to) {
      return pattern(from == to ? 3 : n_bytes * static_cast<std::size_t>(from + to) / 2,
                     100 * from + to);
    };
    std::vector<Bytes> for_ranks;
    for (int to = 0; to < world.size(); ++to) for_ranks.push_back(given(world.rank(), to));
    const auto received = world.exchange(std::move(for_ranks));
    ASSERT_EQ(received.size(), static_cast<std::size_t>(world.size()));
    for (int from = 0; from < world.size(); ++from) {
      EXPECT_TRUE(received[static_cast<std::size_t>(from)] == given(from, world.rank())) << from;
    }
  }
}

void broadcasts_from_every_root(Communicator world) {
  for (std::size_t n_bytes : {0, 1, 503, 504, 505, 4096, 70000}) {
    for (int root = 0; root < world.size(); ++root) {
      const Bytes sent = pattern(n_bytes, root);
      Bytes given = world.rank() == root ? sent : pattern(3, 99);
      ASSERT_EQ(world.broadcast(std::move(given), root), sent) << n_bytes << " from " << root;
    }
  }
}

void broadcasts_much(Communicator world) {
  const Bytes sent = pattern(5'000'003, 7);
  const int root = world.size() - 1;
  EXPECT_TRUE(world.broadcast(world.rank() == root ? sent : Bytes(), root) == sent);
}

void gathers_different_sizes(Communicator world) {
  const auto n_bytes_of = [](int rank) { return rank % 3 == 1 ? 0 : 1 + 10007 * rank; };
  const auto own = pattern(static_cast<std::size_t>(n_bytes_of(world.rank())), world.rank());
  const auto check_all = [&](const std::vector<Bytes>& parts) {
    ASSERT_EQ(parts.size(), static_cast<std::size_t>(world.size()));
    for (int rank = 0; rank < world.size(); ++rank) {
      const auto expected = pattern(static_cast<std::size_t>(n_bytes_of(rank)), rank);
      EXPECT_TRUE(parts[static_cast<std::size_t>(rank)] == expected) << rank;
    }
  };
  for (int root = 0; root < world.size(); ++root) {
    const auto parts = world.gather(own, root);
    if (world.rank() == root) {
      check_all(parts);
    } else {
      EXPECT_TRUE(parts.empty());
    }
  }
  check_all(world.all_gather(own));
  const auto nothing = world.all_gather({});
  EXPECT_EQ(nothing, std::vector<Bytes>(static_cast<std::size_t>(world.size())));
}

void exchanges_many_small_messages(Communicator world) {
  constexpr int kRounds = 200;
  for (int round = 0; round < kRounds; ++round) {
    for (int other = 0; other < world.size(); ++other) {
      const auto n_bytes = static_cast<std::size_t>((round * 37) % 300);
      world.send(other, round - 50, pattern(n_bytes, 1000 * world.rank() + round));
    }
  }
  std::map<int, int> next_round;
  for (int i = 0; i < kRounds * world.size(); ++i) {
    const Message message = receive(world);
    const int round = next_round[message.source]++;
    ASSERT_EQ(message.tag, round - 50) << "from " << message.source;
    const auto n_bytes = static_cast<std::size_t>((round * 37) % 300);
    ASSERT_TRUE(message.bytes == pattern(n_bytes, 1000 * message.source + round));
  }
  world.flush();
  world.barrier();
  EXPECT_FALSE(world.try_receive());
}

void keeps_order_of_long_and_short_messages(Communicator world) {
  const std::vector<std::size_t> sizes = {3, 6'000'000, 2048, 0, 2049, 300'000, 1};
  for (int other = 0; other < world.size(); ++other) {
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      world.send(other, static_cast<int>(i), pattern(sizes[i], world.rank() + 10));
    }
  }
  // Everybody waits for everybody before anybody receives.
  world.flush();
  world.barrier();
  std::map<int, std::size_t> next;
  for (std::size_t i = 0; i < sizes.size() * static_cast<std::size_t>(world.size()); ++i) {
    const Message message = receive(world);
    const std::size_t at = next[message.source]++;
    ASSERT_EQ(message.tag, static_cast<int>(at));
    ASSERT_TRUE(message.bytes == pattern(sizes[at], message.source + 10));
  }
}

void receives_while_it_computes(Communicator world) {
  const int last = world.size() - 1;
  if (world.rank() == last) {
    for (int i = 0; i < 20; ++i) {
      world.send(0, i, pattern(50'000, i));
      sleep_s(0.001);
    }
  }
  if (world.rank() == 0) {
    int n_received = 0;
    std::uint64_t work = 1;
    const double give_up_s = monotonic_s() + 20;
    while (n_received < 20 && monotonic_s() < give_up_s) {
      for (int i = 0; i < 100000; ++i) work = work * 6364136223846793005ULL + 1;
      if (const auto message = world.try_receive()) {
        EXPECT_EQ(message->source, last);
        EXPECT_EQ(message->tag, n_received);
        EXPECT_TRUE(message->bytes == pattern(50'000, n_received++));
      }
    }
    EXPECT_EQ(n_received, 20);
    EXPECT_NE(work, 0U);
  }
  world.flush();
}

void keeps_messages_apart_from_collectives(Communicator world) {
  const int next = (world.rank() + 1) % world.size();
  const int previous = (world.rank() + world.size() - 1) % world.size();
  auto part = world.split(0);
  for (int i = 0; i < 20; ++i) {
    world.send(next, i, pattern(5000, i));
    part.send(previous, 100 + i, pattern(10, i));
    EXPECT_EQ(world.sum(i), i * world.size());
    part.barrier();
  }
  for (int i = 0; i < 20; ++i) {
    const Message message = receive(world);
    EXPECT_EQ(message.source, previous);
    EXPECT_EQ(message.tag, i);
    const Message other = receive(part);
    EXPECT_EQ(other.source, next);
    EXPECT_EQ(other.tag, 100 + i);
  }
  EXPECT_FALSE(world.try_receive());
}

void agrees_on_the_lowest_failure(Communicator world) {
  EXPECT_NO_THROW(world.agree(std::nullopt));
  for (int first = 0; first < world.size(); ++first) {
    for (int second : {first, world.size() - 1}) {
      std::optional<Error> own;
      if (world.rank() == first || world.rank() == second) {
        own = Error(ErrorKind::kData, "row " + std::to_string(world.rank()), "a.csv:7", "Look.");
      }
      try {
        world.agree(own);
        ADD_FAILURE() << "no error";
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kData);
        EXPECT_EQ(error.message(), "row " + std::to_string(first));
        EXPECT_EQ(error.where(), "a.csv:7");
        EXPECT_EQ(error.hint(), "Look.");
      }
    }
  }
  EXPECT_EQ(world.sum(1), world.size());
}

void leaves_phases_together(Communicator world) {
  int n_runs = 0;
  world.together([&] { ++n_runs; });
  EXPECT_EQ(n_runs, 1);
  const bool is_last = world.rank() == world.size() - 1;
  const auto kind_of = [&](const std::function<void()>& body) {
    try {
      world.together(body);
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::kUsage;
  };
  EXPECT_EQ(kind_of([&] {
              if (is_last) throw Error(ErrorKind::kOutput, "disk");
            }),
            ErrorKind::kOutput);
  EXPECT_EQ(kind_of([&] {
              if (is_last) throw std::runtime_error("odd");
            }),
            ErrorKind::kInternal);
  EXPECT_EQ(kind_of([&] {
              if (is_last) throw std::bad_alloc();
            }),
            ErrorKind::kResources);
  EXPECT_EQ(kind_of([&] {
              if (is_last) throw 3;
            }),
            ErrorKind::kInternal);
  EXPECT_THROW(world.together([&] {
    if (is_last) throw Stopped();
  }),
               Stopped);
  EXPECT_EQ(kind_of([&] {
              if (is_last) throw Error(ErrorKind::kData, "found");
              throw Stopped();
            }),
            ErrorKind::kData);
}

void refuses_senseless_arguments(Communicator world) {
  EXPECT_THROW(world.broadcast({}, world.size()), Error);
  EXPECT_THROW(world.gather({}, -1), Error);
  EXPECT_THROW(world.send(world.size(), 0, {}), Error);
  EXPECT_THROW(world.split(-1), Error);
  world.barrier();
}

void sleeps_while_it_waits(Communicator world) {
  world.barrier();
  const auto before = std::clock();
  if (world.rank() == 0) sleep_s(1.0);
  world.barrier();
  EXPECT_LT(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC, 0.5);
}

void throws_after_the_deadline(Communicator world) {
  auto part = world.split(0);
  const bool is_late = world.rank() == world.size() - 1;
  if (world.size() > 1 && !is_late) {
    part.set_deadline(0.2);
    const double start_s = monotonic_s();
    try {
      part.barrier();
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInternal);
      EXPECT_THAT(error.what(), HasSubstr("barrier"));
    }
    EXPECT_LT(monotonic_s() - start_s, 5);
    EXPECT_THROW(part.sum(1), Error) << "a broken communicator is not used again";
  }
  EXPECT_EQ(world.sum(1), world.size());
}

}  // namespace

const std::vector<ConformanceCase>& conformance_cases() {
  static const std::vector<ConformanceCase> cases = with_cases_of_parts({
      ORCHARD_CASE(knows_its_place),
      ORCHARD_CASE(reduces_integers),
      ORCHARD_CASE(sums_in_parts),
      ORCHARD_CASE(finds_the_greatest_numbers),
      ORCHARD_CASE(gathers_to_all),
      ORCHARD_CASE(exchanges),
      ORCHARD_CASE(broadcasts_from_every_root),
      ORCHARD_CASE(broadcasts_much),
      ORCHARD_CASE(gathers_different_sizes),
      ORCHARD_CASE(exchanges_many_small_messages),
      ORCHARD_CASE(keeps_order_of_long_and_short_messages),
      ORCHARD_CASE(receives_while_it_computes),
      ORCHARD_CASE(keeps_messages_apart_from_collectives),
      ORCHARD_CASE(agrees_on_the_lowest_failure),
      ORCHARD_CASE(leaves_phases_together),
      ORCHARD_CASE(refuses_senseless_arguments),
      ORCHARD_CASE(sleeps_while_it_waits),
      ORCHARD_CASE(throws_after_the_deadline),
  });
  return cases;
}

}  // namespace orchard::testing
