#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "orchard/base/env.hpp"
#include "orchard/comm/communicator.hpp"

namespace orchard::comm {
namespace {

using ::testing::HasSubstr;

/// A clean set of launcher variables for a test; what was there comes back after it.
class LauncherVariables : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : kNames) {
      before_[name] = env(name);
      ::unsetenv(name);
    }
  }
  void TearDown() override {
    for (const auto& [name, value] : before_) {
      value ? set_env(name, *value) : static_cast<void>(::unsetenv(name.c_str()));
    }
  }
  static constexpr const char* kNames[] = {
      "OMPI_COMM_WORLD_SIZE", "PMI_RANK",     "PMIX_RANK",    "SLURM_STEP_NUM_TASKS",
      "SLURM_STEP_ID",        "SLURM_PROCID", "SLURM_NTASKS", "ORCHARD_RANKS_PER_NODE"};
  std::map<std::string, std::optional<std::string>> before_;
};

using EnvironmentTest = LauncherVariables;
using NodesTest = LauncherVariables;

TEST_F(EnvironmentTest, OutsideALauncherTheWorldIsOneProcess) {
  Environment environment(nullptr, nullptr);
  auto world = environment.world();
  EXPECT_EQ(world.size(), 1);
  world.send(0, 1, {});
  EXPECT_TRUE(environment.world().try_receive());
  EXPECT_FALSE(Environment::library_version().empty());
}

TEST_F(EnvironmentTest, RefusesSlurmTasksThatDoNotSeeEachOther) {
  set_env("SLURM_NTASKS", "4");
  set_env("SLURM_PROCID", "2");
  set_env("SLURM_STEP_ID", "0");
  set_env("SLURM_STEP_NUM_TASKS", "4");
  try {
    Environment environment(nullptr, nullptr);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kResources);
    EXPECT_THAT(error.what(), HasSubstr("4 tasks"));
    EXPECT_THAT(error.hint(), HasSubstr("--mpi=pmix"));
  }
}

TEST_F(EnvironmentTest, AcceptsABatchScriptThatRunsTheProgramDirectly) {
  set_env("SLURM_NTASKS", "4");
  set_env("SLURM_PROCID", "0");
  EXPECT_EQ(Environment(nullptr, nullptr).world().size(), 1);
  set_env("SLURM_STEP_ID", "1");
  set_env("SLURM_STEP_NUM_TASKS", "1");
  EXPECT_EQ(Environment(nullptr, nullptr).world().size(), 1);
}

TEST_F(NodesTest, AreDividedForTests) {
  set_env("ORCHARD_RANKS_PER_NODE", "2");
  run_as_ranks(5, [](Communicator world) {
    auto node = world.split_by_node();
    EXPECT_EQ(node.size(), world.rank() == 4 ? 1 : 2);
    EXPECT_EQ(node.rank(), world.rank() % 2);
    EXPECT_EQ(node.min(world.rank()), world.rank() / 2 * 2);
  });
}

TEST_F(NodesTest, RefuseASenselessDivision) {
  for (const char* value : {"0", "-1", "two", ""}) {
    set_env("ORCHARD_RANKS_PER_NODE", value);
    EXPECT_THROW(run_as_ranks(2, [](Communicator world) { world.split_by_node(); }), Error);
  }
}

}  // namespace
}  // namespace orchard::comm
