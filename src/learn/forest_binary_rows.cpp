#include "forest_binary_rows.hpp"

#include <new>

namespace orchard::learn::binary {

MovingRows::MovingRows(const ForestPlan& plan)
    : plan_(plan), labels_(plan.targets.label.begin(), plan.targets.label.end()) {}

void MovingRows::draw_codes(std::uint64_t tree) {
  const std::size_t n_train = labels_.size();
  codes_.assign(n_train + kReadAhead, plan_.settings.bootstrap ? 0 : 2);
  if (plan_.settings.bootstrap) {
    Code* const codes = codes_.data();
    // That a row is drawn more than 127 times has a probability below 2^-700.
    draw_each(plan_, tree, [&](RowIndex position) { codes[position] += 2; });
  }
}

void MovingRows::take(std::uint64_t tree) {
  const auto& data = plan_.context.data;
  draw_codes(tree);
  const std::size_t n_train = data.n_train();
  for (auto& masks : masks_) masks.resize(n_train / 64 + 1);
  const Drawn drawn = mark_drawn(labels_.data(), n_train, codes_.data(), masks_[0].data());
  n_rows_ = drawn.n_rows;
  counts_ = drawn.counts;
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
