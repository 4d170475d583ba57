#pragma once
// Early stopping: who judges, and when a member of a family has had enough.

#include <span>
#include <string>
#include <vector>

#include "boosting/loss.hpp"
#include "orchard/learn/boosting.hpp"
#include "orchard/metric/scorer.hpp"

namespace orchard::learn::boosting {

/// `auto` means: more than 10,000 training rows.
bool stops_early(options::EarlyStopping setting, RowIndex n_train);

/// The validation rows, ascending: ceil(fraction * n_train) of the training rows, or as many as
/// `fraction` says when it is 1 or more. Classification: stratified as scikit-learn's
/// StratifiedShuffleSplit, the training side of each class by greatest remainder, ties to the lower
/// class. Which rows: addressed by (random_state, validation, class), so it does not depend on the
/// number of rounds. Throws kData when no row would be left on one of the sides.
std::vector<RowIndex> choose_validation(const FitContext& context, double fraction);

/// scikit-learn's rule: true when none of the last n_iter_no_change scores is greater than the one
/// before them plus `tol`. `scores` begins with the constant model.
bool should_stop(std::span<const double> scores, std::int64_t n_iter_no_change, double tol);

/// Judges raw predictions on the validation rows, or on all training rows when no rows are held
/// out. (scikit-learn scores on a sample of 10,000 training rows then; here it is all of them.)
class Judge {
 public:
  /// `rows`: of the whole fold. `context` is borrowed.
  Judge(const FitContext& context, const std::string& scoring, const TrainingRows& rows,
        int value_exponent);
  /// Greater is better. `raw`: [n_outputs][n_train] of the own rows after `n_rounds`. Throws kData
  /// with the scorer's reason when the score is undefined. Collective over the context's group.
  double score(std::span<const std::int64_t> raw, std::size_t n_rounds);

 private:
  void collect(std::span<const std::int64_t> raw, std::size_t begin, std::size_t end,
               std::int64_t* sums) const;
  std::vector<std::int64_t> collect_all(std::span<const std::int64_t> raw) const;

  const FitContext& context_;
  std::string scoring_;
  std::vector<RowIndex> rows_;  // of the whole fold
  model::Link link_;
  std::vector<double> target_, weight_, predictions_;
};

/// The members of a family on their one curve of scores.
class Members {
 public:
  Members(std::vector<BoostingMember> members, bool stops_early);
  /// Members that have all their rounds after round `scores.size() - 1` (early stopping) or
  /// `n_rounds`, in member order, and were not finished before.
  std::vector<std::size_t> finished_by(int n_rounds, std::span<const double> scores) const;
  void finish(std::span<const std::size_t> members, int n_rounds);
  bool are_done() const { return n_running_ == 0; }
  /// Throws kInternal when it has not stopped.
  int n_rounds(std::size_t member) const;

 private:
  std::vector<BoostingMember> members_;
  bool stops_early_;
  std::vector<int> n_rounds_;  // -1 while running
  std::size_t n_running_;
};

}  // namespace orchard::learn::boosting
