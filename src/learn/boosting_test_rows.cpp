#include "boosting_test_rows.hpp"

#include <algorithm>

#include "binned_tree.hpp"

namespace orchard::learn::boosting {
namespace {

// Rows of a chunk stay in the cache from tree to tree.
constexpr std::size_t kChunk = 2048;
constexpr std::size_t kAlignment = 32;
constexpr std::size_t kReadAfterLast = 3;
constexpr Bin kMissing = 255;

struct Walk {
  model::CodeTree tree;
  std::vector<std::int64_t> value_of_node;  // leaves

  Walk(const model::Tree& from, const data::Binning& binning)
      : tree(BinnedTree(from, binning).code_tree(from, binning)), value_of_node(from.n_nodes()) {
    for (std::size_t node = 0; node < value_of_node.size(); ++node) {
      const auto row = from.value_row[node];
      if (row >= 0) value_of_node[node] = from.values[static_cast<std::size_t>(row)];
    }
  }
};

}  // namespace

TestRows::TestRows(const data::BinnedData& data, parallel::Pool& pool)
    : data_(data),
      pool_(pool),
      stride_((data.n_features() + kAlignment) / kAlignment * kAlignment),
      codes_(data.n_test() == 0 ? 0 : data.n_test() * stride_ + kReadAfterLast),
      means_(static_cast<std::size_t>(pool.n_threads())) {
  pool.for_chunks(data.n_test(), kChunk,
                  [&](std::size_t begin, std::size_t end, int) { fill(begin, end); });
}

void TestRows::fill(std::size_t begin, std::size_t end) {
  for (std::size_t f = 0; f < data_.n_features(); ++f) {
    const Bin* const column = data_.column(f) + data_.n_train();
    const int missing = data_.binning->features[f].missing_bin();
    for (std::size_t row = begin; row < end; ++row) {
      codes_[row * stride_ + f] = column[row] == missing ? kMissing : column[row];
    }
  }
  for (std::size_t row = begin; row < end; ++row) {
    codes_[row * stride_ + data_.n_features()] = kMissing;
  }
}

void TestRows::add(const model::Unit& unit, std::span<std::int64_t> sums) {
  if (data_.n_test() == 0) return;
  std::vector<Walk> walks;
  for (const model::Tree& tree : unit) walks.emplace_back(tree, *data_.binning);
  const std::size_t n_outputs = walks.size();
  pool_.for_chunks(data_.n_test(), kChunk, [&](std::size_t begin, std::size_t end, int thread) {
    auto& [scratch, leaves] = means_[static_cast<std::size_t>(thread)];
    leaves.resize(end - begin);
    const model::CodeRows rows = {codes_.data() + begin * stride_, stride_, end - begin, true};
    for (std::size_t k = 0; k < n_outputs; ++k) {
      walks[k].tree.walk(rows, scratch, leaves);
      std::int64_t* const out = sums.data() + begin * n_outputs + k;
      for (std::size_t i = 0; i < leaves.size(); ++i) {
        out[i * n_outputs] += walks[k].value_of_node[static_cast<std::size_t>(leaves[i])];
      }
    }
  });
}

}  // namespace orchard::learn::boosting
