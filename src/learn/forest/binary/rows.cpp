#include "forest/binary/rows.hpp"

#include <algorithm>

#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64

namespace orchard::learn::binary {
namespace {

/// The code of a row that was drawn once, without its class.
constexpr Code kOnce = 2;

}  // namespace

TreeRows::TreeRows(const ForestPlan& plan)
    : MovingRows(plan, 1), labels_(plan.targets.label.begin(), plan.targets.label.end()) {
  const std::size_t n_columns = plan.context.data.n_features() + 1;
  capacity_ = std::min<std::size_t>(
      labels_.size(), std::max<std::size_t>(2 * kFewRows, plan.tuning.n_block_bytes / n_columns));
  reserve(capacity_);
  codes_.resize(labels_.size() + moving::kReadAhead);
}

void TreeRows::draw_codes(const TreeStart& start) {
  std::copy(labels_.begin(), labels_.end(), codes_.begin());
  Code* const codes = codes_.data();
  // That a row is drawn more than 127 times has a probability below 2^-700.
  add_rows(plan_, start, [&](RowIndex row, std::uint32_t n) {
    codes[row] = static_cast<Code>(codes[row] + kOnce * n);
  });
  counts_ = {};
  for (std::size_t row = 0; row < labels_.size(); ++row) {
    const std::uint32_t weight = codes[row] / kOnce;
    counts_.weight += weight;
    counts_.positives += weight & -std::uint32_t{labels_[row]};
  }
}

void TreeRows::take(const TreeStart& start) {
  draw_codes(start);
  n_rows_ = mark(codes_.data(), kOnce);
  if (n_rows_ > capacity_) return list_drawn();
  take_marked(n_rows_, {codes_.data()});
}

void TreeRows::list_drawn() {
  list_.clear();
  list_codes_.clear();
  for (RowIndex row = 0; row < labels_.size(); ++row) {
    if (codes_[row] < kOnce) continue;
    list_.push_back(row);
    list_codes_.push_back(codes_[row]);
  }
  spare_list_.resize(list_.size());
  spare_codes_.resize(list_.size());
}

std::size_t TreeRows::divide_list(std::size_t begin, std::size_t n_rows, FeatureIndex feature,
                                  moving::RightBins right_bins) {
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

void TreeRows::gather(std::size_t begin, std::size_t n_rows) {
  const auto& data = plan_.context.data;
  const RowIndex* rows = list_.data() + begin;
  for (std::size_t feature = 0; feature < data.n_features(); ++feature) {
    const Bin* column = data.column(feature);
    Bin* out = block() + feature * stride();
    for (std::size_t i = 0; i < n_rows; ++i) out[i] = column[rows[i]];
  }
  std::copy_n(list_codes_.begin() + static_cast<std::ptrdiff_t>(begin), n_rows,
              block() + data.n_features() * stride());
}

}  // namespace orchard::learn::binary

#endif
