#include "cut_points.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "orchard/random/stream.hpp"
#include "sort_floats.hpp"

namespace orchard::data {
namespace {

constexpr std::size_t kRowsBetweenPolls = 65536;
constexpr std::size_t kDrawsPerChunk = 8192;
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

/// The values that are there, in order.
void gather_values(const float* column, std::span<const RowIndex> rows, std::vector<float>& out,
                   parallel::Pool& pool) {
  out.resize(rows.size());
  std::size_t n_values = 0;
  for_blocks(rows.size(), pool, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const float value = column[rows[i]];
      out[n_values] = value;
      n_values += std::isnan(value) ? 0 : 1;
    }
  });
  out.resize(n_values);
}

}  // namespace

std::vector<RowIndex> sample_positions(RowIndex n_rows, std::uint64_t random_state,
                                       parallel::Pool& pool) {
  std::vector<RowIndex> positions;
  if (n_rows <= kMaxSampleRows) {
    positions.resize(n_rows);
    std::iota(positions.begin(), positions.end(), RowIndex{0});
    return positions;
  }
  const random::Stream stream(random_state, random::Purpose::kBinSample, 0);
  std::vector<RowIndex> drawn(kMaxSampleRows);
  pool.for_chunks(kMaxSampleRows, kDrawsPerChunk, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t draw = begin; draw < end; ++draw) {
      const std::uint64_t n_choices = std::uint64_t{n_rows} - kMaxSampleRows + draw + 1;
      drawn[draw] = static_cast<RowIndex>(stream.below(n_choices, draw));
    }
  });
  std::vector<std::uint64_t> is_chosen((std::size_t{n_rows} + 63) / 64, 0);
  for (RowIndex draw = 0; draw < kMaxSampleRows; ++draw) {
    const auto is_taken = (is_chosen[drawn[draw] / 64] >> (drawn[draw] % 64)) & 1;
    const RowIndex position = is_taken != 0 ? n_rows - kMaxSampleRows + draw : drawn[draw];
    is_chosen[position / 64] |= std::uint64_t{1} << (position % 64);
  }
  positions.reserve(kMaxSampleRows);
  for_blocks(is_chosen.size(), pool, [&](std::size_t begin, std::size_t end) {
    for (std::size_t word = begin; word < end; ++word) {
      for (std::uint64_t bits = is_chosen[word]; bits != 0; bits &= bits - 1) {
        positions.push_back(
            static_cast<RowIndex>(word * 64 + static_cast<std::size_t>(std::countr_zero(bits))));
      }
    }
  });
  return positions;
}

bool sorted_sample(const float* column, std::span<const RowIndex> rows,
                   std::span<const RowIndex> sample, int max_bins, std::vector<float>& values,
                   std::vector<float>& scratch, parallel::Pool& pool) {
  gather_values(column, sample, values, pool);
  bool is_everything = sample.size() == rows.size();
  if (!is_everything && values.size() < kMinSamplePerBin * static_cast<std::size_t>(max_bins)) {
    gather_values(column, rows, values, pool);
    is_everything = true;
  }
  sort_floats(values, scratch);
  return is_everything;
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
