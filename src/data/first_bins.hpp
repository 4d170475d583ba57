#pragma once
// The bins of a numeric feature, guessed from a sample and settled by all training rows.

#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "bin_search.hpp"
#include "orchard/data/binning.hpp"

namespace orchard::data {

/// A training value m with left <= m < right, midway in float32 where that is possible.
float cut_between(float left, float right);

/// Cuts from a sample part the training values; each bin's least and greatest value, and with them
/// the final cuts, come from all of them. Since the sample holds next to all of these already, one
/// search among the known ranges both gives a value's bin and tells that it changes nothing.
class FirstBins {
 public:
  /// `sorted`: the sampled values, ascending, none NaN. `is_everything`: they are all there are.
  FirstBins(std::span<const float> sorted, bool is_everything, int max_bins);

  /// Writes the first bins of training values, `first_missing_bin()` where NaN. Any thread.
  void put(std::span<const float> values, Bin* out);
  Bin first_missing_bin() const { return static_cast<Bin>(highest_.size()); }

  /// After all training values: whether they must be put again because some that the sample lacks
  /// make it wrong that every value is a bin. At most once.
  bool revise();

  /// After all training values: bins without a value dropped, every cut midway between its
  /// neighbours.
  FeatureBins settle() const;
  /// [first_missing_bin() + 1] bins of `settle` for the first bins, or nothing when they agree.
  std::vector<Bin> renumbering() const;

 private:
  void guess_distinct(std::vector<float> values);
  void guess_quantiles(std::span<const float> sorted);
  void note(float value, Bin* bin);
  bool is_occupied(std::size_t bin) const { return lowest_[bin] <= highest_[bin]; }

  std::size_t max_bins_;
  /// The sample as its runs of equal values, while every value may still become a bin.
  std::vector<float> run_values_;
  std::vector<std::size_t> run_lengths_;
  bool is_distinct_ = false;
  std::vector<float> strays_;  ///< distinct values that the sample lacks, ascending, up to max_bins
  std::vector<float> cuts_;
  std::vector<float> lowest_, highest_;  ///< of each bin, over the sample and the values put
  std::optional<IntervalTable> known_;
  std::mutex mutex_;
};

}  // namespace orchard::data
