#include "orchard/base/cgroup.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace orchard {
namespace {

/// A pretended /sys/fs/cgroup and /proc/self/cgroup.
class Cgroup : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    root_ = std::filesystem::path(testing::TempDir()) /
            ("cgroup_" + std::to_string(getpid()) + "_" + info->name());
    std::filesystem::create_directories(root_);
    view_ = {(root_ / "membership").string(), (root_ / "sys").string()};
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) {
    const auto file = root_ / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

  std::filesystem::path root_;
  CgroupView view_;
};

TEST_F(Cgroup, NothingKnownMeansNoLimit) {
  EXPECT_FALSE(cgroup_cpu_quota(view_));
  EXPECT_FALSE(cgroup_memory_headroom(view_));
  write("membership", "0::/\n");
  EXPECT_FALSE(cgroup_cpu_quota(view_));
  EXPECT_FALSE(cgroup_memory_headroom(view_));
}

TEST_F(Cgroup, Version2TakesTheTightestLimitUpToTheRoot) {
  write("membership", "0::/job/step\n");
  write("sys/job/step/cpu.max", "max 100000\n");
  EXPECT_FALSE(cgroup_cpu_quota(view_));
  write("sys/job/cpu.max", "250000 100000\n");
  EXPECT_EQ(cgroup_cpu_quota(view_), 2.5);
  write("sys/job/step/cpu.max", "50000 100000\n");
  EXPECT_EQ(cgroup_cpu_quota(view_), 0.5);
  write("sys/job/step/memory.max", "max\n");
  write("sys/job/step/memory.current", "5\n");
  EXPECT_FALSE(cgroup_memory_headroom(view_));
  write("sys/job/memory.max", "1000\n");
  write("sys/job/memory.current", "700\n");
  EXPECT_EQ(cgroup_memory_headroom(view_), 300U);
  write("sys/job/memory.stat", "anon 400\ninactive_file 250\n");
  EXPECT_EQ(cgroup_memory_headroom(view_), 550U);
  write("sys/job/step/memory.max", "4\n");
  EXPECT_EQ(cgroup_memory_headroom(view_), 0U);
}

TEST_F(Cgroup, InAContainerTheOwnPathIsHiddenButTheRootIsShown) {
  write("membership", "0::/kubepods/pod7/abc\n");
  write("sys/cpu.max", "150000 100000\n");
  EXPECT_EQ(cgroup_cpu_quota(view_), 1.5);
}

TEST_F(Cgroup, Version1ReadsItsControllersTrees) {
  write("membership", "5:memory:/slurm/job\n4:cpu,cpuacct:/slurm/job\n0::/ignored\n");
  write("sys/cpu,cpuacct/slurm/job/cpu.cfs_quota_us", "-1\n");
  write("sys/cpu,cpuacct/slurm/job/cpu.cfs_period_us", "100000\n");
  EXPECT_FALSE(cgroup_cpu_quota(view_));
  write("sys/cpu,cpuacct/slurm/cpu.cfs_quota_us", "320000\n");
  write("sys/cpu,cpuacct/slurm/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cgroup_cpu_quota(view_), 3.2);
  write("sys/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("sys/memory/memory.usage_in_bytes", "1\n");
  EXPECT_FALSE(cgroup_memory_headroom(view_));
  write("sys/memory/slurm/job/memory.limit_in_bytes", "4096\n");
  write("sys/memory/slurm/job/memory.usage_in_bytes", "4000\n");
  write("sys/memory/slurm/job/memory.stat", "cache 500\ntotal_inactive_file 100\n");
  EXPECT_EQ(cgroup_memory_headroom(view_), 196U);
}

TEST_F(Cgroup, DamagedFilesAreNoLimit) {
  write("membership", "nonsense\n\n0::/job\n");
  write("sys/job/cpu.max", "");
  write("sys/job/memory.max", "many\n");
  write("sys/job/memory.current", "1\n");
  EXPECT_FALSE(cgroup_cpu_quota(view_));
  EXPECT_FALSE(cgroup_memory_headroom(view_));
}

}  // namespace
}  // namespace orchard
