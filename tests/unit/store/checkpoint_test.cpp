#include "orchard/store/checkpoint.hpp"

#include "checkpoint_image.hpp"
#include "orchard/h5/builder.hpp"
#include "store_fixture.hpp"

namespace orchard::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;

const JobIdentity kIdentity = {{"job.random_state", "42"}, {"data.train digest", "abc"}};

class CheckpointTest : public StoreTest {
 protected:
  CheckpointStore open(JobIdentity identity = kIdentity, std::int64_t max_files = 3) const {
    return CheckpointStore({directory_, "search", max_files, 0.5}, std::move(identity));
  }
  /// The numbered files, oldest first.
  std::vector<std::string> numbered() const {
    std::vector<std::string> found;
    for (const auto& name : names()) {
      if (name.starts_with("search-")) found.push_back(path(name));
    }
    return found;
  }
  std::optional<search::Snapshot> load(std::vector<std::string>& passed_over,
                                       const std::string& resume = "auto") const {
    auto store = open();
    return store.load(resume, passed_over);
  }
};

TEST_F(CheckpointTest, RoundTrip) {
  std::vector<std::string> passed_over;
  {
    auto store = open();
    EXPECT_FALSE(store.load("auto", passed_over).has_value());
    const std::size_t n_bytes = store.save(example_snapshot());
    EXPECT_EQ(n_bytes, read_file(store.last_path()).size());
    EXPECT_EQ(store.last_sequence(), 1u);
    EXPECT_THAT(store.last_path(), MatchesRegex(".*/search-[0-9]+T[0-9]+Z-000001\\.h5"));
  }
  auto store = open();
  const auto snapshot = store.load("auto", passed_over);
  ASSERT_TRUE(snapshot.has_value());
  expect_equal(*snapshot, example_snapshot());
  EXPECT_EQ(store.last_path(), numbered().at(0));
  EXPECT_THAT(passed_over, ElementsAre());
}

TEST_F(CheckpointTest, AnEmptySnapshotRoundTrips) {
  std::vector<std::string> passed_over;
  auto store = open();
  store.save({});
  expect_equal(*store.load("auto", passed_over), {});
}

TEST_F(CheckpointTest, EqualContentIsEqualBytes) {
  const auto build = [] {
    return image_of([](h5::Builder& builder) {
      write_checkpoint(builder, example_snapshot(), kIdentity, "20260101T000000Z", "host");
    });
  };
  const h5::Image a = build(), b = build();
  EXPECT_TRUE(std::equal(a.bytes().begin(), a.bytes().end(), b.bytes().begin(), b.bytes().end()));
}

TEST_F(CheckpointTest, RotationKeepsTheNewestByInnerSequence) {
  auto store = open(kIdentity, 2);
  for (int i = 0; i < 5; ++i) store.save(example_snapshot(i));
  const auto kept = numbered();
  ASSERT_THAT(kept, SizeIs(2));
  EXPECT_THAT(kept[0], HasSubstr("-000004.h5"));
  EXPECT_THAT(kept[1], HasSubstr("-000005.h5"));
  EXPECT_EQ(read_file(path("search.h5")), read_file(kept[1]));
  EXPECT_THAT(names(), ElementsAre(".search.lock", testing::_, testing::_, "search.h5"));
}

TEST_F(CheckpointTest, MaxFilesBelowOneStillKeepsOne) {
  auto store = open(kIdentity, 0);
  store.save({});
  store.save({});
  EXPECT_THAT(numbered(), SizeIs(1));
}

TEST_F(CheckpointTest, SequenceGoesOnAfterRestartAndIgnoresNamesAndClocks) {
  {
    auto store = open();
    store.save(example_snapshot(1));
    store.save(example_snapshot(2));
  }
  // A clock that ran ahead, and a file that was renamed: only what stands inside counts.
  std::filesystem::rename(numbered().at(0), path("search-20990101T000000Z-000001.h5"));
  std::vector<std::string> passed_over;
  auto store = open();
  expect_equal(*store.load("auto", passed_over), example_snapshot(2));
  EXPECT_EQ(store.last_sequence(), 2u);
  store.save(example_snapshot(3));
  EXPECT_EQ(store.last_sequence(), 3u);
}

TEST_F(CheckpointTest, WalksBackOverDamageAndNamesIt) {
  {
    auto store = open();
    for (int i = 1; i <= 3; ++i) store.save(example_snapshot(i));
  }
  const auto files = numbered();
  flip_bit(files[2], 5000);  // FILE.h5 is the same file by another name
  std::filesystem::resize_file(files[1], 4096);
  std::ofstream(path("search-20260101T000000Z-000009.h5"));  // empty, made by a dying job
  std::vector<std::string> passed_over;
  auto store = open();
  expect_equal(*store.load("auto", passed_over), example_snapshot(1));
  EXPECT_EQ(store.last_path(), files[0]);
  ASSERT_THAT(passed_over, SizeIs(3));
  EXPECT_THAT(passed_over[0], HasSubstr(files[2] + ": is damaged: digest "));
  EXPECT_THAT(passed_over[1], HasSubstr("/search.h5: is damaged: digest "));
  EXPECT_THAT(passed_over[2], HasSubstr(files[1] + ": is damaged: it has 4096 bytes, expected"));
  // Saving goes on behind all of them, and removes neither a damaged one nor the good one.
  store.save(example_snapshot(4));
  EXPECT_EQ(store.last_sequence(), 10u);
  EXPECT_THAT(numbered(), SizeIs(5));
  passed_over.clear();
  expect_equal(*store.load("auto", passed_over), example_snapshot(4));
}

TEST_F(CheckpointTest, AllDamagedIsNoCheckpoint) {
  {
    auto store = open();
    store.save(example_snapshot());
    store.save(example_snapshot());
  }
  for (const auto& file : numbered()) flip_bit(file, 600);
  std::vector<std::string> passed_over;
  const Error error = error_of([&] { load(passed_over); });
  EXPECT_EQ(error.kind(), ErrorKind::kNoCheckpoint);
  for (const auto& file : numbered()) EXPECT_THAT(error.what(), HasSubstr(file));
}

TEST_F(CheckpointTest, TheLatestAloneServes) {
  {
    auto store = open();
    store.save(example_snapshot(1));
  }
  std::filesystem::remove(numbered().at(0));
  std::vector<std::string> passed_over;
  expect_equal(*load(passed_over), example_snapshot(1));
}

TEST_F(CheckpointTest, AFileAskedForMustServe) {
  {
    auto store = open();
    store.save(example_snapshot(1));
    store.save(example_snapshot(2));
  }
  const auto files = numbered();
  std::vector<std::string> passed_over;
  expect_equal(*load(passed_over, files[0]), example_snapshot(1));
  expect_equal(*load(passed_over, std::filesystem::path(files[0]).filename()), example_snapshot(1));
  flip_bit(files[0], 4000);
  const Error damaged = error_of([&] { load(passed_over, files[0]); });
  EXPECT_EQ(damaged.kind(), ErrorKind::kNoCheckpoint);
  EXPECT_THAT(damaged.what(), HasSubstr(files[0] + ": is damaged"));
  const Error absent = error_of([&] { load(passed_over, path("absent.h5")); });
  EXPECT_EQ(absent.kind(), ErrorKind::kNoCheckpoint);
  EXPECT_THAT(absent.what(), HasSubstr("does not exist"));
  EXPECT_FALSE(load(passed_over, "none").has_value());
  EXPECT_THAT(passed_over, ElementsAre());
}

TEST_F(CheckpointTest, AnotherJobIsRefusedItemByItem) {
  {
    auto store = open({{"job.random_state", "42"}, {"data.train digest", "abc"}, {"old", "x"}});
    store.save(example_snapshot());
  }
  std::vector<std::string> passed_over;
  auto store = open({{"data.train digest", "abc"}, {"job.random_state", "43"}, {"new", "y"}});
  const Error error = error_of([&] { store.load("auto", passed_over); });
  EXPECT_EQ(error.kind(), ErrorKind::kResume);
  EXPECT_THAT(error.what(), HasSubstr("job.random_state: '42' -> '43'"));
  EXPECT_THAT(error.what(), HasSubstr("old: 'x' -> (absent)"));
  EXPECT_THAT(error.what(), HasSubstr("new: (absent) -> 'y'"));
  EXPECT_THAT(error.what(), Not(HasSubstr("data.train digest")));
}

TEST_F(CheckpointTest, FilesSwappedBetweenJobsAreRefused) {
  {
    auto store = open();
    store.save(example_snapshot());
  }
  {
    CheckpointStore other({directory_, "other", 3, 0.5}, {{"job.random_state", "7"}});
    other.save(example_snapshot());
    std::filesystem::copy_file(other.last_path(), numbered().at(0),
                               std::filesystem::copy_options::overwrite_existing);
  }
  std::vector<std::string> passed_over;
  const Error error = error_of([&] { load(passed_over); });
  EXPECT_EQ(error.kind(), ErrorKind::kResume);
  EXPECT_THAT(error.what(), HasSubstr("job.random_state: '7' -> '42'"));
}

TEST_F(CheckpointTest, FilesOfJobsWithLongerNamesAreNotOurs) {
  {
    CheckpointStore other({directory_, "search-b", 3, 0.5}, {{"job.random_state", "7"}});
    other.save(example_snapshot());
  }
  std::vector<std::string> passed_over;
  EXPECT_FALSE(load(passed_over).has_value());
}

TEST_F(CheckpointTest, AnotherFormatIsRefusedWithBothVersions) {
  for (const int step : {1, -1}) {
    h5::Builder builder;
    builder.make_group("/from_another_time");
    h5::Image image = builder.finish();
    const auto format = static_cast<std::uint32_t>(static_cast<int>(kCheckpointFormat) + step);
    h5::seal(image, h5::FileKind::kCheckpoint, format, 5);
    write_bytes(path("search-20260101T000000Z-000005.h5"), image.bytes());
    std::vector<std::string> passed_over;
    const Error error = error_of([&] { load(passed_over); });
    EXPECT_EQ(error.kind(), ErrorKind::kResume);
    EXPECT_THAT(error.what(), HasSubstr(step > 0 ? "checkpoint format 3" : "checkpoint format 1"));
    EXPECT_THAT(error.what(), HasSubstr(step > 0 ? "up to 2" : "continues from 2"));
  }
}

TEST_F(CheckpointTest, FilesOfOtherKindsArePassedOver) {
  {
    auto store = open();
    store.save(example_snapshot());
  }
  h5::Builder builder;
  h5::Image image = builder.finish();
  h5::seal(image, h5::FileKind::kModel, 1, 99);
  write_bytes(path("search-20260101T000000Z-000099.h5"), image.bytes());
  std::vector<std::string> passed_over;
  expect_equal(*load(passed_over), example_snapshot());
  ASSERT_THAT(passed_over, SizeIs(1));
  EXPECT_THAT(passed_over[0], HasSubstr("is a model file, expected a checkpoint"));
}

TEST_F(CheckpointTest, AFullDiskKeepsWhatIsThere) {
  {
    auto store = open();
    store.save(example_snapshot());
  }
  const auto before = numbered();
  for (const rlim_t limit : {100, 512, 4096, 8000}) {
    const int code = run_in_child([&] {
      auto store = open();
      limit_files(limit);
      try {
        store.save(example_snapshot(1));
      } catch (const Error& error) {
        const std::string text = error.what();
        const bool names_all = text.find(directory_ + "/search-") != std::string::npos &&
                               text.find("File too large") != std::string::npos &&
                               text.find(" free in ") != std::string::npos;
        return names_all && store.last_sequence() == 0 ? error.exit_code() : 99;
      }
      return 0;
    });
    EXPECT_EQ(code, 6) << "limit " << limit;
    EXPECT_EQ(numbered(), before);
    for (const auto& name : names()) EXPECT_THAT(name, Not(HasSubstr(".tmp")));
  }
  std::vector<std::string> passed_over;
  expect_equal(*load(passed_over), example_snapshot());
}

TEST_F(CheckpointTest, APlaceThatCannotBeMadeIsFoundAtOnce) {
  std::ofstream(path("file")) << "x";
  const Error error = error_of([&] { CheckpointStore({path("file/below"), "a"}, {}); });
  EXPECT_EQ(error.kind(), ErrorKind::kOutput);
}

TEST_F(CheckpointTest, KilledAtAnyInstantLeavesAWholeCheckpoint) {
  {
    auto store = open();
    store.save(example_snapshot(0));
  }
  for (int i = 0; i < 12; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto store = open();
      for (;;) store.save(example_snapshot(0));
    }
    ::usleep(static_cast<useconds_t>(7'000 + 1'700 * i));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    std::vector<std::string> passed_over;
    expect_equal(*load(passed_over), example_snapshot(0));
    EXPECT_THAT(passed_over, ElementsAre());
  }
}

}  // namespace
}  // namespace orchard::store
