#include "forest_value_block.hpp"

#include <array>

namespace orchard::learn::values {

Block::Block(const ForestPlan& plan)
    : plan_(plan),
      numbers_(plan.context.data.n_features() * kListStride),
      bins_(numbers_.size()),
      cells_(kMaxListed),
      values_(kMaxListed) {
  for (const auto& bins : plan.context.data.binning->features) {
    missing_bins_.push_back(static_cast<Bin>(bins.missing_bin()));
  }
  lists_ = {numbers_.data(),      bins_.data(),         cells_.data(),
            missing_bins_.data(), missing_bins_.size(), 0};
}

void Block::start(const TreeRows& rows, std::size_t begin, std::size_t end) {
  lists_.n_rows = end - begin;
  for (std::size_t i = 0; i < lists_.n_rows; ++i) {
    cells_[i] = rows.cell(begin + i);
    values_[i] = rows.value(begin + i);
  }
  for (std::size_t f = 0; f < missing_bins_.size(); ++f) sort(rows, begin, lists_.n_rows, f);
}

/// Counting sort.
void Block::sort(const TreeRows& rows, std::size_t begin, std::size_t n_rows, std::size_t feature) {
  std::array<std::uint16_t, 257> place;
  const std::size_t n_slots = std::size_t{missing_bins_[feature]} + 1;
  std::fill_n(place.begin(), n_slots + 1, std::uint16_t{0});
  std::array<Bin, kMaxListed> bins;
  for (std::size_t i = 0; i < n_rows; ++i) {
    bins[i] = rows.bins(begin + i)[feature];
    ++place[bins[i] + 1U];
  }
  std::uint16_t before = 0;
  for (std::size_t slot = 0; slot < n_slots; ++slot)
    place[slot] = before = static_cast<std::uint16_t>(before + place[slot]);
  std::uint8_t* const numbers = numbers_.data() + feature * kListStride;
  Bin* const sorted = bins_.data() + feature * kListStride;
  for (std::size_t i = 0; i < n_rows; ++i) {
    const std::size_t to = place[bins[i]]++;
    numbers[to] = static_cast<std::uint8_t>(i);
    sorted[to] = bins[i];
  }
}

}  // namespace orchard::learn::values
