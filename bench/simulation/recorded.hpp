#pragma once
// Tasks that take as long as recorded ones did, and do nothing meanwhile but what ranks ask of
// them.

#include <string>
#include <vector>

#include "orchard/parallel/pool.hpp"
#include "orchard/search/runner.hpp"

namespace orchard::bench {

struct Recorded {
  double cost = 0;  ///< the estimate that hand-out goes by
  std::int32_t n_units = 1;
  double fit_s = 0, score_s = 0;
  std::size_t result_bytes = 0;
};

/// Reads what bench/simulation/record.cpp has written. Throws kData.
std::vector<Recorded> read_recorded(const std::string& path);

/// How long a rank has stood without a task between two of them.
struct Waits {
  std::int64_t n = 0;
  double all_s = 0, longest_s = 0;
  double idle_from_s = -1;  ///< end of the last task; < 0 before the first
};

/// Sleeps in slices of `slice_s`, with a poll after each, as a fit does between its chunks. What
/// the polls take comes on top: a rank that answers others works more slowly.
class RecordedRunner final : public search::Runner {
 public:
  /// All but `recorded` borrowed. Units carry no trees. `speed`: how many times as fast as one rank
  /// the fit grows.
  RecordedRunner(const Recorded& recorded, std::vector<model::Unit> units, double speed,
                 double slice_s, parallel::Pool& pool, Waits& waits);
  ~RecordedRunner() override;

  bool is_done() const override;
  void step() override;
  const std::vector<model::Unit>& units() const override { return units_; }
  std::size_t n_all_units() const override { return static_cast<std::size_t>(recorded_.n_units); }
  search::TaskResult result() override;

 private:
  void pass(double seconds);

  Recorded recorded_;
  std::vector<model::Unit> units_;
  double speed_, slice_s_;
  double left_s_ = 0;  // to be slept; what a sleep was too long is taken off the next
  parallel::Pool& pool_;
  Waits& waits_;
};

}  // namespace orchard::bench
