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
  struct Walk {
    RowIndex row;
    NodeIndex node;
    std::uint64_t active;  // cuts that have not stopped yet
  };
  const std::size_t stride = data.n_test() * width_;
  std::vector<Walk> walks(end - begin);
  for (RowIndex row = begin; row < end; ++row) walks[row - begin] = {row, 0, cuts};
  // All rows take a step before any takes the next: their loads then overlap.
  for (std::size_t n_walks = walks.size(); n_walks > 0;) {
    std::size_t n_left = 0;
    for (std::size_t i = 0; i < n_walks; ++i) {
      Walk walk = walks[i];
      if (binned_.has_stop(walk.node)) {
        const auto stops =
            tree_->stops.empty() ? cuts : tree_->stops[static_cast<std::size_t>(walk.node)];
        for (auto hits = stops & walk.active; hits != 0; hits &= hits - 1) {
          const auto cut = static_cast<std::size_t>(std::countr_zero(hits));
          add_value(walk.node, sums.data() + cut * stride + walk.row * width_);
        }
        walk.active &= ~stops;
        if (walk.active == 0) continue;
      }
      walk.node = binned_.child(walk.node, data, data.n_train() + walk.row);
      walks[n_left++] = walk;
    }
    n_walks = n_left;
  }
}

}  // namespace orchard::learn
