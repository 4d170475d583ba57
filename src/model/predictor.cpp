#include "orchard/model/predictor.hpp"

#include <algorithm>
#include <optional>

#include "category_codes.hpp"
#include "leaf_masks.hpp"
#include "orchard/base/error.hpp"
#include "orchard/model/code_walk.hpp"
#include "row_coder.hpp"

namespace orchard::model {
namespace {

/// A tree to be walked, and the value rows of its leaves.
struct WalkedTree {
  CodeTree walk;
  const Tree* tree;
  std::size_t first_output;
};

WalkedTree pack(const Tree& tree, const RowCoder& coder, std::size_t first_output) {
  WalkedTree out{{tree, coder.n_columns()}, &tree, first_output};
  for (std::size_t node = 0; node < tree.n_nodes(); ++node) {
    if (tree.left[node] < 0) continue;
    const std::size_t column = coder.column_of(tree, node);
    if ((tree.flags[node] & Tree::kCategorical) != 0) {
      out.walk.split(tree, node, column, right_codes(tree, node));
    } else {
      out.walk.split(tree, node, column, coder.limit_of(tree, node),
                     (tree.flags[node] & Tree::kMissingLeft) != 0);
    }
  }
  return out;
}

/// Adds the value rows of the leaves; the width is a constant where it is usual.
template <std::size_t kWidth>
void add_values(const Tree& tree, std::span<const NodeIndex> leaves, std::size_t any_width,
                std::size_t stride, std::int64_t* out) {
  const std::size_t width = kWidth > 0 ? kWidth : any_width;
  const std::int32_t* value_row = tree.value_row.data();
  const std::int64_t* values = tree.values.data();
  for (const NodeIndex leaf : leaves) {
    const std::int64_t* value =
        values + static_cast<std::size_t>(value_row[static_cast<std::size_t>(leaf)]) * width;
    for (std::size_t k = 0; k < width; ++k) out[k] += value[k];
    out += stride;
  }
}

constexpr std::size_t round_up(std::size_t n, std::size_t unit) {
  return (n + unit - 1) / unit * unit;
}

}  // namespace

struct Predictor::State {
  const Ensemble& ensemble;
  std::optional<RowCoder> coder;
  LeafMasks small;
  std::vector<WalkedTree> walked;

  explicit State(const Ensemble& from);
  std::size_t row_stride() const { return round_up(coder->n_columns() + 1, 32); }
  void add_block(const FeatureColumns& data, RowIndex begin, std::size_t n_rows,
                 std::int64_t* sums) const;
  void add_walked(const CodeRows& rows, std::int64_t* sums) const;
};

Predictor::State::State(const Ensemble& from)
    : ensemble(from),
      coder(RowCoder::make(from)),
      small(from.n_values(), static_cast<std::size_t>(from.n_outputs)) {
  if (!coder) return;
  const auto n_outputs = static_cast<std::size_t>(ensemble.n_outputs);
  for (std::size_t i = 0; i < ensemble.trees.size(); ++i) {
    const Tree& tree = ensemble.trees[i];
    const std::size_t first_output = ensemble.combine == Combine::kSum ? i % n_outputs : 0;
    if (LeafMasks::suits(tree)) {
      small.add(tree, *coder, first_output);
    } else {
      walked.push_back(pack(tree, *coder, first_output));
    }
  }
}

/// Small trees take a coded block as it is; for the others its rows are laid out one by one.
void Predictor::State::add_block(const FeatureColumns& data, RowIndex begin, std::size_t n_rows,
                                 std::int64_t* sums) const {
  const auto n_outputs = static_cast<std::size_t>(ensemble.n_outputs);
  const std::size_t n_columns = coder->n_columns();
  std::vector<Bin> columns(n_columns * RowCoder::kBlock);
  bool may_miss = false;
  std::vector<Bin> rows(walked.empty() ? 0 : n_rows * row_stride() + 3);
  for (std::size_t first = 0; first < n_rows; first += RowCoder::kBlock) {
    const std::size_t n_here = std::min(RowCoder::kBlock, n_rows - first);
    coder->encode(data, begin + static_cast<RowIndex>(first), n_here, columns.data());
    if (!small.empty()) small.accumulate(columns.data(), n_here, sums + first * n_outputs);
    if (walked.empty()) continue;
    for (std::size_t c = 0; c < n_columns && !may_miss; ++c) {
      const auto column = std::span(columns).subspan(c * RowCoder::kBlock, n_here);
      may_miss = std::find(column.begin(), column.end(), RowCoder::kMissing) != column.end();
    }
    for (std::size_t i = 0; i < n_here; ++i) {
      Bin* row = rows.data() + (first + i) * row_stride();
      for (std::size_t c = 0; c < n_columns; ++c) row[c] = columns[c * RowCoder::kBlock + i];
      row[n_columns] = 255;
    }
  }
  if (!walked.empty()) add_walked({rows.data(), row_stride(), n_rows, may_miss}, sums);
}

void Predictor::State::add_walked(const CodeRows& rows, std::int64_t* sums) const {
  const auto n_outputs = static_cast<std::size_t>(ensemble.n_outputs);
  const std::size_t width = ensemble.n_values();
  WalkScratch scratch;
  std::vector<NodeIndex> leaves(rows.n_rows);
  for (const auto& one : walked) {
    one.walk.walk(rows, scratch, leaves);
    std::int64_t* out = sums + one.first_output;
    if (width == 1) {
      add_values<1>(*one.tree, leaves, width, n_outputs, out);
    } else if (width == 2) {
      add_values<2>(*one.tree, leaves, width, n_outputs, out);
    } else {
      add_values<0>(*one.tree, leaves, width, n_outputs, out);
    }
  }
}

Predictor::Predictor(const Ensemble& ensemble) : state_(std::make_unique<State>(ensemble)) {}
Predictor::~Predictor() = default;
Predictor::Predictor(Predictor&&) noexcept = default;
Predictor& Predictor::operator=(Predictor&&) noexcept = default;

const Ensemble& Predictor::ensemble() const { return state_->ensemble; }

void Predictor::accumulate(const FeatureColumns& data, RowIndex begin, RowIndex end,
                           std::span<std::int64_t> sums) const {
  if (!state_->coder) return model::accumulate(state_->ensemble, data, begin, end, sums);
  const auto n_outputs = static_cast<std::size_t>(state_->ensemble.n_outputs);
  require(begin <= end && end <= data.n_rows, "rows to predict lie inside the table");
  require(sums.size() == (end - begin) * n_outputs, "there is a sum for each row and output");
  require(data.columns.size() == state_->ensemble.schema.n_features(),
          "there is a column each feature");
  for (RowIndex at = begin; at < end;) {
    const auto n_rows = std::min<std::size_t>(kRowsAtOnce, end - at);
    state_->add_block(data, at, n_rows, sums.data() + (at - begin) * n_outputs);
    at += static_cast<RowIndex>(n_rows);
  }
}

}  // namespace orchard::model
