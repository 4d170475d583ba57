#include "boosting/test_sums.hpp"

#include <algorithm>

namespace orchard::learn::boosting {
namespace {

// Rows of a chunk stay in the cache from tree to tree.
constexpr RowIndex kChunk = 2048;

struct Walk {
  model::CodeTree tree;
  std::vector<std::int64_t> value_of_node;  // leaves

  Walk(const model::Tree& from, const data::Binning& binning)
      : tree(code_tree(from, binning)), value_of_node(from.n_nodes()) {
    for (std::size_t node = 0; node < value_of_node.size(); ++node) {
      const auto row = from.value_row[node];
      if (row >= 0) value_of_node[node] = from.values[static_cast<std::size_t>(row)];
    }
  }
};

}  // namespace

TestSums::TestSums(const data::BinnedData& data, parallel::Pool& pool)
    : data_(data), pool_(pool), means_(static_cast<std::size_t>(pool.n_threads())) {
  const auto n_test = static_cast<RowIndex>(data.n_test());
  for (RowIndex begin = 0; begin < n_test; begin += kChunk) {
    pool.poll();
    chunks_.emplace_back(data, begin, std::min(begin + kChunk, n_test));
  }
}

void TestSums::add(std::span<const model::Tree> trees, std::span<std::int64_t> sums) {
  if (chunks_.empty()) return;
  std::vector<Walk> walks;
  for (const model::Tree& tree : trees) walks.emplace_back(tree, *data_.binning);
  const std::size_t n_outputs = walks.size();
  pool_.for_chunks(chunks_.size(), 1, [&](std::size_t chunk, std::size_t, int thread) {
    auto& [scratch, leaves] = means_[static_cast<std::size_t>(thread)];
    const TestRows& rows = chunks_[chunk];
    leaves.resize(rows.rows().n_rows);
    for (std::size_t k = 0; k < n_outputs; ++k) {
      walks[k].tree.walk(rows.rows(), scratch, leaves);
      std::int64_t* const out = sums.data() + rows.begin() * n_outputs + k;
      for (std::size_t i = 0; i < leaves.size(); ++i) {
        out[i * n_outputs] += walks[k].value_of_node[static_cast<std::size_t>(leaves[i])];
      }
    }
  });
}

}  // namespace orchard::learn::boosting
