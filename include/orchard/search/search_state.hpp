#pragma once
// The search as a pure state machine: which task comes next, and what the results so far say. No
// clock, no files, no communicator. Rank 0 owns the only one.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchard/search/cost_scale.hpp"
#include "orchard/search/judge.hpp"
#include "orchard/search/plan.hpp"
#include "orchard/search/results.hpp"
#include "orchard/search/snapshot.hpp"

namespace orchard::search {

/// One phase's tasks and what has come back: cross-validation, or the refit.
class Phase {
 public:
  /// Task ids are `first_id` + place. `families` and the rest are borrowed.
  Phase(const std::vector<Family>& families, std::vector<TaskSpec> tasks, std::int32_t first_id,
        const model::Schema& schema, const std::vector<std::string>& scorers,
        const FoldSource& folds);

  /// Takes back a result of an earlier run; the same as `consume`.
  void restore(TaskResult result) { consume(std::move(result)); }
  /// Tasks that were under way come first.
  void prefer(const std::vector<std::int32_t>& tasks);
  /// The next task to hand out: preferred ones, then longest first, by estimates that what is known
  /// so far of the families' fits has set right; nothing when all are out.
  std::optional<TaskSpec> next_task();
  /// What is known of a task under way: so many trees or rounds have taken so many seconds.
  void observe(std::int32_t task, std::size_t n_units, double fit_s);
  /// Records a result. The last block of a fit scores the fit; block sums are then dropped.
  void consume(TaskResult result);
  bool is_done() const { return n_done_ == tasks_.size(); }
  std::size_t n_done() const { return n_done_; }
  /// Seconds that the whole of a task takes one rank, by its estimate as it is set right so far.
  double expected_s(std::int32_t task) const;
  /// Share of the whole cost, set right as above, that is done, 0 .. 1.
  double done_fraction() const;

  bool has(std::int32_t task) const;
  const TaskSpec& task(std::int32_t id) const { return tasks_[index_of(id)]; }
  const Family& family_of_task(std::int32_t id) const {
    return families_[static_cast<std::size_t>(task(id).family)];
  }
  const std::vector<TaskSpec>& tasks() const { return tasks_; }
  /// Results so far, ascending by task.
  std::vector<const TaskResult*> results() const;
  /// Scores of a finished fit; failure text when nothing came of it.
  struct FitOutcome {
    MemberScores scores;
    std::string failure;
    double fit_s = 0, score_s = 0;
  };
  const FitOutcome& outcome(std::int32_t family, std::int32_t fold) const;
  /// Units of a finished fit in order, moved out.
  std::vector<model::Unit> take_units(std::int32_t family, std::int32_t fold);
  /// The frame that came with the units.
  learn::ModelFrame frame(std::int32_t family, std::int32_t fold) const;

 private:
  using FitKey = std::pair<std::int32_t, std::int32_t>;  // (family, fold)
  std::size_t index_of(std::int32_t id) const;
  std::optional<std::size_t> take_place();
  void note_seconds(std::size_t place, double cost, double seconds);
  void finish_fit(const FitKey& key);
  MemberScores scores_of_blocks(const FitKey& key);

  const std::vector<Family>& families_;
  std::vector<TaskSpec> tasks_;
  std::int32_t first_id_;
  const model::Schema& schema_;
  const std::vector<std::string>& scorers_;
  const FoldSource& folds_;
  std::vector<std::size_t> preferred_;            // places in tasks_, next at the back
  std::vector<std::vector<std::size_t>> queues_;  // of each family, next at the back
  CostScale scale_;
  struct Known {
    double cost = 0, seconds = 0;
  };
  std::vector<Known> known_;  // of each task: how much of it has taken how long
  std::vector<std::optional<TaskResult>> results_;
  std::map<FitKey, std::vector<std::size_t>> blocks_;  // places of a fit's tasks, in tree order
  std::map<FitKey, FitOutcome> outcomes_;
  std::size_t n_done_ = 0;
  std::vector<double> cost_done_, cost_total_;  // by family, as estimated
};

/// The table of a finished cross-validation phase.
Results make_results(const Plan& plan, const Phase& phase, const std::vector<std::string>& scorers,
                     const std::string& refit);

}  // namespace orchard::search
