#include "forest/binary/rows.hpp"

#include <algorithm>
#include <new>

namespace orchard::learn::binary {

MovingRows::MovingRows(const ForestPlan& plan)
    : plan_(plan), labels_(plan.targets.label.begin(), plan.targets.label.end()) {
  const std::size_t n_columns = plan.context.data.n_features() + 1;
  capacity_ = std::min<std::size_t>(
      labels_.size(), std::max<std::size_t>(2 * kFewRows, plan.tuning.n_block_bytes / n_columns));
  // An odd number of cache lines: the columns of a row then lie in different sets.
  stride_ = ((capacity_ + kReadAhead + 63) / 64 | 1) * 64;
  for (auto& block : blocks_) {
    block.reset(static_cast<Bin*>(std::aligned_alloc(64, stride_ * n_columns)));
    if (block == nullptr) throw std::bad_alloc();
  }
  for (auto& masks : masks_) masks.resize(labels_.size() / 64 + 1);
}

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
  kept_.clear();
  draw_codes(tree);
  const std::size_t n_train = data.n_train();
  const Drawn drawn = mark_drawn(labels_.data(), n_train, codes_.data(), masks_[0].data());
  n_rows_ = drawn.n_rows;
  counts_ = drawn.counts;
  if (n_rows_ > capacity_) {
    list_drawn();
    return;
  }
  keep_rows({data.column(0), data.layout.column_stride, data.n_features()}, n_train,
            masks_[0].data(), n_rows_, blocks_[0].get(), stride_);
  keep_rows({codes_.data(), 0, 1}, n_train, masks_[0].data(), n_rows_,
            blocks_[0].get() + data.n_features() * stride_, stride_);
}

void MovingRows::list_drawn() {
  list_.clear();
  list_codes_.clear();
  for (RowIndex row = 0; row < labels_.size(); ++row) {
    if (codes_[row] == 0) continue;
    list_.push_back(row);
    list_codes_.push_back(codes_[row]);
  }
  spare_list_.resize(list_.size());
  spare_codes_.resize(list_.size());
}

std::size_t MovingRows::divide_list(std::size_t begin, std::size_t n_rows, FeatureIndex feature,
                                    RightBins right_bins) {
  const Bin* column = plan_.context.data.column(feature);
  std::size_t left = begin, n_right = 0;
  for (std::size_t i = begin; i < begin + n_rows; ++i) {
    const RowIndex row = list_[i];
    const Code code = list_codes_[i];
    const auto bin = static_cast<Bin>(column[row] - right_bins.first_right);
    const std::size_t is_right = bin < right_bins.n_right ? 1 : 0;
    list_[left] = spare_list_[n_right] = row;
    list_codes_[left] = spare_codes_[n_right] = code;
    left += 1 - is_right;
    n_right += is_right;
  }
  std::copy_n(spare_list_.begin(), n_right, list_.begin() + static_cast<std::ptrdiff_t>(left));
  std::copy_n(spare_codes_.begin(), n_right,
              list_codes_.begin() + static_cast<std::ptrdiff_t>(left));
  return left - begin;
}

void MovingRows::gather(std::size_t begin, std::size_t n_rows) {
  const auto& data = plan_.context.data;
  const RowIndex* rows = list_.data() + begin;
  for (std::size_t feature = 0; feature < data.n_features(); ++feature) {
    const Bin* column = data.column(feature);
    Bin* out = blocks_[0].get() + feature * stride_;
    for (std::size_t i = 0; i < n_rows; ++i) out[i] = column[rows[i]];
  }
  std::copy_n(list_codes_.begin() + static_cast<std::ptrdiff_t>(begin), n_rows,
              blocks_[0].get() + data.n_features() * stride_);
}

std::size_t MovingRows::divide(int block, std::size_t begin, std::size_t n_rows,
                               FeatureIndex feature, RightBins right_bins) {
  return find_sides(column(block, feature) + begin, n_rows, right_bins, masks_[0].data(),
                    masks_[1].data());
}

void MovingRows::move(int block, std::size_t begin, std::size_t n_rows, int side, std::size_t to,
                      std::size_t n_kept) {
  keep_rows(columns(block, begin), n_rows, masks_[side].data(), n_kept,
            blocks_[1 - block].get() + to, stride_);
}

void MovingRows::keep(int block, std::size_t begin, std::size_t n_rows) {
  const Columns from = columns(block, begin);
  for (std::size_t i = 0; i < from.n; ++i) {
    const Bin* column = from.first + i * from.stride;
    kept_.insert(kept_.end(), column, column + n_rows);
  }
}

void MovingRows::put_back(int block, std::size_t begin, std::size_t n_rows) {
  const std::size_t n_columns = plan_.context.data.n_features() + 1;
  const Bin* from = kept_.data() + (kept_.size() - n_columns * n_rows);
  for (std::size_t i = 0; i < n_columns; ++i) {
    std::copy_n(from + i * n_rows, n_rows, blocks_[block].get() + i * stride_ + begin);
  }
  kept_.resize(kept_.size() - n_columns * n_rows);
}

}  // namespace orchard::learn::binary
