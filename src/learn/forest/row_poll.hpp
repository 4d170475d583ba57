#pragma once
// Polling the pool while rows are visited.

#include <cstddef>

#include "orchard/parallel/pool.hpp"

namespace orchard::learn {

/// Called with the rows that were visited; polls every so many of them.
class RowPoll {
 public:
  /// `pool` is borrowed.
  explicit RowPoll(parallel::Pool& pool) : pool_(pool) {}

  void operator()(std::size_t n_visits) {
    n_unpolled_ += n_visits;
    if (n_unpolled_ < kRows) return;
    n_unpolled_ = 0;
    pool_.poll();
  }

 private:
  /// Well under a millisecond.
  static constexpr std::size_t kRows = 1 << 16;

  parallel::Pool& pool_;
  std::size_t n_unpolled_ = 0;
};

}  // namespace orchard::learn
