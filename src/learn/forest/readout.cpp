#include "forest/readout.hpp"

#include <algorithm>
#include <bit>

namespace orchard::learn {
TreeReadout::TreeReadout(const model::Tree& tree, const data::Binning& binning, std::size_t width,
                         std::uint64_t cuts)
    : values_(tree.values),
      walk_(code_tree(tree, binning)),
      width_(width),
      n_cuts_(static_cast<std::size_t>(std::bit_width(cuts))) {
  wide_rows_ = find_stops(tree, cuts);
  if (tree.values.size() / width_ <= std::size_t{1} << 16) {
    narrow_rows_.assign(wide_rows_.begin(), wide_rows_.end());
    wide_rows_ = {};
  }
  if (width_ != 2) find_entries();
}

/// The value row where each cut stops, [n_leaves][n_cuts]: what cuts have stopped at is handed down
/// from parent to child.
std::vector<std::uint32_t> TreeReadout::find_stops(const model::Tree& tree, std::uint64_t cuts) {
  const std::size_t n_nodes = tree.n_nodes();
  struct Path {
    std::uint64_t active;   // cuts that have not stopped yet
    std::uint32_t stopped;  // where in `above` the others are
  };
  std::vector<Path> paths(n_nodes);
  std::vector<std::uint32_t> above(n_cuts_), at_leaves;  // [..][n_cuts]
  paths[0] = {cuts, 0};
  end_of_.resize(n_nodes);
  for (std::size_t node = 0; node < n_nodes; ++node) {
    Path path = paths[node];
    const bool is_leaf = tree.left[node] < 0;
    const std::uint64_t stops = path.active & (is_leaf              ? ~std::uint64_t{0}
                                               : tree.stops.empty() ? 0
                                                                    : tree.stops[node]);
    auto& to = is_leaf ? at_leaves : above;
    if (stops != 0 || is_leaf) {
      const std::size_t begin = to.size();
      to.resize(begin + n_cuts_);
      std::copy_n(above.begin() + path.stopped, n_cuts_,
                  to.begin() + static_cast<std::ptrdiff_t>(begin));
      for (auto left = stops; left != 0; left &= left - 1) {
        to[begin + static_cast<std::size_t>(std::countr_zero(left))] =
            static_cast<std::uint32_t>(tree.value_row[node]);
      }
      if (is_leaf) {
        end_of_[node] = static_cast<std::uint32_t>(begin / n_cuts_);
      } else {
        path = {path.active & ~stops, static_cast<std::uint32_t>(begin)};
      }
    }
    if (is_leaf) continue;
    const auto left = static_cast<std::size_t>(tree.left[node]);
    paths[left] = paths[left + 1] = path;
  }
  return at_leaves;
}

void TreeReadout::find_entries() {
  sparse_.resize(values_.size() / width_);
  for (std::size_t row = 0; row < sparse_.size(); ++row) {
    sparse_[row].begin = static_cast<std::uint32_t>(entries_.size());
    for (std::size_t output = 0; output < width_; ++output) {
      const auto value = values_[row * width_ + output];
      if (value != 0) entries_.push_back({static_cast<std::uint32_t>(output), value});
    }
    sparse_[row].end = static_cast<std::uint32_t>(entries_.size());
    sparse_[row].is_dense = 3 * (sparse_[row].end - sparse_[row].begin) > width_;
  }
}

template <class ValueRow>
void TreeReadout::add_pair(const ValueRow* rows, std::int64_t* out, std::size_t stride) const {
  const std::int64_t* values = values_.data();
  for (std::size_t cut = 0; cut < n_cuts_; ++cut, out += stride) {
    const std::int64_t* value = values + std::size_t{rows[cut]} * 2;
    out[0] += value[0];
    out[1] += value[1];
  }
}

template <class ValueRow>
void TreeReadout::add_any(const ValueRow* rows, std::int64_t* out, std::size_t stride) const {
  for (std::size_t cut = 0; cut < n_cuts_; ++cut, out += stride) {
    const Sparse& sparse = sparse_[rows[cut]];
    if (sparse.is_dense) {
      const std::int64_t* value = values_.data() + std::size_t{rows[cut]} * width_;
      for (std::size_t k = 0; k < width_; ++k) out[k] += value[k];
      continue;
    }
    for (std::uint32_t i = sparse.begin; i < sparse.end; ++i) {
      out[entries_[i].output] += entries_[i].value;
    }
  }
}

template <class ValueRow>
void TreeReadout::add_values(std::span<const ValueRow> value_rows,
                             std::span<const NodeIndex> leaves, std::size_t stride,
                             std::int64_t* out) const {
  // Leaves lie far apart: what the next rows need is asked for ahead.
  constexpr std::size_t kFar = 32, kNear = 16;
  const auto end_of = [&](std::size_t i) {
    return &end_of_[static_cast<std::size_t>(leaves[std::min(i, leaves.size() - 1)])];
  };
  for (std::size_t i = 0; i < leaves.size(); ++i, out += width_) {
    __builtin_prefetch(end_of(i + kFar));
    __builtin_prefetch(value_rows.data() + *end_of(i + kNear) * n_cuts_);
    const ValueRow* rows = value_rows.data() + *end_of(i) * n_cuts_;
    if (width_ == 2) {
      add_pair(rows, out, stride);
    } else {
      add_any(rows, out, stride);
    }
  }
}

void TreeReadout::add(const TestRows& test, model::WalkScratch& scratch, std::size_t n_test,
                      std::span<std::int64_t> sums) const {
  std::vector<NodeIndex> leaves(test.rows().n_rows);
  walk_.walk(test.rows(), scratch, leaves);
  std::int64_t* out = sums.data() + test.begin() * width_;
  if (wide_rows_.empty()) {
    add_values<std::uint16_t>(narrow_rows_, leaves, n_test * width_, out);
  } else {
    add_values<std::uint32_t>(wide_rows_, leaves, n_test * width_, out);
  }
}

}  // namespace orchard::learn
