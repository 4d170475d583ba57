#include "forest/class/rows.hpp"

#include <algorithm>
#include <new>

#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64

namespace orchard::learn::classes {

MovingRows::MovingRows(const ForestPlan& plan)
    : plan_(plan), n_features_(plan.context.data.n_features()) {
  const std::size_t n_train = plan.context.data.n_train();
  label_.assign(plan.targets.label.begin(), plan.targets.label.end());
  label_.resize(n_train + binary::kReadAhead);
  for (auto& masks : masks_) masks.resize(n_train / 64 + 1);
}

void MovingRows::take(std::uint64_t tree) {
  const auto& data = plan_.context.data;
  const std::size_t n_train = data.n_train();
  weight_.assign(n_train + binary::kReadAhead, plan_.settings.bootstrap ? 0 : 1);
  if (plan_.settings.bootstrap) {
    std::uint8_t* const weights = weight_.data();
    // That a row is drawn more than 255 times has a probability below 2^-1600.
    draw_each(plan_, tree, [&](RowIndex position) { ++weights[position]; });
  }
  n_rows_ = mark_drawn(weight_.data(), n_train, masks_[0].data());
  // An odd number of cache lines: the columns of a row then lie in different sets.
  const std::size_t stride = ((n_rows_ + binary::kReadAhead + 63) / 64 | 1) * 64;
  if (stride > stride_) {
    stride_ = stride;
    for (auto& block : blocks_) {
      block.reset(static_cast<Bin*>(std::aligned_alloc(64, stride_ * (n_features_ + 2))));
      if (block == nullptr) throw std::bad_alloc();
    }
  }
  const auto keep = [&](const Bin* from, std::size_t from_stride, std::size_t n, std::size_t to) {
    binary::keep_rows({from, from_stride, n}, n_train, masks_[0].data(), n_rows_,
                      blocks_[0].get() + to * stride_, stride_);
  };
  keep(data.column(0), data.layout.column_stride, n_features_, 0);
  keep(label_.data(), 0, 1, n_features_);
  keep(weight_.data(), 0, 1, n_features_ + 1);
}

std::size_t MovingRows::divide(int block, std::size_t begin, std::size_t n_rows,
                               FeatureIndex feature, binary::RightBins right_bins) {
  return binary::find_sides(column(block, feature) + begin, n_rows, right_bins, masks_[0].data(),
                            masks_[1].data());
}

void MovingRows::move(int block, std::size_t begin, std::size_t n_rows, int side, std::size_t to,
                      std::size_t n_kept) {
  binary::keep_rows({column(block, 0) + begin, stride_, n_features_ + 2}, n_rows,
                    masks_[side].data(), n_kept, blocks_[1 - block].get() + to, stride_);
}

namespace {

template <std::size_t kFeatures>
void count(const NodeRows& rows, const Bin* const* columns, Cells* cells) {
  const Bin* column[kFeatures];
  for (std::size_t f = 0; f < kFeatures; ++f) column[f] = columns[f];
  for (std::size_t i = 0; i < rows.n; ++i) {
    const std::size_t label = rows.labels[i];
    const std::uint16_t weight = rows.weights[i];
    for (std::size_t f = 0; f < kFeatures; ++f) {
      std::uint16_t& to = cells[f].counts[column[f][i]][label];
      to = static_cast<std::uint16_t>(to + weight);
    }
  }
}

}  // namespace

void count_cells(const NodeRows& rows, const Bin* const* columns, std::size_t n_features,
                 Cells* cells) {
  switch (n_features) {
    case 1:
      return count<1>(rows, columns, cells);
    case 2:
      return count<2>(rows, columns, cells);
    case 3:
      return count<3>(rows, columns, cells);
    default:
      return count<kFeaturesAPass>(rows, columns, cells);
  }
}

}  // namespace orchard::learn::classes

#endif
