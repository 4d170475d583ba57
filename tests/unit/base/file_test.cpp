#include "orchard/base/file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "orchard/base/directory.hpp"
#include "orchard/base/process.hpp"

namespace orchard {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FileTest : public ::testing::Test {
 protected:
  FileTest() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    directory_ =
        ::testing::TempDir() + "orchard_file_" + std::to_string(::getpid()) + "_" + info->name();
    std::filesystem::create_directories(directory_);
  }
  ~FileTest() override { std::filesystem::remove_all(directory_); }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  std::string directory_;
};

Error error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(ErrorKind::kInternal, "none");
}

/// Runs `body` in a child whose files may not grow past `limit`; its exit code. The stand-in for a
/// full disk that works everywhere.
int run_with_file_limit(rlim_t limit, const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit bounds{limit, limit};
    ::setrlimit(RLIMIT_FSIZE, &bounds);
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST_F(FileTest, AppearsOnlyWhenPublished) {
  {
    AtomicFile file(path("a.txt"));
    file.write("one ");
    file.write("two");
    EXPECT_FALSE(exists(path("a.txt")));
    EXPECT_TRUE(exists(file.temporary_path()));
    file.publish(true);
  }
  EXPECT_EQ(read_text(path("a.txt")), "one two");
  EXPECT_THAT(list_directory(directory_), ElementsAre("a.txt"));
}

TEST_F(FileTest, IsGoneWhenNotPublished) {
  {
    AtomicFile file(path("a.txt"));
    file.write("lost");
  }
  EXPECT_THAT(list_directory(directory_), ElementsAre());
}

TEST_F(FileTest, TemporaryNamesAreUniqueAndBesideTheFile) {
  AtomicFile first(path("a.txt")), second(path("a.txt"));
  EXPECT_NE(first.temporary_path(), second.temporary_path());
  EXPECT_EQ(directory_of(first.temporary_path()), directory_);
  EXPECT_THAT(first.temporary_path(), HasSubstr("/.a.txt." + host_name() + "."));
}

TEST_F(FileTest, VerifyFindsContentChangedUnderneath) {
  AtomicFile file(path("a.bin"));
  file.write(std::string(5'000'000, 'x'));
  {
    std::fstream other(file.temporary_path(), std::ios::in | std::ios::out | std::ios::binary);
    other.seekp(4'000'000);
    other.put('y');
  }
  const Error error = error_of([&] { file.publish(true); });
  EXPECT_EQ(error.kind(), ErrorKind::kOutput);
  EXPECT_THAT(error.message(), HasSubstr("reads back differently"));
  EXPECT_FALSE(exists(path("a.bin")));
}

TEST_F(FileTest, VerifyOfAFileOutOfOrderGoesByTheDigestThatWasTaken) {
  const std::string block(1000, 'x'), head(100, 'h'), other(10, 'o');
  const auto bytes = [](const std::string& text) { return std::as_bytes(std::span(text)); };
  const auto publish = [&](const std::function<void(AtomicFile&)>& change) {
    AtomicFile file(path("a.bin"));
    file.write_at(1000, bytes(block));
    file.write_at(100, bytes(block));
    file.digest_from(100);
    file.write_at(0, bytes(head));
    change(file);
    file.publish(true);
  };
  publish([](AtomicFile&) {});
  EXPECT_EQ(read_text(path("a.bin")), head + std::string(1900, 'x'));
  publish([&](AtomicFile& file) { file.write_at(95, bytes(other)); });
  EXPECT_EQ(read_text(path("a.bin")), std::string(95, 'h') + other + std::string(1895, 'x'));
  publish([&](AtomicFile& file) { file.keep(1500); });
  EXPECT_EQ(read_text(path("a.bin")), head + std::string(1400, 'x'));
  const Error error = error_of([&] {
    publish([](AtomicFile& file) {
      std::fstream disk(file.temporary_path(), std::ios::in | std::ios::out | std::ios::binary);
      disk.seekp(100);
      disk.put('y');
    });
  });
  EXPECT_THAT(error.message(), HasSubstr("reads back differently"));
}

TEST_F(FileTest, FullDiskKeepsTheOldFileAndLeavesNoTemporary) {
  {
    AtomicFile file(path("a.bin"));
    file.write("old");
    file.publish();
  }
  for (const std::size_t size : {4097, 10'000, 1'000'000}) {
    const int code = run_with_file_limit(4096, [&] {
      try {
        AtomicFile file(path("a.bin"));
        file.write(std::string(100, 'n'));
        file.write(std::string(size - 100, 'n'));
        file.publish();
      } catch (const Error& error) {
        const std::string text = error.what();
        const bool names_all = text.find(path("a.bin")) != std::string::npos &&
                               text.find("File too large") != std::string::npos &&
                               text.find(" free in ") != std::string::npos;
        return names_all ? error.exit_code() : 99;
      }
      return 0;
    });
    EXPECT_EQ(code, 6);
    EXPECT_EQ(read_text(path("a.bin")), "old");
    EXPECT_THAT(list_directory(directory_), ElementsAre("a.bin"));
  }
}

TEST_F(FileTest, UnusablePlacesAreReportedWithTheirReason) {
  std::ofstream(path("file")) << "x";
  const Error error = error_of([&] { AtomicFile file(path("file/below")); });
  EXPECT_EQ(error.kind(), ErrorKind::kOutput);
  EXPECT_THAT(error.what(), HasSubstr("Not a directory"));
  EXPECT_EQ(error_of([&] { make_directories(path("file/below")); }).kind(), ErrorKind::kOutput);
  EXPECT_EQ(error_of([&] { make_directories(path("file")); }).kind(), ErrorKind::kOutput);
  EXPECT_EQ(error_of([&] { check_writable(path("absent")); }).kind(), ErrorKind::kOutput);
  EXPECT_NO_THROW(check_writable(directory_));
  EXPECT_THAT(list_directory(directory_), ElementsAre("file"));
}

TEST_F(FileTest, RenameOntoADirectoryLeavesNothingBehind) {
  make_directories(path("taken/inside"));
  {
    AtomicFile file(path("taken"));
    file.write("x");
    EXPECT_EQ(error_of([&] { file.publish(); }).kind(), ErrorKind::kOutput);
  }
  EXPECT_THAT(list_directory(directory_), ElementsAre("taken"));
}

TEST_F(FileTest, ReadingRefusesWhatIsNoFile) {
  EXPECT_THAT(error_of([&] { read_file(path("absent")); }).what(), HasSubstr("No such file"));
  EXPECT_THAT(error_of([&] { read_file(directory_); }).what(), HasSubstr("is a directory"));
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const Error error = error_of([&] { read_text(path("pipe"), ErrorKind::kUsage); });
  EXPECT_THAT(error.what(), HasSubstr("not a regular file"));
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
}

TEST_F(FileTest, ReadsWholeAndHead) {
  std::ofstream(path("a")) << std::string("ab\0cd", 5);
  EXPECT_EQ(read_text(path("a")), std::string("ab\0cd", 5));
  EXPECT_EQ(read_file_head(path("a"), 2).size(), 2u);
  EXPECT_EQ(read_file_head(path("a"), 100).size(), 5u);
  std::ofstream(path("empty")) << "";
  EXPECT_TRUE(read_file(path("empty")).empty());
}

TEST_F(FileTest, SecondNameReplacesTheOldOne) {
  std::ofstream(path("one")) << "1";
  std::ofstream(path("two")) << "2";
  publish_second_name(path("one"), path("latest"));
  EXPECT_EQ(read_text(path("latest")), "1");
  publish_second_name(path("two"), path("latest"));
  publish_second_name(path("two"), path("latest"));
  EXPECT_EQ(read_text(path("latest")), "2");
  EXPECT_EQ(read_text(path("one")), "1");
  EXPECT_THAT(list_directory(directory_), ElementsAre("latest", "one", "two"));
  EXPECT_EQ(error_of([&] { publish_second_name(path("absent"), path("latest")); }).kind(),
            ErrorKind::kOutput);
  EXPECT_EQ(read_text(path("latest")), "2");
}

TEST_F(FileTest, OnlyOneMakesANewFile) {
  EXPECT_TRUE(publish_new(path("lock"), "first"));
  EXPECT_FALSE(publish_new(path("lock"), "second"));
  EXPECT_EQ(read_text(path("lock")), "first");
  EXPECT_THAT(list_directory(directory_), ElementsAre("lock"));
  EXPECT_EQ(error_of([&] { publish_new(path("absent/lock"), "x"); }).kind(), ErrorKind::kOutput);
}

TEST_F(FileTest, TouchRenewsTheTimeOfChange) {
  std::ofstream(path("a")) << "x";
  const timespec old[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  ::utimensat(AT_FDCWD, path("a").c_str(), old, 0);
  EXPECT_EQ(modified_s(path("a")), 1e9);
  EXPECT_TRUE(touch(path("a")));
  EXPECT_GT(*modified_s(path("a")), 1.5e9);
  EXPECT_FALSE(touch(path("absent")));
  EXPECT_FALSE(modified_s(path("absent")).has_value());
}

TEST_F(FileTest, OnlyOldTemporariesOfDeadProcessesAreRemoved) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  const std::string dead = std::to_string(child), alive = std::to_string(::getpid());
  const std::string host = host_name();
  const std::vector<std::string> names = {
      ".a-b.h5." + host + "." + dead + ".0.tmp",     // the only one to go
      ".a-b.h5." + host + "." + alive + ".0.tmp",    // its owner lives
      ".a-b.h5.elsewhere." + dead + ".0.tmp",        // another host's process
      ".other.h5." + host + "." + dead + ".0.tmp",   // another file
      ".a-young.h5." + host + "." + dead + ".0.tmp"  // too young
  };
  const timespec old[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  for (const auto& name : names) {
    std::ofstream(path(name)) << "x";
    if (name.find("young") == std::string::npos) {
      ::utimensat(AT_FDCWD, path(name).c_str(), old, 0);
    }
  }
  EXPECT_THAT(remove_stray_temporaries(directory_, "a", 60), ElementsAre(names[0]));
  EXPECT_EQ(list_directory(directory_).size(), names.size() - 1);
}

TEST_F(FileTest, DeadProcessesAreSeenAsDeadEvenBeforeTheyAreReaped) {
  EXPECT_TRUE(is_process_alive(::getpid()));
  EXPECT_TRUE(is_process_alive(1));
  EXPECT_FALSE(is_process_alive(0));
  EXPECT_FALSE(is_process_alive(-1));
  EXPECT_FALSE(is_process_alive(std::int64_t{1} << 40));
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  siginfo_t info;
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  EXPECT_FALSE(is_process_alive(child));
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(is_process_alive(child));
}

TEST(PathTest, DirectoryOf) {
  EXPECT_EQ(directory_of("a/b/c"), "a/b");
  EXPECT_EQ(directory_of("c"), ".");
  EXPECT_EQ(directory_of("/c"), "/");
}

}  // namespace
}  // namespace orchard
