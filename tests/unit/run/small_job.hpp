#pragma once
// A small search over both kinds of learners, run by any number of ranks that are threads.

#include <memory>
#include <vector>

#include "orchard/comm/communicator.hpp"
#include "orchard/data/folds.hpp"
#include "orchard/run/fold_store.hpp"
#include "orchard/run/scheduler.hpp"

namespace orchard::run {

enum class Learners { kBoth, kBoosting };

/// 300 rows of two features, two classes, and a grid of six points on three folds.
class SmallJob {
 public:
  explicit SmallJob(Learners learners = Learners::kBoth);

  /// All scores, fit by fit, after the phase was run by `n_ranks` ranks of two threads. Checkpoints
  /// at every poll go to `saved`; `from` is where to go on, or null.
  std::vector<double> run(int n_ranks, const search::Snapshot* from,
                          std::vector<search::Snapshot>* saved, const Layout& layout = {}) const;

  const data::Table& table() const { return table_; }
  const std::vector<data::Fold>& folds() const { return folds_; }

 private:
  std::vector<FoldNeed> needs() const;
  void run_rank(comm::Communicator& world, const Layout& layout, const search::Snapshot* from,
                std::vector<search::Snapshot>* saved, std::vector<double>& scores) const;

  std::vector<float> a_, b_;
  std::vector<double> target_;
  data::Table table_;
  std::vector<data::Fold> folds_;
  std::vector<std::string> scorers_ = {"accuracy", "neg_log_loss"};
  search::Plan plan_;
};

}  // namespace orchard::run
