#include "forest/readout.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "orchard/base/error.hpp"

namespace orchard::learn {
namespace {

/// What a row of two values adds up to; of trees from elsewhere it may wrap.
std::uint64_t total_of(std::span<const std::int64_t> values, std::size_t at) {
  return static_cast<std::uint64_t>(values[at]) + static_cast<std::uint64_t>(values[at + 1]);
}

}  // namespace

TreeReadout::TreeReadout(const model::Tree& tree, const data::Binning& binning, std::size_t width,
                         std::uint64_t cuts)
    : walk_(code_tree(tree, binning)),
      width_(width),
      n_cuts_(static_cast<std::size_t>(std::bit_width(cuts))),
      is_paired_(width == 2 && has_equal_totals(tree.values)),
      n_items_(n_items(n_cuts_)) {
  auto stops = find_stops(tree, cuts);
  if (is_paired_) {
    total_ = total_of(tree.values, 0);
    seconds_ = std::move(stops);
    return;
  }
  values_ = tree.values;
  if (tree.values.size() / width_ <= std::size_t{1} << 16) {
    narrow_rows_.assign(stops.begin(), stops.end());
  } else {
    wide_rows_ = std::move(stops);
  }
  find_entries();
}

/// Whether the rows of two values have one total and second values that 32 bits hold.
bool TreeReadout::has_equal_totals(std::span<const std::int64_t> values) {
  for (std::size_t at = 0; at < values.size(); at += 2) {
    const bool fits = values[at + 1] >= 0 && values[at + 1] <= std::int64_t{0xffffffff};
    if (!fits || total_of(values, at) != total_of(values, 0)) return false;
  }
  return true;
}

std::uint32_t TreeReadout::item_of(const model::Tree& tree, std::size_t node) const {
  const auto row = static_cast<std::size_t>(tree.value_row[node]);
  return static_cast<std::uint32_t>(is_paired_ ? static_cast<std::size_t>(tree.values[2 * row + 1])
                                               : row);
}

/// What is listed where each cut stops, [n_leaves][n_items]: what cuts have stopped at is handed
/// down from parent to child.
std::vector<std::uint32_t> TreeReadout::find_stops(const model::Tree& tree, std::uint64_t cuts) {
  const std::size_t n_nodes = tree.n_nodes();
  // Of the path to each node: the cuts that have not stopped yet, and where in `above` the others
  // are.
  std::vector<std::uint64_t> active(n_nodes);
  std::vector<std::uint32_t> stopped(n_nodes);
  std::vector<std::uint32_t> above(n_items_), at_leaves;  // [..][n_items]
  at_leaves.reserve((n_nodes + 1) / 2 * n_items_);
  active[0] = cuts;
  end_of_.resize(n_nodes);
  for (std::size_t node = 0; node < n_nodes; ++node) {
    const bool is_leaf = tree.left[node] < 0;
    const std::uint64_t stops = active[node] & (is_leaf              ? ~std::uint64_t{0}
                                                : tree.stops.empty() ? 0
                                                                     : tree.stops[node]);
    auto& to = is_leaf ? at_leaves : above;
    if (stops != 0 || is_leaf) {
      const std::size_t begin = to.size();
      to.resize(begin + n_items_);
      const std::uint32_t* const from = above.data() + stopped[node];
      for (std::size_t k = 0; k < n_items_; k += 2) {
        to[begin + k] = from[k];
        to[begin + k + 1] = from[k + 1];
      }
      const std::uint32_t item = stops != 0 ? item_of(tree, node) : 0;
      for (auto left = stops; left != 0; left &= left - 1) {
        to[begin + static_cast<std::size_t>(std::countr_zero(left))] = item;
      }
      if (is_leaf) {
        end_of_[node] = static_cast<std::uint32_t>(begin / n_items_);
      } else {
        active[node] &= ~stops;
        stopped[node] = static_cast<std::uint32_t>(begin);
      }
    }
    if (is_leaf) continue;
    const auto left = static_cast<std::size_t>(tree.left[node]);
    active[left] = active[left + 1] = active[node];
    stopped[left] = stopped[left + 1] = stopped[node];
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

/// add_row(i, items listed for row i), row by row.
template <class Item, class AddRow>
void TreeReadout::for_rows(std::span<const Item> items, std::span<const NodeIndex> leaves,
                           const AddRow& add_row) const {
  // Leaves lie far apart: what the next rows need is asked for ahead.
  constexpr std::size_t kFar = 160, kNear = 80, kLine = 64;
  const auto end_of = [&](std::size_t i) {
    return &end_of_[static_cast<std::size_t>(leaves[std::min(i, leaves.size() - 1)])];
  };
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    __builtin_prefetch(end_of(i + kFar));
    const Item* ahead = items.data() + *end_of(i + kNear) * n_items_;
    for (std::size_t k = 0; k < n_items_; k += kLine / sizeof(Item)) __builtin_prefetch(ahead + k);
    __builtin_prefetch(ahead + n_items_ - 1);
    add_row(i, items.data() + *end_of(i) * n_items_);
  }
}

void TreeReadout::add_seconds(std::span<const NodeIndex> leaves, std::int64_t* out) const {
  for_rows<std::uint32_t>(seconds_, leaves, [&](std::size_t i, const std::uint32_t* seconds) {
    std::int64_t* row = out + i * n_items_;
    for (std::size_t slot = 0; slot < n_items_; slot += 2) {
      row[slot] += seconds[slot];
      row[slot + 1] += seconds[slot + 1];
    }
  });
}

template <class ValueRow>
void TreeReadout::add_values(std::span<const ValueRow> value_rows,
                             std::span<const NodeIndex> leaves, std::size_t stride,
                             std::int64_t* out) const {
  for_rows<ValueRow>(value_rows, leaves, [&](std::size_t i, const ValueRow* rows) {
    std::int64_t* to = out + i * width_;
    for (std::size_t cut = 0; cut < n_cuts_; ++cut, to += stride) {
      const Sparse& sparse = sparse_[rows[cut]];
      if (sparse.is_dense) {
        const std::int64_t* value = values_.data() + std::size_t{rows[cut]} * width_;
        for (std::size_t k = 0; k < width_; ++k) to[k] += value[k];
        continue;
      }
      for (std::uint32_t e = sparse.begin; e < sparse.end; ++e) {
        to[entries_[e].output] += entries_[e].value;
      }
    }
  });
}

void TreeReadout::add(const TestRows& test, ReadoutScratch& scratch, std::size_t n_test,
                      std::span<std::int64_t> sums) const {
  scratch.leaves.resize(test.rows().n_rows);
  walk_.walk(test.rows(), scratch.walk, scratch.leaves);
  std::int64_t* out = sums.data() + test.begin() * width_;
  if (is_paired_) {
    scratch.seconds.resize(test.rows().n_rows * n_items_);
    scratch.total += total_;
    add_seconds(scratch.leaves, scratch.seconds.data());
  } else if (wide_rows_.empty()) {
    add_values<std::uint16_t>(narrow_rows_, scratch.leaves, n_test * width_, out);
  } else {
    add_values<std::uint32_t>(wide_rows_, scratch.leaves, n_test * width_, out);
  }
}

void TreeReadout::finish(const TestRows& test, ReadoutScratch& scratch, std::size_t n_cuts,
                         std::size_t n_test, std::span<std::int64_t> sums) {
  if (scratch.seconds.empty()) return;
  require(scratch.seconds.size() == test.rows().n_rows * n_items(n_cuts),
          "all trees were read at these cuts");
  for (std::size_t cut = 0; cut < n_cuts; ++cut) {
    std::int64_t* out = sums.data() + (cut * n_test + test.begin()) * 2;
    const std::int64_t* second = scratch.seconds.data() + cut;
    for (std::size_t row = 0; row < test.rows().n_rows; ++row, second += n_items(n_cuts)) {
      out[2 * row] +=
          static_cast<std::int64_t>(scratch.total - static_cast<std::uint64_t>(*second));
      out[2 * row + 1] += *second;
    }
  }
  scratch.seconds.clear();
  scratch.total = 0;
}

}  // namespace orchard::learn
