#include "cut_points.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "bin_search.hpp"
#include "orchard/base/error.hpp"
#include "orchard/random/stream.hpp"
#include "sort_floats.hpp"

namespace orchard::data {
namespace {

constexpr RowIndex kMaxSample = 200'000;
constexpr std::size_t kRowsBetweenPolls = 65536;
// A sample with fewer values a bin than this says too little about a mostly missing feature.
constexpr std::size_t kMinSamplePerBin = 16;

/// Calls body(begin, end) for blocks of [0, n) with a poll before each.
template <class Body>
void for_blocks(std::size_t n, parallel::Pool& pool, Body&& body) {
  for (std::size_t begin = 0; begin < n; begin += kRowsBetweenPolls) {
    pool.poll();
    body(begin, std::min(n, begin + kRowsBetweenPolls));
  }
}

/// Up to `limit` distinct values, by open addressing.
class DistinctValues {
 public:
  explicit DistinctValues(std::size_t limit) : limit_(limit) {
    slots_.fill(std::numeric_limits<float>::quiet_NaN());
  }
  /// False when there are more than `limit`.
  bool add(float value) {
    std::size_t slot = (std::bit_cast<std::uint32_t>(value) * 0x9e3779b1u) >> (32 - kSlotBits);
    while (slots_[slot] != value) {
      if (std::isnan(slots_[slot])) {
        if (values_.size() == limit_) return false;
        slots_[slot] = value;
        values_.push_back(value);
        return true;
      }
      slot = (slot + 1) % slots_.size();
    }
    return true;
  }
  const std::vector<float>& values() const { return values_; }

 private:
  static constexpr int kSlotBits = 10;
  std::size_t limit_;
  std::array<float, std::size_t{1} << kSlotBits> slots_;
  std::vector<float> values_;
};

/// The distinct values of the rows, ascending, or nothing when there are more than `limit`.
std::optional<std::vector<float>> distinct_values(const float* column,
                                                  std::span<const RowIndex> rows, std::size_t limit,
                                                  parallel::Pool& pool) {
  DistinctValues distinct(limit);
  bool is_complete = true;
  for_blocks(rows.size(), pool, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end && is_complete; ++i) {
      const float value = column[rows[i]];
      if (!std::isnan(value)) is_complete = distinct.add(value);
    }
  });
  if (!is_complete) return std::nullopt;
  auto values = distinct.values();
  std::sort(values.begin(), values.end());
  return values;
}

/// Values of the sampled rows, ascending; of all rows where the sample has too few.
std::vector<float> sorted_sample(const float* column, std::span<const RowIndex> rows,
                                 std::span<const RowIndex> sample, int max_bins,
                                 parallel::Pool& pool) {
  std::vector<float> values;
  values.reserve(sample.size());
  for (const RowIndex position : sample) {
    const float value = column[rows[position]];
    if (!std::isnan(value)) values.push_back(value);
  }
  if (sample.size() < rows.size() &&
      values.size() < kMinSamplePerBin * static_cast<std::size_t>(max_bins)) {
    values.clear();
    for_blocks(rows.size(), pool, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        const float value = column[rows[i]];
        if (!std::isnan(value)) values.push_back(value);
      }
    });
  }
  std::vector<float> scratch;
  sort_floats(values, scratch);
  return values;
}

/// Cuts at the ranks i (n - 1) / max_bins, midway where a rank falls between two values, equal
/// neighbours merged (numpy.percentile with method "midpoint", as scikit-learn uses it).
std::vector<float> quantile_cuts(const std::vector<float>& sorted, int max_bins) {
  std::vector<float> cuts;
  const std::uint64_t n_gaps = sorted.size() - 1;
  const auto n_bins = static_cast<std::uint64_t>(max_bins);
  for (std::uint64_t i = 1; i < n_bins; ++i) {
    const std::uint64_t rank = i * n_gaps / n_bins;
    const bool is_between = i * n_gaps % n_bins != 0;
    const float cut = cut_between(sorted[rank], sorted[rank + (is_between ? 1 : 0)]);
    if (cuts.empty() || cut > cuts.back()) cuts.push_back(cut);
  }
  return cuts;
}

struct Occupied {
  std::vector<float> min, max;
};

/// Least and greatest value of each bin over all rows.
Occupied occupied_of(const float* column, std::span<const RowIndex> rows,
                     const std::vector<float>& cuts, parallel::Pool& pool) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const CutTable table(cuts);
  const auto missing = static_cast<Bin>(cuts.size() + 1);
  Occupied out{std::vector<float>(cuts.size() + 2, kInfinity),
               std::vector<float>(cuts.size() + 2, -kInfinity)};
  std::array<float, 4096> values;
  std::array<Bin, 4096> bins;
  for_blocks(rows.size(), pool, [&](std::size_t begin, std::size_t end) {
    for (std::size_t at = begin; at < end; at += values.size()) {
      const std::size_t n_values = std::min(values.size(), end - at);
      for (std::size_t i = 0; i < n_values; ++i) values[i] = column[rows[at + i]];
      table.bins_of({values.data(), n_values}, missing, bins.data());
      for (std::size_t i = 0; i < n_values; ++i) {
        float& least = out.min[bins[i]];
        float& greatest = out.max[bins[i]];
        least = values[i] < least ? values[i] : least;
        greatest = values[i] > greatest ? values[i] : greatest;
      }
    }
  });
  out.min.pop_back();
  out.max.pop_back();
  return out;
}

/// Drops empty bins and puts every cut midway between its neighbours.
FeatureBins settle(const Occupied& occupied) {
  FeatureBins bins;
  for (std::size_t bin = 0; bin < occupied.min.size(); ++bin) {
    if (occupied.min[bin] > occupied.max[bin]) continue;
    if (!bins.bin_max.empty()) {
      bins.cuts.push_back(cut_between(bins.bin_max.back(), occupied.min[bin]));
    }
    bins.bin_min.push_back(occupied.min[bin]);
    bins.bin_max.push_back(occupied.max[bin]);
  }
  if (bins.bin_min.empty()) bins.bin_min = bins.bin_max = {0.0f};
  bins.n_bins = static_cast<int>(bins.bin_min.size());
  return bins;
}

}  // namespace

std::vector<RowIndex> sample_positions(RowIndex n_rows, std::uint64_t random_state,
                                       parallel::Pool& pool) {
  std::vector<RowIndex> positions;
  if (n_rows <= kMaxSample) {
    positions.resize(n_rows);
    std::iota(positions.begin(), positions.end(), RowIndex{0});
    return positions;
  }
  const random::Stream stream(random_state, random::Purpose::kBinSample, 0);
  std::vector<bool> is_chosen(n_rows, false);
  for (RowIndex draw = 0; draw < kMaxSample; ++draw) {
    const RowIndex last = n_rows - kMaxSample + draw;
    const auto position = static_cast<RowIndex>(stream.below(std::uint64_t{last} + 1, draw));
    is_chosen[is_chosen[position] ? last : position] = true;
  }
  positions.reserve(kMaxSample);
  for_blocks(n_rows, pool, [&](std::size_t begin, std::size_t end) {
    for (std::size_t position = begin; position < end; ++position) {
      if (is_chosen[position]) positions.push_back(static_cast<RowIndex>(position));
    }
  });
  return positions;
}

float cut_between(float left, float right) {
  const auto middle = static_cast<float>((static_cast<double>(left) + right) / 2);
  return middle >= right ? left : middle;
}

FeatureBins numeric_bins(const float* column, std::span<const RowIndex> rows,
                         std::span<const RowIndex> sample, int max_bins, parallel::Pool& pool) {
  if (const auto distinct =
          distinct_values(column, rows, static_cast<std::size_t>(max_bins), pool)) {
    return settle({*distinct, *distinct});
  }
  const auto sorted = sorted_sample(column, rows, sample, max_bins, pool);
  return settle(occupied_of(column, rows, quantile_cuts(sorted, max_bins), pool));
}

FeatureBins categorical_bins(const float* column, std::span<const RowIndex> rows,
                             std::size_t n_levels, int max_bins, parallel::Pool& pool) {
  std::vector<RowIndex> n_rows_of_level(n_levels, 0);
  for_blocks(rows.size(), pool, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const float level = column[rows[i]];
      if (!std::isnan(level)) ++n_rows_of_level.at(static_cast<std::size_t>(level));
    }
  });
  FeatureBins bins;
  bins.kind = model::FeatureKind::kCategorical;
  for (std::uint32_t level = 0; level < n_levels; ++level) {
    if (n_rows_of_level[level] > 0) bins.level_of_bin.push_back(level);
  }
  if (bins.level_of_bin.size() > static_cast<std::size_t>(max_bins)) {
    std::stable_sort(
        bins.level_of_bin.begin(), bins.level_of_bin.end(),
        [&](std::uint32_t a, std::uint32_t b) { return n_rows_of_level[a] > n_rows_of_level[b]; });
    bins.level_of_bin.resize(static_cast<std::size_t>(max_bins));
    std::sort(bins.level_of_bin.begin(), bins.level_of_bin.end());
  }
  bins.n_bins = std::max(1, static_cast<int>(bins.level_of_bin.size()));
  bins.bin_of_level.assign(n_levels, static_cast<Bin>(bins.missing_bin()));
  for (std::size_t bin = 0; bin < bins.level_of_bin.size(); ++bin) {
    bins.bin_of_level[bins.level_of_bin[bin]] = static_cast<Bin>(bin);
  }
  bins.level_of_bin.resize(static_cast<std::size_t>(bins.n_bins), 0);
  return bins;
}

}  // namespace orchard::data
