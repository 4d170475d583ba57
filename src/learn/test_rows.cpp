#include "test_rows.hpp"

#include <algorithm>

#include "binned_tree.hpp"

namespace orchard::learn {

TestRows::TestRows(const data::BinnedData& data, RowIndex begin, RowIndex end) : begin_(begin) {
  constexpr std::size_t kBlock = model::kCodeBlock;
  const std::size_t n_features = data.n_features();
  const std::size_t n_rows = end - begin;
  const std::size_t stride = (n_features + 1 + 31) / 32 * 32;
  codes_.assign(n_rows * stride, model::kMissingCode);
  columns_.resize((n_rows + kBlock - 1) / kBlock * kBlock * n_features);
  bool may_miss = false;
  Bin* to = columns_.data();
  for (std::size_t first = 0; first < n_rows; first += kBlock) {
    const std::size_t n_here = std::min(kBlock, n_rows - first);
    const Bin* const block = to;
    for (std::size_t f = 0; f < n_features; ++f, to += kBlock) {
      const Bin* column = data.test_column(f) + begin + first;
      const auto missing = static_cast<Bin>(data.binning->features[f].missing_bin());
      Bin any = 0;
      for (std::size_t row = 0; row < n_here; ++row) {
        const Bin is_missing = column[row] == missing ? model::kMissingCode : 0;
        any |= is_missing;
        to[row] = column[row] | is_missing;  // all bits of the code are set
      }
      may_miss |= any != 0;
    }
    for (std::size_t row = 0; row < n_here; ++row) {
      Bin* codes = codes_.data() + (first + row) * stride;
      for (std::size_t f = 0; f < n_features; ++f) codes[f] = block[f * kBlock + row];
    }
  }
  rows_ = {codes_.data(), stride, columns_.data(), n_rows, may_miss};
}

model::CodeTree code_tree(const model::Tree& tree, const data::Binning& binning) {
  const BinnedTree binned(tree, binning);
  return {tree, binning.features.size(), [&](std::size_t node) {
            model::CodeSplit split;
            split.column = static_cast<std::size_t>(tree.feature[node]);
            split.is_missing_left = (tree.flags[node] & model::Tree::kMissingLeft) != 0;
            split.is_set = (tree.flags[node] & model::Tree::kCategorical) != 0;
            if (split.is_set) {
              split.right = binned.right_bins(static_cast<NodeIndex>(node));
            } else {
              split.limit = binned.last_left(static_cast<NodeIndex>(node));
            }
            return split;
          }};
}

}  // namespace orchard::learn
