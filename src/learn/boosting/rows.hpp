#pragma once
// Which rows are in which node: every part of the rows (a thread's share) keeps its own list,
// so that a split needs no exchange between threads.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "boosting/hands.hpp"
#include "boosting/partition_kernel.hpp"
#include "orchard/base/types.hpp"

namespace orchard::learn::boosting {

inline bool contains(const BinSet& set, int bin) {
  return (set[static_cast<std::size_t>(bin) / 64] >> (bin % 64) & 1) != 0;
}
inline void insert(BinSet& set, int bin) {
  set[static_cast<std::size_t>(bin) / 64] |= std::uint64_t{1} << (bin % 64);
}

/// Rows of a node in one part: [begin, end) of the list of all rows.
struct Segment {
  std::uint32_t begin = 0, end = 0;
  std::uint32_t size() const { return end - begin; }
};
/// One segment a part.
using Segments = std::vector<Segment>;

/// Local. What is in a node does not depend on the number of parts, only the order of its list
/// does. Different nodes can be split at the same time.
class RowPartition {
 public:
  /// Parts of about equal size, at most `n_threads`; `rows` ascending, borrowed.
  RowPartition(std::span<const RowIndex> rows, int n_threads);

  int n_parts() const { return static_cast<int>(root_.size()); }
  /// Those of the root.
  std::span<const RowIndex> rows_of_part(std::size_t part) const {
    return all_rows_.subspan(root_[part].begin, root_[part].size());
  }
  /// Puts all rows back into the root.
  Segments reset(const Hands& hands);
  std::span<const RowIndex> rows(const Segment& segment) const {
    return {list_.data() + segment.begin, segment.size()};
  }
  /// Moves the rows whose bin is in `left` to the front of each segment, keeping their order, and
  /// returns the borders: left is [begin, border). `column`: bins of all rows.
  std::vector<std::uint32_t> split(const Segments& segments, const Bin* column, const BinSet& left,
                                   const Hands& hands);
  /// Runs body(part) for every part.
  template <class Body>
  void for_parts(const Hands& hands, std::size_t n_steps, const Body& body) const {
    // Waking a sleeping thread takes as long as some ten thousand steps.
    constexpr std::size_t kStepsWorthThreads = 100'000;
    hands.for_chunks(root_.size(), 1, n_steps >= kStepsWorthThreads,
                     [&](std::size_t first, std::size_t last, int) {
                       for (std::size_t part = first; part < last; ++part) body(part);
                     });
  }

 private:
  std::uint32_t split_part(const Segment& segment, const Bin* column, const BinSet& left,
                           const Hands& hands);

  std::span<const RowIndex> all_rows_;
  Segments root_;
  std::vector<RowIndex> list_, scratch_;
};

std::uint32_t n_rows(const Segments& segments);

}  // namespace orchard::learn::boosting
