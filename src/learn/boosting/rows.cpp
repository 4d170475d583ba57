#include "boosting/rows.hpp"

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

RowPartition::RowPartition(std::span<const RowIndex> rows, int n_threads)
    : all_rows_(rows), list_(rows.size()), scratch_(rows.size() + 1) {
  const std::size_t n_parts = std::clamp<std::size_t>(rows.size() / kLeastRowsInPart, 1,
                                                      static_cast<std::size_t>(n_threads));
  for (std::size_t part = 0; part < n_parts; ++part) {
    root_.push_back({static_cast<std::uint32_t>(rows.size() * part / n_parts),
                     static_cast<std::uint32_t>(rows.size() * (part + 1) / n_parts)});
  }
}

Segments RowPartition::reset(const Hands& hands) {
  for_parts(hands, all_rows_.size(), [&](std::size_t part) {
    const Segment& mine = root_[part];
    std::copy(all_rows_.begin() + mine.begin, all_rows_.begin() + mine.end,
              list_.begin() + mine.begin);
  });
  return root_;
}

std::vector<std::uint32_t> RowPartition::split(const Segments& segments, const Bin* column,
                                               const BinSet& left, const Hands& hands) {
  std::vector<std::uint32_t> borders(segments.size());
  for_parts(hands, n_rows(segments), [&](std::size_t part) {
    borders[part] = split_part(segments[part], column, left, hands);
  });
  return borders;
}

std::uint32_t RowPartition::split_part(const Segment& segment, const Bin* column,
                                       const BinSet& left, const Hands& hands) {
  const PartitionKernel partition = partition_kernel();
  RowIndex* const list = list_.data() + segment.begin;
  RowIndex* const right = scratch_.data() + segment.begin;
  Parted parted;
  for (std::uint32_t at = 0; at < segment.size();) {
    hands.poll();
    const std::uint32_t stop = at + std::min(segment.size() - at, kRowsBetweenPolls);
    partition(list, at, stop, column, left, right, parted);
    at = stop;
  }
  std::copy(right, right + parted.n_right, list + parted.n_left);
  return segment.begin + parted.n_left;
}

}  // namespace orchard::learn::boosting
