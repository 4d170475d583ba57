#include "orchard/base/process.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace orchard {
namespace {

/// Whether all copies of the other end of a pipe are closed within that time.
bool is_closed_within(int end, int milliseconds) {
  pollfd wait{end, POLLIN, 0};
  char byte = 0;
  return ::poll(&wait, 1, milliseconds) == 1 && ::read(end, &byte, 1) == 0;
}

/// A process that waits for ever, with a watch or without, and its parent, which ends once it is
/// told to. The pipe is closed when both have ended.
class Orphan {
 public:
  explicit Orphan(bool is_watched) {
    std::array<int, 2> ready{}, go{}, alive{};
    if (::pipe(ready.data()) != 0 || ::pipe(go.data()) != 0 || ::pipe(alive.data()) != 0) {
      ADD_FAILURE() << "no pipes";
    }
    parent_ = ::fork();
    if (parent_ == 0) {
      ::close(go[1]);
      child_of(is_watched, ready[1]);
      char byte = 0;
      [[maybe_unused]] const auto n = ::read(go[0], &byte, 1);
      ::_exit(0);
    }
    ::close(go[0]);
    ::close(alive[1]);
    [[maybe_unused]] const auto n = ::read(ready[0], &child_, sizeof child_);
    ::close(ready[0]);
    ::close(ready[1]);
    go_ = go[1];
    alive_ = alive[0];
  }
  ~Orphan() {
    if (is_child_left_) ::kill(child_, SIGKILL);
    ::close(alive_);
  }

  int alive() const { return alive_; }
  void end_parent() {
    ::close(go_);
    ::waitpid(parent_, nullptr, 0);
    is_child_left_ = !is_closed_within(alive_, 3000);
  }
  bool is_child_left() const { return is_child_left_; }

 private:
  static void child_of(bool is_watched, int ready) {
    if (::fork() != 0) return;
    const auto wait_for_ever = [&] {
      const pid_t self = ::getpid();
      [[maybe_unused]] const auto n = ::write(ready, &self, sizeof self);
      for (;;) ::pause();
    };
    if (is_watched) {
      const ParentWatch watch;
      wait_for_ever();
    }
    wait_for_ever();
  }

  pid_t parent_ = 0, child_ = 0;
  int go_ = -1, alive_ = -1;
  bool is_child_left_ = true;
};

TEST(ParentWatch, EndsAProcessWhoseParentIsGone) {
  Orphan watched(true);
  EXPECT_FALSE(is_closed_within(watched.alive(), 500)) << "the parent lives";
  watched.end_parent();
  EXPECT_FALSE(watched.is_child_left());
}

TEST(ParentWatch, AnUnwatchedProcessWouldStay) {
  Orphan unwatched(false);
  unwatched.end_parent();
  EXPECT_TRUE(unwatched.is_child_left()) << "then the other test proves nothing";
}

}  // namespace
}  // namespace orchard
