#pragma once
// Growing a few units of a job's families to set the cost model right.

#include <vector>

#include "orchard/data/folds.hpp"
#include "orchard/data/table.hpp"
#include "orchard/run/forecast.hpp"

namespace orchard::run {

/// Grows units of the families that weigh most, of different kinds first, for about `budget_s` in
/// all (at least one step of one family), on the training rows of `fold`, or on some of them where
/// one step would take too long. Families that were not grown get what was measured of their kind.
/// Bins the rows for itself. Local.
std::vector<Calibration> calibrate(const std::vector<search::Family>& families,
                                   const data::Table& table, const data::Fold& fold,
                                   std::uint64_t random_state, double budget_s,
                                   parallel::Pool& pool);

}  // namespace orchard::run
