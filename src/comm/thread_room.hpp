#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "orchard/comm/communicator.hpp"

namespace orchard::comm {

class ThreadRoom;

/// What the ranks of one run_as_ranks share beyond their rooms: whether one of them has failed, and
/// which have returned. One mutex serves all rooms of a run: these are tests, and a failure must
/// wake everybody.
struct ThreadRun {
  explicit ThreadRun(int n_ranks) : has_left(static_cast<std::size_t>(n_ranks), false) {}
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<std::string> failure;  // "rank 2 failed: ..."
  std::vector<bool> has_left;
};

/// Where the threads of one communicator meet: mailboxes, and slots for collective calls.
class ThreadRoom {
 public:
  /// `members` are the ranks' numbers in the run, in rank order.
  ThreadRoom(std::shared_ptr<ThreadRun> run, std::vector<int> members);

  int size() const { return static_cast<int>(members_.size()); }
  const std::shared_ptr<ThreadRun>& run() const { return run_; }
  const std::vector<int>& members() const { return members_; }

  using Slots = std::shared_ptr<const std::vector<Bytes>>;
  /// Every rank gives bytes and gets those of all. Throws kInternal when ranks call different
  /// operations, when a member failed or has left, and after `deadline_s`.
  Slots exchange(int rank, const std::string& operation, Bytes bytes, double deadline_s);

  void post(int destination, Message message);
  std::optional<Message> take(int rank);

  /// The room of the members that gave the same colour; `colours` is in rank order and the same on
  /// all ranks. Right after an exchange.
  std::shared_ptr<ThreadRoom> part(int rank, const std::vector<int>& colours);
  /// The room of these ranks alone, who all come for it.
  std::shared_ptr<ThreadRoom> subset(const std::vector<int>& ranks);

 private:
  struct Arrival {
    std::string operation;
    Bytes bytes;
  };
  struct Part {
    std::shared_ptr<ThreadRoom> room;
    int n_taken = 0;
  };

  void check_alive() const;
  void finish_exchange();
  /// The ranks that have not arrived, or only those of them that never will.
  std::string missing(bool only_gone) const;

  std::shared_ptr<ThreadRun> run_;  // its mutex guards everything below
  const std::vector<int> members_;
  std::vector<std::deque<Message>> mailboxes_;
  std::vector<std::optional<Arrival>> arrivals_;
  int n_arrived_ = 0;
  std::uint64_t generation_ = 0;
  Slots result_;
  std::optional<std::string> broken_;
  std::map<int, Part> parts_;
  std::map<std::vector<int>, Part> subsets_;  // that some of their ranks have not come for
};

}  // namespace orchard::comm
