#pragma once
// The table of a job, read and split: where `search`, `train` and `plan` begin.

#include <string>
#include <vector>

#include "orchard/data/folds.hpp"
#include "orchard/run/fold_store.hpp"
#include "orchard/run/table_loader.hpp"
#include "orchard/search/plan.hpp"
#include "session.hpp"

namespace orchard::app {

/// What the data say about a job, before anything is trained: also the beginning of `plan`.
struct PreparedData {
  run::LoadedTable loaded;
  std::vector<data::Fold> folds;  ///< of the cross-validation
  data::Fold refit_rows;          ///< what the refit (or `train`) is fitted on
  search::DataShape shape;
  std::string fold_digest;
};

/// Reads the table and splits it. Collective.
PreparedData prepare_data(Session& session);

/// Every (fold, binning) that the plan's families need.
std::vector<run::FoldNeed> fold_needs(const std::vector<search::Family>& families,
                                      const std::vector<data::Fold>& folds);

}  // namespace orchard::app
