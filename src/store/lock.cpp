#include "orchard/store/lock.hpp"

#include <algorithm>
#include <optional>

#include "orchard/base/clock.hpp"
#include "orchard/base/directory.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/file.hpp"
#include "orchard/base/log.hpp"
#include "orchard/base/process.hpp"
#include "orchard/base/text.hpp"

namespace orchard::store {
namespace {

constexpr double kLookEvery_s = 0.1;
constexpr double kShortestBeat_s = 0.01, kLongestBeat_s = 1;

/// Now on the clock that stamps files in `directory`, which may be another machine's.
double directory_now_s(const std::string& directory) {
  const AtomicFile probe(directory + "/now");
  return modified_s(probe.temporary_path()).value_or(wall_s());
}

}  // namespace

/// What a lock file says. A file that cannot be understood has an unknown holder, which only its
/// age can remove.
struct DirectoryLock::Holder {
  std::string host, job;
  std::int64_t pid = 0;
  std::uint64_t epoch = 0;

  static std::string text(const std::string& host, std::int64_t pid, std::uint64_t epoch,
                          const std::string& job) {
    return format("host {}\npid {}\nepoch {}\njob {}\n", host, pid, epoch, job);
  }
  static std::optional<Holder> read(const std::string& path) {
    std::string content;
    try {
      content = read_text(path);
    } catch (const Error&) {
      return std::nullopt;
    }
    Holder holder;
    for (const auto& line : split(content, '\n')) {
      const auto blank = line.find(' ');
      if (blank == std::string::npos) continue;
      const std::string key = line.substr(0, blank), value = line.substr(blank + 1);
      if (key == "host") holder.host = value;
      if (key == "job") holder.job = value;
      if (key == "pid") holder.pid = parse_int(value).value_or(0);
      if (key == "epoch") holder.epoch = static_cast<std::uint64_t>(parse_int(value).value_or(0));
    }
    return holder;
  }
  bool is_dead_here() const { return host == host_name() && pid > 0 && !is_process_alive(pid); }
};

DirectoryLock::DirectoryLock(const std::string& directory, const std::string& file,
                             const std::string& job, double patience_s)
    : directory_(directory),
      path_(format("{}/.{}.lock", directory, file)),
      job_(escape(job, 200)),
      patience_s_(patience_s) {
  acquire();
  heart_.emplace(std::clamp(patience_s_ / 8, kShortestBeat_s, kLongestBeat_s), [this] {
    beat();
    return true;
  });
}

DirectoryLock::~DirectoryLock() {
  heart_.reset();
  try {
    if (is_held()) remove_file(path_);
  } catch (const std::exception&) {
    // A lock that stays behind is replaced by the next job: its holder is dead.
  }
}

void DirectoryLock::acquire() {
  const double begin_s = monotonic_s();
  for (;; sleep_s(kLookEvery_s)) {
    epoch_ = 1;
    content_ = Holder::text(host_name(), process_id(), epoch_, job_);
    if (publish_new(path_, content_)) return;
    const auto holder = Holder::read(path_);
    const auto heartbeat_s = modified_s(path_);
    if (!holder || !heartbeat_s) continue;  // gone in this moment: try again
    const double age_s = directory_now_s(directory_) - *heartbeat_s;
    if (holder->is_dead_here() || age_s > patience_s_) {
      if (replace(*holder)) return;
      continue;
    }
    // A heart that has just stopped is given the time to prove it; a beating one is not.
    const bool is_beating = age_s < 0.3 * patience_s_;
    if (monotonic_s() - begin_s >= patience_s_ && is_beating) refuse(*holder, age_s);
  }
}

bool DirectoryLock::replace(const Holder& holder) {
  epoch_ = holder.epoch + 1;
  content_ = Holder::text(host_name(), process_id(), epoch_, job_);
  AtomicFile file(path_);
  file.write(content_);
  file.publish();
  sleep_s(kLookEvery_s);  // whoever saw the same dead holder has replaced it by now
  if (!is_held()) return false;
  log::info(
      format("took over the checkpoint place {} from process {} on {}, which is gone or silent",
             directory_, holder.pid, escape(holder.host)));
  return true;
}

void DirectoryLock::refuse(const Holder& holder, double heartbeat_age_s) const {
  const std::string job = holder.job.empty() ? "" : format(", {}", escape(holder.job));
  throw Error(ErrorKind::kResume,
              format("another job is at work here: process {} on {}{}, last heard of {:.1f} s ago",
                     holder.pid, escape(holder.host), job, heartbeat_age_s),
              path_, "Wait for it, stop it, or use another checkpoint_dir or checkpoint_file.");
}

void DirectoryLock::beat() const {
  try {
    if (is_held()) touch(path_);
  } catch (const std::exception&) {
    // A heartbeat that is missed now is made up for by the next.
  }
}

bool DirectoryLock::is_held() const {
  try {
    return exists(path_) && read_text(path_) == content_;
  } catch (const Error&) {
    return false;
  }
}

void DirectoryLock::check() {
  if (is_held()) return;
  // A lock file that somebody removed is put back; two who do so at once still differ.
  if (!exists(path_) && publish_new(path_, content_)) return;
  const auto holder = Holder::read(path_).value_or(Holder{});
  throw Error(
      ErrorKind::kOutput,
      format("another job has taken over this checkpoint place: process {} on {}{}", holder.pid,
             escape(holder.host), holder.job.empty() ? "" : format(", {}", escape(holder.job))),
      path_, "This job was silent for too long and must not write here any more.");
}

}  // namespace orchard::store
