#include "forest/class/rows.hpp"

#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64

namespace orchard::learn::classes {

TreeRows::TreeRows(const ForestPlan& plan)
    : MovingRows(plan, 2), label_(plan.targets.label.begin(), plan.targets.label.end()) {
  label_.resize(label_.size() + moving::kReadAhead);
}

void TreeRows::take(const TreeStart& start) {
  weight_.assign(label_.size(), 0);
  std::uint8_t* const weights = weight_.data();
  // That a row is drawn more than 255 times has a probability below 2^-1600.
  add_rows(plan_, start, [&](RowIndex row, std::uint32_t n) {
    weights[row] = static_cast<std::uint8_t>(weights[row] + n);
  });
  n_rows_ = mark(weight_.data(), 1);
  reserve(n_rows_);
  take_marked(n_rows_, {label_.data(), weight_.data()});
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
