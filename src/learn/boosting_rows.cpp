#include "boosting_rows.hpp"

#include <algorithm>

namespace orchard::learn::boosting {
namespace {

constexpr std::size_t kLeastRowsInPart = 2048;
constexpr std::uint32_t kRowsBetweenPolls = 1U << 20;

}  // namespace

std::uint32_t n_rows(const Segments& segments) {
  std::uint32_t sum = 0;
  for (const Segment& segment : segments) sum += segment.size();
  return sum;
}

RowPartition::RowPartition(std::span<const RowIndex> rows, parallel::Pool& pool)
    : all_rows_(rows), pool_(pool), list_(rows.size() + kReadAhead), scratch_(rows.size() + 1) {
  const std::size_t n_parts = std::clamp<std::size_t>(rows.size() / kLeastRowsInPart, 1,
                                                      static_cast<std::size_t>(pool.n_threads()));
  for (std::size_t part = 0; part < n_parts; ++part) {
    root_.push_back({static_cast<std::uint32_t>(rows.size() * part / n_parts),
                     static_cast<std::uint32_t>(rows.size() * (part + 1) / n_parts)});
  }
}

Segments RowPartition::reset() {
  for_parts(all_rows_.size(), [&](std::size_t part) {
    const Segment& mine = root_[part];
    std::copy(all_rows_.begin() + mine.begin, all_rows_.begin() + mine.end,
              list_.begin() + mine.begin);
  });
  return root_;
}

std::vector<std::uint32_t> RowPartition::split(const Segments& segments, const Bin* column,
                                               const BinSet& left) {
  std::vector<std::uint32_t> borders(segments.size());
  for_parts(n_rows(segments),
            [&](std::size_t part) { borders[part] = split_part(segments[part], column, left); });
  return borders;
}

// Both sides are written for every row and one cursor advances: no branch to mispredict.
std::uint32_t RowPartition::split_part(const Segment& segment, const Bin* column,
                                       const BinSet& left) {
  std::array<std::uint8_t, 256> goes_left;
  for (int bin = 0; bin < 256; ++bin) {
    goes_left[static_cast<std::size_t>(bin)] = contains(left, bin);
  }
  RowIndex* const list = list_.data();
  RowIndex* const right = scratch_.data() + segment.begin;
  std::uint32_t n_left = segment.begin;
  std::uint32_t n_right = 0;
  for (std::uint32_t at = segment.begin; at < segment.end;) {
    pool_.poll();
    const std::uint32_t stop = at + std::min(segment.end - at, kRowsBetweenPolls);
    for (; at < stop; ++at) {
      const RowIndex row = list[at];
      const std::uint32_t is_left = goes_left[column[row]];
      list[n_left] = row;
      right[n_right] = row;
      n_left += is_left;
      n_right += 1 - is_left;
    }
  }
  std::copy(right, right + n_right, list + n_left);
  return n_left;
}

}  // namespace orchard::learn::boosting
