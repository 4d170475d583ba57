#include "first_bins.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "orchard/base/error.hpp"

namespace orchard::data {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::size_t kBlockValues = 2048;

/// Cuts at the ranks i (n - 1) / max_bins, midway where a rank falls between two values, equal
/// neighbours merged (numpy.percentile with method "midpoint", as scikit-learn uses it).
std::vector<float> quantile_cuts(std::span<const float> sorted, std::size_t max_bins) {
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

float cut_between(float left, float right) {
  const auto middle = static_cast<float>((static_cast<double>(left) + right) / 2);
  return middle >= right ? left : middle;
}

FirstBins::FirstBins(std::span<const float> sorted, bool is_everything, int max_bins)
    : max_bins_(static_cast<std::size_t>(max_bins)) {
  for (auto at = sorted.begin(); at != sorted.end() && run_values_.size() <= max_bins_;) {
    const auto end = std::upper_bound(at, sorted.end(), *at);
    run_values_.push_back(*at);
    run_lengths_.push_back(static_cast<std::size_t>(end - at));
    at = end;
  }
  if (run_values_.size() <= max_bins_) {
    guess_distinct(run_values_);
  } else {
    guess_quantiles(sorted);
  }
  if (is_everything || !is_distinct_) {
    run_values_ = {};
    run_lengths_ = {};
  }
}

void FirstBins::guess_distinct(std::vector<float> values) {
  is_distinct_ = true;
  cuts_.clear();
  for (std::size_t i = 1; i < values.size(); ++i) {
    cuts_.push_back(cut_between(values[i - 1], values[i]));
  }
  if (values.empty()) values = {kInfinity};  // a bin that no row falls into
  lowest_ = values;
  highest_ = std::move(values);
  if (lowest_.front() == kInfinity) highest_.front() = -kInfinity;
  known_.emplace(lowest_, highest_);
}

void FirstBins::guess_quantiles(std::span<const float> sorted) {
  is_distinct_ = false;
  cuts_ = quantile_cuts(sorted, max_bins_);
  lowest_.assign(cuts_.size() + 1, kInfinity);
  highest_.assign(cuts_.size() + 1, -kInfinity);
  std::vector<float> borders = cuts_;  // where an empty interval lies
  borders.push_back(cuts_.empty() ? kInfinity : cuts_.back());
  auto begin = sorted.begin();
  for (std::size_t bin = 0; bin < lowest_.size(); ++bin) {
    const auto end =
        bin < cuts_.size() ? std::upper_bound(begin, sorted.end(), cuts_[bin]) : sorted.end();
    if (begin == end) continue;
    lowest_[bin] = *begin;
    highest_[bin] = borders[bin] = end[-1];
    begin = end;
  }
  known_.emplace(lowest_, borders);
}

void FirstBins::put(std::span<const float> values, Bin* out) {
  std::array<std::uint16_t, kBlockValues> outside;
  for (std::size_t begin = 0; begin < values.size(); begin += kBlockValues) {
    const auto block = values.subspan(begin, std::min(kBlockValues, values.size() - begin));
    const std::size_t n_outside =
        known_->bins_of(block, first_missing_bin(), out + begin, outside.data());
    if (n_outside == 0) continue;
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < n_outside; ++i) note(block[outside[i]], out + begin + outside[i]);
  }
}

void FirstBins::note(float value, Bin* bin) {
  if (is_distinct_) {
    const auto at = std::lower_bound(strays_.begin(), strays_.end(), value);
    const bool is_new = at == strays_.end() || *at != value;
    if (is_new && strays_.size() <= max_bins_) strays_.insert(at, value);
    return;
  }
  const auto place = std::lower_bound(cuts_.begin(), cuts_.end(), value) - cuts_.begin();
  *bin = static_cast<Bin>(place);
  float& lowest = lowest_[static_cast<std::size_t>(place)];
  float& highest = highest_[static_cast<std::size_t>(place)];
  lowest = std::min(lowest, value);
  highest = std::max(highest, value);
}

bool FirstBins::revise() {
  if (strays_.empty()) return false;
  if (run_values_.size() + strays_.size() <= max_bins_) {
    std::vector<float> all(run_values_.size() + strays_.size());
    std::merge(run_values_.begin(), run_values_.end(), strays_.begin(), strays_.end(), all.begin());
    guess_distinct(std::move(all));
  } else {
    std::vector<float> sorted;
    for (std::size_t i = 0; i < run_values_.size(); ++i) {
      sorted.insert(sorted.end(), run_lengths_[i], run_values_[i]);
    }
    guess_quantiles(sorted);
  }
  strays_ = {};
  return true;
}

FeatureBins FirstBins::settle() const {
  FeatureBins bins;
  for (std::size_t bin = 0; bin < lowest_.size(); ++bin) {
    if (!is_occupied(bin)) continue;
    if (!bins.bin_max.empty()) {
      bins.cuts.push_back(cut_between(bins.bin_max.back(), lowest_[bin]));
    }
    bins.bin_min.push_back(lowest_[bin]);
    bins.bin_max.push_back(highest_[bin]);
  }
  if (bins.bin_min.empty()) bins.bin_min = bins.bin_max = {0.0f};
  bins.n_bins = static_cast<int>(bins.bin_min.size());
  return bins;
}

std::vector<Bin> FirstBins::renumbering() const {
  std::vector<Bin> bin_of_first;
  Bin next = 0;
  for (std::size_t bin = 0; bin < lowest_.size(); ++bin) {
    bin_of_first.push_back(next);
    if (is_occupied(bin)) ++next;
  }
  if (next == lowest_.size()) return {};
  bin_of_first.push_back(std::max<Bin>(next, 1));  // missing
  return bin_of_first;
}

}  // namespace orchard::data
