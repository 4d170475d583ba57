#pragma once
// Bins of features, as ranks tell them to each other.

#include <vector>

#include "orchard/base/bytes.hpp"
#include "orchard/data/binning.hpp"

namespace orchard::run {

void put_bins(ByteWriter& writer, const std::vector<data::FeatureBins>& bins);
/// One feature of those that were put.
data::FeatureBins get_bins(ByteReader& reader);

}  // namespace orchard::run
