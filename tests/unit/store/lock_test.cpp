#include "orchard/store/lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "orchard/base/clock.hpp"
#include "orchard/base/process.hpp"
#include "orchard/base/text.hpp"
#include "store_fixture.hpp"

namespace orchard::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LockTest : public StoreTest {
 protected:
  DirectoryLock lock(double patience_s = 0.3) const {
    return DirectoryLock(directory_, "a", "Slurm job 4711", patience_s);
  }
  void write_lock(const std::string& host, std::int64_t pid, std::uint64_t epoch) const {
    std::ofstream(path(".a.lock"))
        << "host " << host << "\npid " << pid << "\nepoch " << epoch << "\njob Slurm job 12\n";
  }
  void set_age(double age_s) const {
    const auto then = static_cast<time_t>(wall_s() - age_s);
    const timespec times[2] = {{then, 0}, {then, 0}};
    ::utimensat(AT_FDCWD, path(".a.lock").c_str(), times, 0);
  }
  static std::int64_t dead_pid() {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    ::waitpid(child, nullptr, 0);
    return child;
  }
};

TEST_F(LockTest, IsHeldAndGivenUp) {
  {
    DirectoryLock held = lock();
    EXPECT_TRUE(held.is_held());
    EXPECT_NO_THROW(held.check());
    EXPECT_EQ(held.epoch(), 1u);
    EXPECT_THAT(names(), ElementsAre(".a.lock"));
  }
  EXPECT_THAT(names(), ElementsAre());
}

TEST_F(LockTest, TheSecondIsRefusedAndToldByWhom) {
  const DirectoryLock held = lock();
  const double begin_s = monotonic_s();
  const Error error = error_of([&] { DirectoryLock second(directory_, "a", "", 1.0); });
  EXPECT_GE(monotonic_s() - begin_s, 1.0);
  EXPECT_LT(monotonic_s() - begin_s, 4.0);
  EXPECT_EQ(error.kind(), ErrorKind::kResume);
  EXPECT_THAT(error.what(), HasSubstr(format("process {} on {}", process_id(), host_name())));
  EXPECT_THAT(error.what(), HasSubstr("Slurm job 4711"));
  EXPECT_TRUE(held.is_held());
}

TEST_F(LockTest, OtherFilesInTheDirectoryHaveTheirOwn) {
  const DirectoryLock held = lock();
  EXPECT_NO_THROW(DirectoryLock(directory_, "b", "", 0.3));
}

TEST_F(LockTest, ADeadHolderOnThisHostIsReplacedAtOnce) {
  write_lock(host_name(), dead_pid(), 7);
  const double begin_s = monotonic_s();
  const DirectoryLock held = lock(10);
  EXPECT_LT(monotonic_s() - begin_s, 2);
  EXPECT_EQ(held.epoch(), 8u);
  EXPECT_TRUE(held.is_held());
}

TEST_F(LockTest, ASilentHolderElsewhereIsWaitedForThenReplaced) {
  write_lock("elsewhere", 1, 1);
  const double begin_s = monotonic_s();
  const DirectoryLock held = lock(1.0);
  EXPECT_GT(monotonic_s() - begin_s, 0.8);
  EXPECT_EQ(held.epoch(), 2u);
}

TEST_F(LockTest, AnOldHeartbeatIsReplacedAtOnce) {
  write_lock("elsewhere", 1, 1);
  set_age(11);
  const double begin_s = monotonic_s();
  const DirectoryLock held = lock(10);
  EXPECT_LT(monotonic_s() - begin_s, 2);
}

TEST_F(LockTest, AHolderThatDiesWhileWeWaitMakesRoom) {
  const pid_t child = ::fork();
  if (child == 0) {
    DirectoryLock held(directory_, "a", "", 5);
    sleep_s(0.8);
    ::_exit(0);  // without giving the lock up
  }
  while (!exists(path(".a.lock"))) sleep_s(0.01);
  const DirectoryLock held = lock(5);
  EXPECT_EQ(held.epoch(), 2u);
  ::waitpid(child, nullptr, 0);
}

TEST_F(LockTest, AHolderThatSleptFindsOut) {
  const pid_t sleeper = ::fork();
  if (sleeper == 0) {
    DirectoryLock held = lock(0.3);
    ::raise(SIGSTOP);
    sleep_s(0.2);  // its heart beats again, but not in another's file
    const Error error = error_of([&] { held.check(); });
    const bool knows = error.kind() == ErrorKind::kOutput &&
                       std::string(error.what()).find("has taken over") != std::string::npos;
    ::_exit(knows && !held.is_held() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(sleeper, &status, WUNTRACED), sleeper);
  ASSERT_TRUE(WIFSTOPPED(status));
  DirectoryLock second = lock(0.3);
  EXPECT_EQ(second.epoch(), 2u);
  ::kill(sleeper, SIGCONT);
  ASSERT_EQ(::waitpid(sleeper, &status, 0), sleeper);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_NO_THROW(second.check());
}

TEST_F(LockTest, ARemovedLockFileIsPutBack) {
  DirectoryLock held = lock();
  std::filesystem::remove(path(".a.lock"));
  EXPECT_NO_THROW(held.check());
  EXPECT_TRUE(held.is_held());
}

TEST_F(LockTest, ItsHeartBeatsWhateverTheHolderIsAt) {
  const DirectoryLock held = lock();
  set_age(100);
  for (int i = 0; i < 500 && *modified_s(path(".a.lock")) < wall_s() - 50; ++i) sleep_s(0.01);
  EXPECT_GT(*modified_s(path(".a.lock")), wall_s() - 50);
}

TEST_F(LockTest, AHeartDoesNotBeatInTheFileOfAnother) {
  const DirectoryLock held = lock();
  write_lock("elsewhere", 1, 2);
  set_age(100);
  sleep_s(0.2);
  EXPECT_LT(*modified_s(path(".a.lock")), wall_s() - 50);
}

TEST_F(LockTest, AFileThatSaysNothingIsReplacedByAge) {
  std::ofstream(path(".a.lock")) << "";
  set_age(60);
  EXPECT_TRUE(lock(10).is_held());
}

TEST_F(LockTest, OfManyThatReplaceADeadHolderOneRemains) {
  write_lock(host_name(), dead_pid(), 3);
  std::vector<pid_t> children;
  for (int i = 0; i < 5; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        DirectoryLock held(directory_, "a", "", 0.6);
        sleep_s(2.5);
        held.check();
        ::_exit(1);
      } catch (const Error&) {
        ::_exit(0);
      }
    }
    children.push_back(child);
  }
  int n_holders = 0;
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    n_holders += WEXITSTATUS(status);
  }
  EXPECT_EQ(n_holders, 1);
}

}  // namespace
}  // namespace orchard::store
