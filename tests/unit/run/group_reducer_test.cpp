#include "group_reducer.hpp"

#include <gtest/gtest.h>

#include "orchard/base/error.hpp"

namespace orchard::run {
namespace {

TEST(GroupReducer, ReducesAsRowGroupsDo) {
  for (const int n_ranks : {1, 2, 3, 5}) {
    comm::run_as_ranks(n_ranks, [&](comm::Communicator group) {
      GroupReducer reducer(group);
      ASSERT_EQ(reducer.size(), n_ranks);
      ASSERT_EQ(reducer.rank(), group.rank());
      const std::int64_t rank = group.rank(), n = n_ranks;
      std::vector<std::int64_t> sums = {rank, -rank, std::int64_t{1} << 50};
      reducer.sum(sums);
      EXPECT_EQ(sums, (std::vector<std::int64_t>{n * (n - 1) / 2, -n * (n - 1) / 2, n << 50}));
      std::vector<double> greatest = {-1.0 - static_cast<double>(rank), static_cast<double>(rank)};
      reducer.max(greatest);
      EXPECT_EQ(greatest, (std::vector<double>{-1.0, static_cast<double>(n - 1)}));

      std::vector<std::size_t> borders = {0};
      for (int part = 0; part < n_ranks; ++part) {
        borders.push_back(borders.back() + static_cast<std::size_t>(2 * part));
      }
      std::vector<std::int64_t> values(borders.back(), rank + 1);
      reducer.sum_parts(values, borders);
      for (std::size_t i = 0; i < values.size(); ++i) {
        const auto own = static_cast<std::size_t>(rank);
        const bool is_mine = i >= borders[own] && i < borders[own + 1];
        EXPECT_EQ(values[i], is_mine ? n * (n + 1) / 2 : rank + 1);
      }
      const auto parts = reducer.all_gather(Bytes(static_cast<std::size_t>(rank), std::byte{7}));
      for (std::size_t part = 0; part < parts.size(); ++part) {
        EXPECT_EQ(parts[part], Bytes(part, std::byte{7}));
      }
      std::vector<Bytes> for_members;
      for (int to = 0; to < n_ranks; ++to) {
        for_members.emplace_back(static_cast<std::size_t>(10 * group.rank() + to), std::byte{3});
      }
      const auto received = reducer.exchange(std::move(for_members));
      for (std::size_t from = 0; from < received.size(); ++from) {
        EXPECT_EQ(received[from],
                  Bytes(10 * from + static_cast<std::size_t>(group.rank()), std::byte{3}));
      }
      EXPECT_FALSE(reducer.meet(false));
      EXPECT_EQ(reducer.meet(rank == 0), true);
      EXPECT_FALSE(reducer.meet(rank != 0)) << "the leader decides";
    });
  }
}

TEST(GroupReducer, AllStopAtTheSameCall) {
  for (int kind = 0; kind < 6; ++kind) {
    comm::run_as_ranks(3, [&](comm::Communicator group) {
      GroupReducer reducer(group);
      std::vector<std::int64_t> values(6, 1);
      std::vector<double> numbers = {1};
      const std::vector<std::size_t> borders = {0, 2, 4, 6};
      reducer.sum(values);
      if (group.rank() != 0) reducer.stop();  // means nothing
      reducer.sum(values);
      if (group.rank() == 0) reducer.stop();
      const auto next = [&] {
        if (kind == 0) reducer.sum(values);
        if (kind == 1) reducer.max(numbers);
        if (kind == 2) reducer.sum_parts(values, borders);
        if (kind == 3) reducer.all_gather({});
        if (kind == 4) reducer.meet(false);
        if (kind == 5) reducer.exchange(std::vector<Bytes>(3));
      };
      EXPECT_THROW(next(), Stopped);
      EXPECT_EQ(group.sum(1), 3) << "all are at the same place";
    });
  }
}

}  // namespace
}  // namespace orchard::run
