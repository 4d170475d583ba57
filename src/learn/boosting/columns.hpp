#pragma once
// From the columns of the row-major copy, which gradient histograms are made of, to the features
// that the search looks at. A bundled feature's sums come back exactly: in its rare bin they are
// those of its code, in the other bin what the node's total leaves.

#include <array>

#include "boosting/rows.hpp"
#include "orchard/data/row_columns.hpp"

namespace orchard::learn::boosting {

/// Slots of a bundled feature: two bins, and the missing bin, which is empty.
template <class Slot>
using BundledSlots = std::array<Slot, 3>;

/// The slots of the feature at `place`, from those of its column and the sum over all rows of the
/// node; in `room` when the feature is bundled. `Slot`: Sums, or packed words.
template <class Slot>
const Slot* feature_slots(const data::RowPlace& place, const Slot* column, const Slot& total,
                          BundledSlots<Slot>& room) {
  if (!place.is_bundled()) return column;
  const Slot& rare = column[place.code];
  const std::size_t usual_bin = 1U - place.rare;
  room[place.rare] = rare;
  room[usual_bin] = total;
  room[usual_bin] -= rare;
  room[2] = {};
  return room.data();
}

/// The bytes of its column with which the feature at `place` is in one of `bins`.
inline BinSet column_bytes(const data::RowPlace& place, const BinSet& bins) {
  if (!place.is_bundled()) return bins;
  BinSet bytes;
  bytes.fill(contains(bins, 1 - place.rare) ? ~std::uint64_t{0} : 0);
  if (contains(bins, place.rare) != contains(bins, 1 - place.rare)) {
    bytes[place.code / 64] ^= std::uint64_t{1} << (place.code % 64);
  }
  return bytes;
}

}  // namespace orchard::learn::boosting
