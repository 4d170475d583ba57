#pragma once
// Value rows of a tree under construction: nodes with equal values share one row.

#include <algorithm>
#include <span>
#include <vector>

#include "orchard/base/types.hpp"

namespace orchard::learn {

/// Rows are numbered by first use, so equal sequences of calls give equal tables.
class ValueTable {
 public:
  explicit ValueTable(std::size_t width) : width_(width) { clear(); }

  void clear() {
    values_.clear();
    n_rows_ = 0;
    places_.assign(kLeastPlaces, kEmpty);
  }

  /// The number of the row that equals `value` ([width]), added when there is none.
  std::int32_t row(std::span<const std::int64_t> value) {
    if (2 * (n_rows_ + 1) > places_.size()) grow();
    std::size_t place = hash(value) & (places_.size() - 1);
    for (; places_[place] != kEmpty; place = (place + 1) & (places_.size() - 1)) {
      if (std::equal(value.begin(), value.end(), at(places_[place]))) return places_[place];
    }
    places_[place] = static_cast<std::int32_t>(n_rows_++);
    values_.insert(values_.end(), value.begin(), value.end());
    return places_[place];
  }

  /// The same for a row of another table's values; -1 stays -1.
  std::int32_t row_of(const std::vector<std::int64_t>& values, std::int32_t number) {
    if (number < 0) return number;
    return row({values.data() + static_cast<std::size_t>(number) * width_, width_});
  }

  const std::vector<std::int64_t>& values() const { return values_; }

 private:
  static constexpr std::int32_t kEmpty = -1;
  static constexpr std::size_t kLeastPlaces = 64;

  const std::int64_t* at(std::int32_t row) const {
    return values_.data() + static_cast<std::size_t>(row) * width_;
  }
  static std::size_t hash(std::span<const std::int64_t> value) {
    std::uint64_t bits = 0;
    for (const auto v : value) {
      bits = (bits ^ static_cast<std::uint64_t>(v)) * 0x9e3779b97f4a7c15;
      bits ^= bits >> 29;
    }
    return bits;
  }
  void grow() {
    const std::size_t n_places = places_.size() * 2;
    places_.assign(n_places, kEmpty);
    for (std::size_t row = 0; row < n_rows_; ++row) {
      const auto number = static_cast<std::int32_t>(row);
      std::size_t place = hash({at(number), width_}) & (n_places - 1);
      while (places_[place] != kEmpty) place = (place + 1) & (n_places - 1);
      places_[place] = number;
    }
  }

  std::size_t width_;
  std::size_t n_rows_ = 0;
  std::vector<std::int64_t> values_;
  std::vector<std::int32_t> places_;  ///< open addressing, a power of two
};

}  // namespace orchard::learn
