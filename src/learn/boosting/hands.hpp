#pragma once
// Who does a piece of work: all threads of a pool together, or one of them alone while the others
// have work of their own.

#include <cstddef>

#include "orchard/parallel/pool.hpp"

namespace orchard::learn::boosting {

/// Borrows the pool. Local.
class Hands {
 public:
  /// All threads; for the thread that may enter the pool.
  explicit Hands(parallel::Pool& pool) : pool_(pool) {}
  /// The thread that has this number inside a loop of the pool.
  Hands(parallel::Pool& pool, int thread) : pool_(pool), thread_(thread), is_one_(true) {}

  /// The thread that does what is not shared out.
  int thread() const { return thread_; }
  /// Of threads that a loop can be shared out to.
  int n_threads() const { return is_one_ ? 1 : pool_.n_threads(); }
  void poll() const { pool_.poll(); }
  /// Pool::for_chunks where there are threads to share with and that `is_worth` waking them, else
  /// body(0, n_items, thread()).
  template <class Body>
  void for_chunks(std::size_t n_items, std::size_t chunk_size, bool is_worth,
                  const Body& body) const {
    if (n_threads() == 1 || !is_worth) {
      body(std::size_t{0}, n_items, thread_);
    } else {
      pool_.for_chunks(n_items, chunk_size, body);
    }
  }

 private:
  parallel::Pool& pool_;
  int thread_ = 0;
  bool is_one_ = false;
};

}  // namespace orchard::learn::boosting
