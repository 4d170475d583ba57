#include "orchard/model/predictor.hpp"

#include <algorithm>
#include <optional>

#include "orchard/base/error.hpp"
#include "orchard/model/code_walk.hpp"
#include "row_coder.hpp"
#include "small_trees.hpp"

namespace orchard::model {
namespace {

/// A tree to be walked.
struct WalkedTree {
  CodeTree walk;
  const Tree* tree;
  std::size_t first_output;
  /// Tree::value_row in a quarter of the memory, where that is possible: deep trees of a forest
  /// have few distinct values.
  std::vector<std::uint8_t> value_row;
};

std::vector<std::uint8_t> narrow_value_rows(const Tree& tree, std::size_t n_values) {
  if (tree.values.size() / n_values > 256) return {};
  std::vector<std::uint8_t> out(tree.n_nodes());
  for (std::size_t node = 0; node < out.size(); ++node) {
    out[node] = static_cast<std::uint8_t>(std::max(tree.value_row[node], 0));
  }
  return out;
}

WalkedTree pack(const Tree& tree, const RowCoder& coder, std::size_t first_output,
                std::size_t n_values) {
  const auto split_of = [&](std::size_t node) { return coder.split_of(tree, node); };
  return {
      {tree, coder.n_columns(), split_of}, &tree, first_output, narrow_value_rows(tree, n_values)};
}

/// Adds the value rows of the leaves; the width is a constant where it is usual.
template <std::size_t kWidth, class ValueRow>
void add_values(std::span<const ValueRow> value_row, std::span<const std::int64_t> values,
                std::span<const NodeIndex> leaves, std::size_t any_width, std::size_t stride,
                std::int64_t* out) {
  const std::size_t width = kWidth > 0 ? kWidth : any_width;
  for (const NodeIndex leaf : leaves) {
    const auto row = static_cast<std::size_t>(value_row[static_cast<std::size_t>(leaf)]);
    const std::int64_t* value = values.data() + row * width;
    for (std::size_t k = 0; k < width; ++k) out[k] += value[k];
    out += stride;
  }
}

template <class ValueRow>
void add_values(std::span<const ValueRow> value_row, std::span<const std::int64_t> values,
                std::span<const NodeIndex> leaves, std::size_t width, std::size_t stride,
                std::int64_t* out) {
  if (width == 1) return add_values<1, ValueRow>(value_row, values, leaves, width, stride, out);
  if (width == 2) return add_values<2, ValueRow>(value_row, values, leaves, width, stride, out);
  add_values<0, ValueRow>(value_row, values, leaves, width, stride, out);
}

constexpr std::size_t round_up(std::size_t n, std::size_t unit) {
  return (n + unit - 1) / unit * unit;
}

}  // namespace

/// Rows as walked trees need them.
struct CodedRows {
  std::vector<Bin> columns;  ///< [n_blocks][n_columns][RowCoder::kBlock]
  std::vector<Bin> rows;     ///< as CodeRows
  bool may_miss = false;
};

struct Predictor::State {
  const Ensemble& ensemble;
  std::optional<RowCoder> coder;
  SmallTrees small;
  std::vector<std::optional<WalkedTree>> walked;  ///< all there once made

  State(const Ensemble& from, parallel::Pool& pool);
  std::size_t row_stride() const { return round_up(coder->n_columns() + 1, 32); }
  void add_rows(const FeatureColumns& data, RowIndex begin, std::size_t n_rows,
                std::int64_t* sums) const;
  void lay_out(const Bin* columns, std::size_t first, std::size_t n_rows, CodedRows& out) const;
  void add_walked(const CodedRows& rows, std::size_t n_rows, std::int64_t* sums) const;
};

Predictor::State::State(const Ensemble& from, parallel::Pool& pool)
    : ensemble(from),
      coder(RowCoder::make(from, pool)),
      small(from.n_values(), static_cast<std::size_t>(from.n_outputs)) {
  if (!coder) return;
  const auto n_outputs = static_cast<std::size_t>(ensemble.n_outputs);
  const auto first_output = [&](std::size_t i) {
    return ensemble.combine == Combine::kSum ? i % n_outputs : 0;
  };
  std::vector<std::size_t> large;
  for (std::size_t i = 0; i < ensemble.trees.size(); ++i) {
    if (SmallTrees::suits(ensemble.trees[i])) {
      small.add(ensemble.trees[i], *coder, first_output(i));
    } else {
      large.push_back(i);
    }
  }
  walked.resize(large.size());
  pool.for_chunks(large.size(), 1, [&](std::size_t i, std::size_t, int) {
    walked[i] = pack(ensemble.trees[large[i]], *coder, first_output(large[i]), ensemble.n_values());
  });
}

void Predictor::State::add_rows(const FeatureColumns& data, RowIndex begin, std::size_t n_rows,
                                std::int64_t* sums) const {
  const auto n_outputs = static_cast<std::size_t>(ensemble.n_outputs);
  const std::size_t n_blocks = (n_rows + RowCoder::kBlock - 1) / RowCoder::kBlock;
  const std::size_t block_bytes = coder->n_columns() * RowCoder::kBlock;
  CodedRows coded;
  coded.columns.resize(walked.empty() ? block_bytes : n_blocks * block_bytes);
  if (!walked.empty()) coded.rows.resize(n_rows * row_stride());
  for (std::size_t block = 0; block < n_blocks; ++block) {
    const std::size_t first = block * RowCoder::kBlock;
    const std::size_t n_here = std::min(RowCoder::kBlock, n_rows - first);
    Bin* columns = coded.columns.data() + (walked.empty() ? 0 : block * block_bytes);
    coder->encode(data, begin + static_cast<RowIndex>(first), n_here, columns);
    if (!small.empty()) small.accumulate(columns, n_here, sums + first * n_outputs);
    if (!walked.empty()) lay_out(columns, first, n_here, coded);
  }
  if (!walked.empty()) add_walked(coded, n_rows, sums);
}

/// Writes a block of columns as rows [first, first + n_rows).
void Predictor::State::lay_out(const Bin* columns, std::size_t first, std::size_t n_rows,
                               CodedRows& out) const {
  const std::size_t n_columns = coder->n_columns();
  for (std::size_t c = 0; c < n_columns; ++c) {
    const Bin* column = columns + c * RowCoder::kBlock;
    out.may_miss =
        out.may_miss || std::find(column, column + n_rows, RowCoder::kMissing) != column + n_rows;
  }
  for (std::size_t i = 0; i < n_rows; ++i) {
    Bin* row = out.rows.data() + (first + i) * row_stride();
    for (std::size_t c = 0; c < n_columns; ++c) row[c] = columns[c * RowCoder::kBlock + i];
    row[n_columns] = 255;
  }
}

void Predictor::State::add_walked(const CodedRows& coded, std::size_t n_rows,
                                  std::int64_t* sums) const {
  const CodeRows rows{coded.rows.data(), row_stride(), coded.columns.data(), n_rows,
                      coded.may_miss};
  WalkScratch scratch;
  std::vector<NodeIndex> leaves(n_rows);
  for (const auto& some : walked) {
    const WalkedTree& one = *some;
    one.walk.walk(rows, scratch, leaves);
    const std::span<const std::int64_t> values(one.tree->values);
    const auto n_outputs = static_cast<std::size_t>(ensemble.n_outputs);
    std::int64_t* out = sums + one.first_output;
    if (one.value_row.empty()) {
      add_values<std::int32_t>(one.tree->value_row, values, leaves, ensemble.n_values(), n_outputs,
                               out);
    } else {
      add_values<std::uint8_t>(one.value_row, values, leaves, ensemble.n_values(), n_outputs, out);
    }
  }
}

Predictor::Predictor(const Ensemble& ensemble, parallel::Pool& pool)
    : state_(std::make_unique<State>(ensemble, pool)) {}
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
    state_->add_rows(data, at, n_rows, sums.data() + (at - begin) * n_outputs);
    at += static_cast<RowIndex>(n_rows);
  }
}

}  // namespace orchard::model
