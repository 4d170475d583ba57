#include "forest_readout.hpp"

#include <bit>

namespace orchard::learn {

TreeReadout::TreeReadout(const model::Tree& tree, const data::Binning& binning, std::size_t width)
    : tree_(&tree), binned_(tree, binning), width_(width), rows_(tree.values.size() / width) {
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    rows_[row].begin = static_cast<std::uint32_t>(entries_.size());
    for (std::size_t output = 0; output < width; ++output) {
      const auto value = tree.values[row * width + output];
      if (value != 0) entries_.push_back({static_cast<std::uint32_t>(output), value});
    }
    rows_[row].end = static_cast<std::uint32_t>(entries_.size());
    rows_[row].is_dense = 3 * (rows_[row].end - rows_[row].begin) > width;
  }
}

void TreeReadout::add_value(NodeIndex node, std::int64_t* out) const {
  const auto row = static_cast<std::size_t>(tree_->value_row[static_cast<std::size_t>(node)]);
  const Sparse& sparse = rows_[row];
  if (sparse.is_dense) {
    const std::int64_t* value = tree_->values.data() + row * width_;
    for (std::size_t k = 0; k < width_; ++k) out[k] += value[k];
    return;
  }
  for (std::uint32_t i = sparse.begin; i < sparse.end; ++i) {
    out[entries_[i].output] += entries_[i].value;
  }
}

void TreeReadout::add(const data::BinnedData& data, std::uint64_t cuts, RowIndex begin,
                      RowIndex end, std::span<std::int64_t> sums) const {
  const std::size_t stride = data.n_test() * width_;
  for (RowIndex row = begin; row < end; ++row) {
    const RowIndex position = data.n_train() + row;
    std::uint64_t active = cuts;
    NodeIndex node = 0;
    for (;;) {
      if (binned_.has_stop(node)) {
        const auto stops = tree_->stops[static_cast<std::size_t>(node)];
        for (auto hits = stops & active; hits != 0; hits &= hits - 1) {
          const auto cut = static_cast<std::size_t>(std::countr_zero(hits));
          add_value(node, sums.data() + cut * stride + row * width_);
        }
        active &= ~stops;
        if (active == 0) break;
      }
      node = binned_.child(node, data, position);
    }
  }
}

}  // namespace orchard::learn
