#pragma once
// The ranks that grow one fit together, each on its own share of the rows. What they exchange has
// no order: integer sums, maxima, and choices that all of them make alike.

#include <cstdint>
#include <span>
#include <vector>

#include "orchard/base/bytes.hpp"

namespace orchard::learn {

/// Implemented by whoever communicates. Collective over the group: all members call the same
/// functions in the same order with spans of the same sizes, from thread 0 of their pools. Each may
/// throw Stopped, and then does so on all members at the same call. A fit alone has no group.
class RowGroup {
 public:
  virtual ~RowGroup() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// Replaces each value by its sum over the group.
  virtual void sum(std::span<std::int64_t> values) = 0;
  /// Replaces each value by the greatest in the group. No value is NaN.
  virtual void max(std::span<double> values) = 0;
  /// Sums in parts: afterwards values [borders[rank], borders[rank + 1]) hold sums over the group,
  /// the rest what they held. `borders`: [size + 1], ascending from 0 to values.size().
  virtual void sum_parts(std::span<std::int64_t> values, std::span<const std::size_t> borders) = 0;
  /// What each member has for this one, in rank order, of what each has for every member: [size].
  /// Lengths may differ.
  virtual std::vector<Bytes> exchange(std::vector<Bytes> for_members) = 0;
  /// What each member gave, in rank order. Lengths may differ.
  virtual std::vector<Bytes> all_gather(const Bytes& bytes) = 0;
};

}  // namespace orchard::learn
