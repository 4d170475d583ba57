#include "orchard/store/checkpoint.hpp"

#include <algorithm>

#include "checkpoint_files.hpp"
#include "checkpoint_image.hpp"
#include "orchard/base/clock.hpp"
#include "orchard/base/directory.hpp"
#include "orchard/base/env.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/file.hpp"
#include "orchard/base/log.hpp"
#include "orchard/base/process.hpp"
#include "orchard/base/text.hpp"

namespace orchard::store {
namespace {

constexpr double kStrayAge_s = 60;

std::string job_description() {
  const auto id = env("SLURM_JOB_ID");
  return id ? "Slurm job " + *id : std::string();
}

const std::string* find(const JobIdentity& identity, const std::string& name) {
  for (const auto& [key, value] : identity) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::string shown(const std::string* value) {
  return value == nullptr ? "(absent)" : format("'{}'", escape(*value, 200));
}

/// One line for each item that differs: "name: 'old' -> 'new'".
std::vector<std::string> changes(const JobIdentity& before, const JobIdentity& now) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : before) {
    const std::string* other = find(now, name);
    if (other != nullptr && *other == value) continue;
    lines.push_back(format("  {}: {} -> {}", escape(name), shown(&value), shown(other)));
  }
  for (const auto& [name, value] : now) {
    if (find(before, name) != nullptr) continue;
    lines.push_back(format("  {}: (absent) -> {}", escape(name), shown(&value)));
  }
  return lines;
}

}  // namespace

CheckpointStore::CheckpointStore(CheckpointPlace place, JobIdentity identity)
    : place_(std::move(place)), identity_(std::move(identity)) {
  require(!place_.file.empty() && place_.file.find('/') == std::string::npos,
          "the name of a checkpoint is a file name");
  make_directories(place_.directory);
  check_writable(place_.directory);
  lock_ = std::make_unique<DirectoryLock>(place_.directory, place_.file, job_description(),
                                          place_.patience_s);
  for (const auto& name : remove_stray_temporaries(place_.directory, place_.file, kStrayAge_s)) {
    log::info(format("removed {}/{}, left by a process that is gone", place_.directory, name));
  }
}

std::uint64_t CheckpointStore::next_sequence() const {
  std::uint64_t greatest = last_sequence_;
  for (const auto& file : list_checkpoints(place_)) {
    greatest = std::max({greatest, file.name_sequence, file.sequence.value_or(0)});
  }
  return greatest + 1;
}

std::size_t CheckpointStore::save(const search::Snapshot& snapshot) {
  lock_->check();
  const std::uint64_t sequence = next_sequence();
  const std::string utc = utc_timestamp();
  const std::string path = numbered_path(place_, utc, sequence);
  AtomicFile file(path);
  h5::Builder builder(file);
  write_checkpoint(builder, snapshot, identity_, utc, host_name());
  builder.finish(h5::FileKind::kCheckpoint, kCheckpointFormat, sequence);
  // That may have taken minutes: nobody may have come in between.
  lock_->check();
  file.publish(true);
  last_path_ = path;
  last_sequence_ = sequence;
  publish_second_name(path, latest_path(place_));
  remove_old_files();
  return file.n_bytes();
}

void CheckpointStore::remove_old_files() {
  // The newest is the one just verified. Files that were seen to be damaged, or whose head cannot
  // be read, are kept for whoever wants to look at them, and do not count.
  std::int64_t n_kept = 0;
  for (const auto& file : list_checkpoints(place_)) {
    if (!file.is_numbered || !file.sequence || damaged_.count(file.path) > 0) continue;
    if (n_kept < std::max<std::int64_t>(1, place_.max_files)) {
      ++n_kept;
      continue;
    }
    try {
      remove_file(file.path);
    } catch (const Error& error) {
      log::warning(format("an old checkpoint stays: {}", error.what()));
    }
  }
}

search::Snapshot CheckpointStore::accept(const std::string& path) {
  auto content = read_checkpoint(read_file(path), path);
  const auto lines = changes(content.identity, identity_);
  if (!lines.empty()) {
    throw Error(
        ErrorKind::kResume,
        format("cannot be continued, what it was made from has changed:\n{}\n", join(lines, "\n")),
        path,
        "Undo the change, or start anew: another job.name, output_dir or checkpoint_file, "
        "or resume_from_checkpoint = none.");
  }
  last_path_ = path;
  last_sequence_ = content.sequence;
  return std::move(content.snapshot);
}

std::optional<search::Snapshot> CheckpointStore::load_newest(
    std::vector<std::string>& passed_over) {
  const auto files = list_checkpoints(place_);
  for (const auto& file : files) {
    try {
      return accept(file.path);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kData) throw;
      passed_over.push_back(error.what());
      damaged_.insert(file.path);
    }
  }
  if (files.empty()) return std::nullopt;
  throw Error(ErrorKind::kNoCheckpoint,
              format("none of the {} checkpoints can be used:\n  {}\n", files.size(),
                     join(passed_over, "\n  ")),
              place_.directory,
              "Move them away to start anew, or set resume_from_checkpoint = none.");
}

std::optional<search::Snapshot> CheckpointStore::load(const std::string& resume,
                                                      std::vector<std::string>& passed_over) {
  if (resume == "none") return std::nullopt;
  if (resume == "auto") return load_newest(passed_over);
  std::string path = resume;
  if (!exists(path) && path.find('/') == std::string::npos) path = place_.directory + "/" + path;
  if (!exists(path)) {
    throw Error(ErrorKind::kNoCheckpoint, "the checkpoint asked for does not exist", resume);
  }
  try {
    return accept(path);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kData) throw;
    throw Error(ErrorKind::kNoCheckpoint, error.message(), error.where(),
                "It was asked for by name, so no other is tried; resume_from_checkpoint = auto "
                "takes the newest that is whole.");
  }
}

}  // namespace orchard::store
