#pragma once
// Rank 0's book of who works, and its rule for who joins whom.

#include <deque>
#include <map>
#include <vector>

#include "messages.hpp"
#include "orchard/run/layout.hpp"

namespace orchard::run {

/// Local.
class Workforce {
 public:
  explicit Workforce(int n_ranks);

  /// The rank is told something to do.
  void employ(int rank);
  /// Rank 0 itself is done.
  void release(int rank);
  /// A worker waits; it is idle unless more was sent to it than it has done.
  void take(int rank, const IdleMessage& message);

  bool is_idle(int rank) const { return ranks_[static_cast<std::size_t>(rank)].is_idle; }
  std::vector<int> idle() const;    ///< ascending
  std::vector<int> unused() const;  ///< never told anything to do, ascending
  std::uint64_t n_group_bytes() const;
  std::uint64_t n_group_trees() const;

 private:
  struct Rank {
    bool is_idle = false;
    std::int64_t n_commands = 0;
    IdleMessage last;
  };
  void set_idle(Rank& rank);

  std::vector<Rank> ranks_;
  std::size_t n_idle_ = 0;
};

/// Of the ranks that are ready, the first on the node with the least work under way. `work_s`: by
/// node; without entry 0. `node_of_rank`: as in Layout.
int first_on_least_busy_node(const std::deque<int>& ready, std::map<int, double> work_s,
                             const std::vector<int>& node_of_rank);

/// A fit under way.
struct RunningFit {
  std::vector<int> ranks;  ///< the leader first
  double left_s = 0;       ///< that one rank would still need, as far as is known; positive
};

/// Which of the running fits should go on with more ranks: each idle rank goes to the fit led on
/// its node that would last longest. A fit is built again for that, so its group grows by half at
/// least. By task, as is what is returned: their ranks then.
std::map<std::int32_t, std::vector<int>> enlarged(const std::map<std::int32_t, RunningFit>& running,
                                                  const std::vector<int>& idle,
                                                  const Layout& layout);

}  // namespace orchard::run
