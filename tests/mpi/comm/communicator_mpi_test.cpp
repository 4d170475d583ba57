#include <gtest/gtest.h>

#include "communicator_conformance.hpp"
#include "mpi_world.hpp"
#include "orchard/base/env.hpp"

namespace orchard::testing {
namespace {

class MpiConformance : public ::testing::TestWithParam<ConformanceCase> {};

std::string name_of(const ::testing::TestParamInfo<ConformanceCase>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Ranks, MpiConformance, ::testing::ValuesIn(conformance_cases()), name_of);

TEST_P(MpiConformance, Holds) { GetParam().run(mpi_world()); }

/// Two cases are about the library as a whole: how a process waits, and how many groups it can
/// make.
std::vector<ConformanceCase> cases_of_parts() {
  auto cases = conformance_cases();
  std::erase_if(cases, [](const auto& one) {
    return one.name == "sleeps_while_it_waits" || one.name == "splits_many_times";
  });
  return cases;
}

class MpiPartConformance : public ::testing::TestWithParam<ConformanceCase> {};

INSTANTIATE_TEST_SUITE_P(Ranks, MpiPartConformance, ::testing::ValuesIn(cases_of_parts()), name_of);

// Collectives on a part of the ranks, be it one, work as on the world.
TEST_P(MpiPartConformance, Holds) {
  GetParam().run(mpi_world().split(mpi_world().rank() == 0 ? 1 : 0));
}

TEST(Nodes, AreDividedForTests) {
  auto world = mpi_world();
  const auto before = env("ORCHARD_RANKS_PER_NODE");
  set_env("ORCHARD_RANKS_PER_NODE", "2");
  auto node = world.split_by_node();
  EXPECT_EQ(node.rank(), world.rank() % 2);
  EXPECT_EQ(node.size(), world.rank() == world.size() - 1 && world.size() % 2 == 1 ? 1 : 2);
  const auto memory = node.allocate_shared(8);
  if (node.rank() == 0) memory.data[0] = static_cast<std::byte>(world.rank() + 1);
  node.barrier();
  EXPECT_EQ(static_cast<int>(memory.data[0]), world.rank() / 2 * 2 + 1);
  node.free_shared(memory);
  set_env("ORCHARD_RANKS_PER_NODE", before.value_or("1000"));
}

TEST(Environment, NamesTheLibrary) {
  EXPECT_NE(comm::Environment::library_version().find("MPI"), std::string::npos);
}

}  // namespace
}  // namespace orchard::testing
