#pragma once
// One job at a time on one checkpoint place. Works where kernel locks do not (NFS, Lustre): a small
// file names the holder, and its time of change is the holder's heartbeat.

#include <cstdint>
#include <optional>
#include <string>

#include "orchard/base/ticker.hpp"

namespace orchard::store {

/// Holds "<directory>/.<file>.lock" for its lifetime. Used by rank 0 alone. Local.
///
/// A thread of the lock renews the file's time while the process lives, whatever that is at; a
/// stopped process does not, nor does one whose place was taken.
///
/// Who finds a holder waits up to `patience_s` for it to go: ranks outlive a killed launcher by a
/// second. A holder on this host whose process is dead is replaced at once, any other when its
/// heartbeat is older than `patience_s`; each replacement raises the epoch in the file, so a holder
/// that was only asleep finds out at its next `check`. Between two that replace the same holder in
/// the same instant the later one wins, and `check` tells the other.
class DirectoryLock {
 public:
  /// `job` describes the holder to people ("Slurm job 4711", or ""). Throws kResume naming the
  /// holder's host, process, job and heartbeat when it lives, kOutput when files cannot be made.
  DirectoryLock(const std::string& directory, const std::string& file, const std::string& job,
                double patience_s = 10);
  /// Gives the place up, if it is still ours.
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

  /// Throws kOutput when another job has taken the place over.
  void check();
  /// Whether the place is still ours.
  bool is_held() const;
  /// How many holders before us were replaced, plus one.
  std::uint64_t epoch() const { return epoch_; }

 private:
  struct Holder;
  void acquire();
  void beat() const;
  bool replace(const Holder& holder);
  [[noreturn]] void refuse(const Holder& holder, double heartbeat_age_s) const;

  std::string directory_, path_, job_, content_;
  double patience_s_;
  std::uint64_t epoch_ = 1;
  std::optional<Ticker> heart_;
};

}  // namespace orchard::store
