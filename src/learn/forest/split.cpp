#include "forest/split.hpp"

#include <cmath>

namespace orchard::learn {

void offer(const Candidate& candidate, const OccupiedBins& bins, FeatureIndex feature,
           const data::FeatureBins& feature_bins, Split& split) {
  if (!(candidate.score > split.score)) return;
  split.score = candidate.score;
  split.feature = feature;
  split.is_categorical = feature_bins.kind == model::FeatureKind::kCategorical;
  split.has_missing = bins.has_missing;
  split.is_missing_left = candidate.is_missing_left;
  if (split.is_categorical) {
    split.left.clear();
    split.right.clear();
    for (std::size_t i = 0; i < bins.n; ++i) {
      (i <= candidate.position ? split.left : split.right).insert(bins.bin[i]);
    }
    return;
  }
  const std::size_t next = candidate.position + 1;
  split.left_bin = bins.bin[candidate.position];
  split.right_bin = next < bins.n ? bins.bin[next] : feature_bins.n_bins;
}

int choose_cut(int left_bin, int right_bin, const data::FeatureBins& bins) {
  if (right_bin == bins.n_bins) return bins.n_bins - 1;
  const double low = bins.bin_max[static_cast<std::size_t>(left_bin)];
  const double high = bins.bin_min[static_cast<std::size_t>(right_bin)];
  const double middle = low + (high - low) / 2;
  const auto distance = [&](int cut) {
    return std::abs(static_cast<double>(bins.cuts[static_cast<std::size_t>(cut)]) - middle);
  };
  // The distance falls up to the middle and rises from there on: the winner is the first cut past
  // the middle, or the one before it, or an equal one before that.
  const auto begin = bins.cuts.begin();
  const auto past = std::lower_bound(begin + left_bin, begin + right_bin, middle);
  int best = std::min(static_cast<int>(past - begin), right_bin - 1);
  while (best > left_bin && distance(best - 1) <= distance(best)) --best;
  return best;
}

void fill_sides(const Split& split, int cut, const data::FeatureBins& bins,
                std::array<std::uint8_t, 256>& side) {
  const std::uint8_t missing = split.is_missing_left ? 0 : 1;
  if (!split.is_categorical) {
    const auto first_right = side.begin() + cut + 1;
    std::fill(side.begin(), first_right, std::uint8_t{0});
    std::fill(first_right, side.begin() + bins.n_bins, std::uint8_t{1});
    side[static_cast<std::size_t>(bins.missing_bin())] = missing;
    return;
  }
  side.fill(missing);
  split.left.for_each([&](Bin bin) { side[bin] = 0; });
  split.right.for_each([&](Bin bin) { side[bin] = 1; });
}

}  // namespace orchard::learn
