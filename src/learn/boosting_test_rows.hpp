#pragma once
// The test rows of a fit, laid out for walking one new tree after the other.

#include <cstdint>
#include <span>
#include <vector>

#include "orchard/data/binning.hpp"
#include "orchard/learn/fit.hpp"
#include "orchard/model/code_walk.hpp"
#include "orchard/parallel/pool.hpp"

namespace orchard::learn::boosting {

/// A row-major copy of the test rows' bins. Local; uses the pool's threads.
class TestRows {
 public:
  /// Both borrowed. Throws Stopped.
  TestRows(const data::BinnedData& data, parallel::Pool& pool);

  /// Adds the leaf values of the unit's trees, one an output, to `sums` [n_test][n_outputs]. Throws
  /// Stopped, with part of them added.
  void add(const model::Unit& unit, std::span<std::int64_t> sums);

 private:
  void fill(std::size_t begin, std::size_t end);

  const data::BinnedData& data_;
  parallel::Pool& pool_;
  std::size_t stride_;
  std::vector<Bin> codes_;  // [n_test][stride_] and 3 more
  /// One a thread.
  struct Means {
    model::WalkScratch scratch;
    std::vector<NodeIndex> leaves;
  };
  std::vector<Means> means_;
};

}  // namespace orchard::learn::boosting
