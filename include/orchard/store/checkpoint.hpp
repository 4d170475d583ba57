#pragma once
// Checkpoints: an HDF5 image built in memory, written, verified and renamed by our own file class.
// A job killed at any instant finds the newest one that verifies.

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "orchard/search/snapshot.hpp"
#include "orchard/store/lock.hpp"

namespace orchard::store {

/// What must be equal for a checkpoint to be continued: name and value of everything that can
/// change a result (settings, seed, data digest, format), in a fixed order.
using JobIdentity = std::vector<std::pair<std::string, std::string>>;

struct CheckpointPlace {
  std::string directory;       ///< made when missing
  std::string file;            ///< base name: FILE-<UTC>-<sequence>.h5, FILE.h5 is the latest
  std::int64_t max_files = 3;  ///< numbered files kept, at least 1
  double patience_s = 10;      ///< how long another holder of the place is waited for
};

/// Used by rank 0 alone. Local.
class CheckpointStore {
 public:
  /// Makes the directory and checks that it can be written (throws kOutput), takes its lock (throws
  /// kResume when another job is at work there), removes temporary files of dead runs.
  CheckpointStore(CheckpointPlace place, JobIdentity identity);

  /// Publishes `snapshot`: image, unique temporary name, write, fsync, re-read and verify, rename,
  /// fsync of the directory, renew FILE.h5, then delete down to max_files. Returns the bytes
  /// written. Throws kOutput naming path, reason and free space; what was there before stays valid
  /// and no temporary file is left. Also kOutput when another job has taken the place over
  /// (`owns_place` is false then, and this job should end).
  std::size_t save(const search::Snapshot& snapshot);

  /// The newest checkpoint (greatest inner sequence number) that verifies, or nothing when there is
  /// none. Files passed over are named with their fault in `passed_over`. `resume`: "auto", or a
  /// file that must serve (else kNoCheckpoint). When files exist and none verifies: kNoCheckpoint,
  /// naming each. A valid one of another identity: kResume, naming each item with old and new
  /// value; one of another format: kResume, naming both. "none" gives nothing.
  std::optional<search::Snapshot> load(const std::string& resume,
                                       std::vector<std::string>& passed_over);

  bool owns_place() const { return lock_->is_held(); }

  /// Path and sequence of the last checkpoint saved or loaded.
  const std::string& last_path() const { return last_path_; }
  std::uint64_t last_sequence() const { return last_sequence_; }

 private:
  search::Snapshot accept(const std::string& path);
  std::optional<search::Snapshot> load_newest(std::vector<std::string>& passed_over);
  std::uint64_t next_sequence() const;
  void remove_old_files();

  CheckpointPlace place_;
  JobIdentity identity_;
  std::unique_ptr<DirectoryLock> lock_;
  std::set<std::string> damaged_;  ///< paths passed over: neither counted nor removed
  std::string last_path_;
  std::uint64_t last_sequence_ = 0;
};

}  // namespace orchard::store
