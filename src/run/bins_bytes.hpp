#pragma once
// Bins of features, as ranks tell them to each other.

#include <vector>

#include "orchard/comm/communicator.hpp"
#include "orchard/data/binning.hpp"

namespace orchard::run {

/// Bins of features by need.
using BinsOfNeeds = std::vector<std::vector<data::FeatureBins>>;

/// Each rank has made the bins of consecutive features, `own`, the same ones for every need, and
/// the ranks follow each other: returns those of all features. Collective.
BinsOfNeeds gather_bins(comm::Communicator& ranks, const BinsOfNeeds& own);

}  // namespace orchard::run
