#include "forest_binary_rows.hpp"

#include <algorithm>
#include <new>

#include "orchard/base/error.hpp"

namespace orchard::learn::binary {

void MovingRows::take(std::uint64_t tree) {
  const auto& data = plan_.context.data;
  draw_rows(plan_, tree, multiplicity_);
  const std::size_t n_train = multiplicity_.size();
  codes_.resize(n_train + kReadAhead);
  std::uint32_t most = 0;
  counts_ = {};
  for (std::size_t row = 0; row < n_train; ++row) {
    const std::uint32_t weight = multiplicity_[row], label = plan_.targets.label[row];
    most = std::max(most, weight);
    counts_.weight += weight;
    counts_.positives += weight & -label;
    codes_[row] = static_cast<Code>(weight << 1 | (weight != 0 ? label : 0));
  }
  // As many draws of one row come with a probability below 2^-700.
  require(most <= kMaxCodeWeight, "a row's multiplicity fits its code");
  for (auto& masks : masks_) masks.resize(n_train / 64 + 1);
  n_rows_ = find_nonzero(codes_.data(), n_train, masks_[0].data());
  // An odd number of cache lines: the columns of a row then lie in different sets.
  const std::size_t stride = ((n_rows_ + kReadAhead + 63) / 64 | 1) * 64;
  if (stride > stride_) {
    stride_ = stride;
    for (auto& block : blocks_) {
      block.reset(static_cast<Bin*>(std::aligned_alloc(64, stride_ * (data.n_features() + 1))));
      if (block == nullptr) throw std::bad_alloc();
    }
  }
  keep_rows({data.column(0), data.layout.column_stride, data.n_features()}, n_train,
            masks_[0].data(), n_rows_, blocks_[0].get(), stride_);
  keep_rows({codes_.data(), 0, 1}, n_train, masks_[0].data(), n_rows_,
            blocks_[0].get() + data.n_features() * stride_, stride_);
}

std::size_t MovingRows::divide(int block, std::size_t begin, std::size_t n_rows,
                               FeatureIndex feature, RightBins right_bins) {
  return find_sides(column(block, feature) + begin, n_rows, right_bins, masks_[0].data(),
                    masks_[1].data());
}

void MovingRows::move(int block, std::size_t begin, std::size_t n_rows, int side, std::size_t to,
                      std::size_t n_kept) {
  keep_rows({column(block, 0) + begin, stride_, plan_.context.data.n_features() + 1}, n_rows,
            masks_[side].data(), n_kept, blocks_[1 - block].get() + to, stride_);
}

}  // namespace orchard::learn::binary
