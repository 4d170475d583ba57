#include "forest/moving/rows.hpp"

#include <algorithm>
#include <new>

#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64

namespace orchard::learn::moving {

MovingRows::MovingRows(const ForestPlan& plan, std::size_t n_carried)
    : plan_(plan),
      n_features_(plan.context.data.n_features()),
      n_carried_(n_carried),
      kernels_(*choose_version<const Kernels>(nullptr, &kAvx2Kernels, &kAvx512Kernels)) {
  for (auto& masks : masks_) masks.resize(plan.context.data.n_train() / 64 + 1);
}

void MovingRows::reserve(std::size_t n_rows) {
  // An odd number of cache lines: the columns of a row then lie in different sets.
  const std::size_t stride = ((n_rows + kReadAhead + 63) / 64 | 1) * 64;
  if (stride <= stride_) return;
  stride_ = stride;
  for (auto& block : blocks_) {
    block.reset(static_cast<Bin*>(std::aligned_alloc(64, stride_ * (n_features_ + n_carried_))));
    if (block == nullptr) throw std::bad_alloc();
  }
}

std::size_t MovingRows::mark(const std::uint8_t* bytes, std::uint8_t least) {
  kept_.clear();
  return kernels_.mark(bytes, plan_.context.data.n_train(), least, masks_[0].data());
}

void MovingRows::take_marked(std::size_t n_rows,
                             std::initializer_list<const std::uint8_t*> carried) {
  const auto& data = plan_.context.data;
  const auto keep = [&](const Columns& from, std::size_t to) {
    kernels_.keep_rows(from, data.n_train(), masks_[0].data(), n_rows, block() + to * stride_,
                       stride_);
  };
  keep({data.column(0), data.layout.column_stride, n_features_}, 0);
  std::size_t to = n_features_;
  for (const std::uint8_t* bytes : carried) keep({bytes, 0, 1}, to++);
}

std::size_t MovingRows::divide(int block, std::size_t begin, std::size_t n_rows,
                               FeatureIndex feature, RightBins right_bins) {
  return kernels_.find_sides(column(block, feature) + begin, n_rows, right_bins, masks_[0].data(),
                             masks_[1].data());
}

void MovingRows::move(int block, std::size_t begin, std::size_t n_rows, std::size_t n_left,
                      Movers movers) {
  const auto keep = [&](int side, std::size_t first) {
    kernels_.keep_rows(columns(block, begin), n_rows, masks_[side].data(), n_rows - first,
                       blocks_[1 - block].get() + begin + first, stride_);
  };
  // What the left ones write too much the right ones write over.
  if (movers.left) keep(0, 0);
  if (movers.right) keep(1, n_left);
}

void MovingRows::keep(int block, std::size_t begin, std::size_t n_rows) {
  const Columns from = columns(block, begin);
  for (std::size_t i = 0; i < from.n; ++i) {
    const Bin* column = from.first + i * from.stride;
    kept_.insert(kept_.end(), column, column + n_rows);
  }
}

void MovingRows::put_back(int block, std::size_t begin, std::size_t n_rows) {
  const std::size_t n_columns = n_features_ + n_carried_;
  const Bin* from = kept_.data() + (kept_.size() - n_columns * n_rows);
  for (std::size_t i = 0; i < n_columns; ++i) {
    std::copy_n(from + i * n_rows, n_rows, blocks_[block].get() + i * stride_ + begin);
  }
  kept_.resize(kept_.size() - n_columns * n_rows);
}

bool suits_moving(const ForestPlan& plan, std::size_t n_most_a_tried) {
  const auto& features = plan.context.data.binning->features;
  const bool is_numeric = std::all_of(features.begin(), features.end(), [](const auto& bins) {
    return bins.kind == model::FeatureKind::kNumeric;
  });
  return is_numeric && instruction_set() >= InstructionSet::kAvx2 &&
         plan.context.schema.task == Task::kClassification && !plan.targets.has_weights &&
         plan.settings.criterion != options::Criterion::kEntropy &&
         plan.settings.class_weight == options::ClassWeight::kNone &&
         plan.n_draws < (std::uint64_t{1} << 31) &&
         features.size() <= n_most_a_tried * plan.n_tried;
}

}  // namespace orchard::learn::moving

#endif
