#pragma once
// Raw predictions of the test rows of a fit, one new tree after the other.

#include <cstdint>
#include <span>
#include <vector>

#include "orchard/data/binning.hpp"
#include "orchard/learn/fit.hpp"
#include "orchard/parallel/pool.hpp"
#include "test_rows.hpp"

namespace orchard::learn::boosting {

/// Keeps a coded copy of the test rows. Local; uses the pool's threads.
class TestSums {
 public:
  /// Both borrowed. Throws Stopped.
  TestSums(const data::BinnedData& data, parallel::Pool& pool);

  /// Adds the leaf values of a round's trees, one an output, to `sums` [n_test][n_outputs]. Throws
  /// Stopped, with part of them added.
  void add(std::span<const model::Tree> trees, std::span<std::int64_t> sums);

 private:
  const data::BinnedData& data_;
  parallel::Pool& pool_;
  std::vector<TestRows> chunks_;
  /// One a thread.
  struct Means {
    model::WalkScratch scratch;
    std::vector<NodeIndex> leaves;
  };
  std::vector<Means> means_;
};

}  // namespace orchard::learn::boosting
