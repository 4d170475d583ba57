#include "forest/value/block.hpp"

#include <algorithm>
#include <array>
#include <memory>

namespace orchard::learn::values {

Block::Block(const ForestPlan& plan) : plan_(plan), cells_(kMaxListed), values_(kMaxListed) {
  for (const auto& bins : plan.context.data.binning->features) {
    missing_bins_.push_back(static_cast<Bin>(bins.missing_bin()));
  }
  lists_.n_features = missing_bins_.size();
  const std::size_t n_places =
      (lists_.n_features + kFeaturesAGroup - 1) / kFeaturesAGroup * kFeaturesAGroup;
  missing_bins_.resize(n_places);
  numbers_.resize(n_places * kListStride);
  bins_.resize(n_places * kListStride);
  scores_.resize((n_places + 1) * kFeaturesAGroup);
  positions_.resize((n_places + 1) * kFeaturesAGroup);
  const auto aligned = [](auto& memory) {
    void* at = memory.data();
    std::size_t space = memory.size() * sizeof memory[0];
    return static_cast<decltype(memory.data())>(std::align(64, space - 64, at, space));
  };
  lists_.numbers = numbers_.data();
  lists_.bins = bins_.data();
  lists_.cells = cells_.data();
  lists_.missing_bins = missing_bins_.data();
  lists_.scores = aligned(scores_);
  lists_.positions = aligned(positions_);
}

void Block::start(const TreeRows& rows, std::size_t begin, std::size_t end) {
  kept_.clear();
  lists_.n_rows = end - begin;
  for (std::size_t i = 0; i < lists_.n_rows; ++i) {
    cells_[i] = rows.cell(begin + i);
    values_[i] = rows.value(begin + i);
  }
  for (std::size_t f = 0; f < lists_.n_features; ++f) sort(rows, begin, lists_.n_rows, f);
}

void Block::keep(std::size_t begin, std::size_t end) {
  const auto keep = [&](const std::uint8_t* list) {
    kept_.insert(kept_.end(), list + begin, list + end);
  };
  for (std::size_t f = 0; f < lists_.n_features; ++f) {
    keep(numbers(f));
    keep(bins(f));
  }
}

void Block::put_back(std::size_t begin, std::size_t end) {
  const std::size_t n = end - begin, n_kept = 2 * n * lists_.n_features;
  const std::uint8_t* from = kept_.data() + (kept_.size() - n_kept);
  for (std::size_t f = 0; f < lists_.n_features; ++f, from += 2 * n) {
    std::copy_n(from, n, lists_.numbers + f * kListStride + begin);
    std::copy_n(from + n, n, lists_.bins + f * kListStride + begin);
  }
  kept_.resize(kept_.size() - n_kept);
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
