#include "orchard/run/placement.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace orchard::run {
namespace {

using Domains = std::vector<std::vector<int>>;

/// Ranks that may all use the same cores.
CoresOfNode unbound(std::size_t n_ranks, std::size_t own, std::vector<int> mask) {
  return {std::vector<std::vector<int>>(n_ranks, std::move(mask)), own, {}};
}

const Domains kTwo = {{0, 1, 2, 3}, {4, 5, 6, 7}};
const std::vector<int> kAll = {0, 1, 2, 3, 4, 5, 6, 7};

TEST(Placement, SpreadsRanksOverDomains) {
  for (std::size_t rank = 0; rank < 4; ++rank) {
    EXPECT_EQ(choose_domain(unbound(4, rank, kAll), kTwo, 2), kTwo[rank / 2]) << rank;
  }
  EXPECT_EQ(choose_domain(unbound(3, 0, kAll), kTwo, 2), kTwo[0]);
  EXPECT_EQ(choose_domain(unbound(3, 1, kAll), kTwo, 2), kTwo[0]);
  EXPECT_EQ(choose_domain(unbound(3, 2, kAll), kTwo, 2), kTwo[1]);
  EXPECT_EQ(choose_domain(unbound(2, 1, kAll), kTwo, 4), kTwo[1]);
}

TEST(Placement, KeepsToTheAllowedCoresOfADomain) {
  EXPECT_EQ(choose_domain(unbound(2, 1, {2, 3, 4, 5}), kTwo, 2), (std::vector<int>{4, 5}));
  EXPECT_EQ(choose_domain(unbound(2, 0, {0, 1, 2, 4}), kTwo, 1), (std::vector<int>{0, 1, 2}));
}

TEST(Placement, LeavesRanksFreeWhereADomainWouldNotDo) {
  EXPECT_FALSE(choose_domain(unbound(1, 0, kAll), kTwo, 8)) << "fewer ranks than domains";
  EXPECT_FALSE(choose_domain(unbound(3, 2, kAll), kTwo, 3)) << "two ranks need six cores of four";
  EXPECT_FALSE(choose_domain(unbound(2, 0, {0, 1, 2, 3}), kTwo, 2)) << "one domain is allowed";
  EXPECT_FALSE(choose_domain(unbound(4, 0, kAll), {}, 1)) << "the kernel tells nothing";
  EXPECT_FALSE(choose_domain({{{0, 1, 2, 3}, {4, 5, 6, 7}}, 1, {}}, kTwo, 2)) << "placed already";
}

TEST(Placement, ReadsWhatTheKernelLists) {
  namespace fs = std::filesystem;
  const auto root = fs::path(::testing::TempDir()) / "numa";
  const auto write = [&](const std::string& node, const std::string& cores) {
    fs::create_directories(root / node);
    std::ofstream(root / node / "cpulist") << cores << '\n';
  };
  write("node10", "6");
  write("node0", "0-2,5");
  write("node2", "");  // memory without cores
  fs::create_directories(root / "power");
  EXPECT_EQ(numa_domains(root.string()), (Domains{{0, 1, 2, 5}, {6}}));
  fs::remove_all(root);
  EXPECT_EQ(numa_domains(root.string()), Domains{});
}

}  // namespace
}  // namespace orchard::run
