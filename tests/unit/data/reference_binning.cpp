#include "reference_binning.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "first_bins.hpp"

namespace orchard::data::testing {
namespace {

std::vector<float> quantile_cuts(const std::vector<float>& sorted, std::uint64_t max_bins) {
  std::vector<float> cuts;
  const std::uint64_t n_gaps = sorted.size() - 1;
  for (std::uint64_t i = 1; i < max_bins; ++i) {
    const std::uint64_t rank = i * n_gaps / max_bins;
    const bool is_between = i * n_gaps % max_bins != 0;
    const float cut = cut_between(sorted[rank], sorted[rank + (is_between ? 1 : 0)]);
    if (cuts.empty() || cut > cuts.back()) cuts.push_back(cut);
  }
  return cuts;
}

}  // namespace

FeatureBins reference_bins(const float* column, std::span<const RowIndex> rows,
                           std::span<const RowIndex> sample, int max_bins) {
  std::vector<float> all, sampled;
  for (const RowIndex row : rows) {
    if (!std::isnan(column[row])) all.push_back(column[row]);
  }
  for (const RowIndex position : sample) {
    if (!std::isnan(column[rows[position]])) sampled.push_back(column[rows[position]]);
  }
  if (sampled.size() < 16 * static_cast<std::size_t>(max_bins)) sampled = all;
  std::sort(all.begin(), all.end());
  std::sort(sampled.begin(), sampled.end());
  const std::set<float> distinct(all.begin(), all.end());
  std::vector<float> cuts;
  if (distinct.size() <= static_cast<std::size_t>(max_bins)) {
    cuts.assign(distinct.begin(), distinct.end());
  } else {
    cuts = quantile_cuts(sampled, static_cast<std::uint64_t>(max_bins));
  }
  FeatureBins bins;
  auto at = all.begin();
  for (std::size_t bin = 0; bin <= cuts.size(); ++bin) {
    const auto end = bin < cuts.size() ? std::upper_bound(at, all.end(), cuts[bin]) : all.end();
    if (at == end) continue;
    if (!bins.bin_max.empty()) bins.cuts.push_back(cut_between(bins.bin_max.back(), *at));
    bins.bin_min.push_back(*at);
    bins.bin_max.push_back(end[-1]);
    at = end;
  }
  if (bins.bin_min.empty()) bins.bin_min = bins.bin_max = {0.0f};
  bins.n_bins = static_cast<int>(bins.bin_min.size());
  return bins;
}

}  // namespace orchard::data::testing
