#pragma once
// The fast way of applying a model to many rows; the same bits as model::accumulate.

#include <memory>
#include <span>

#include "orchard/model/ensemble.hpp"
#include "orchard/parallel/pool.hpp"

namespace orchard::model {

/// A model made ready for predicting. Rows are turned to bytes once (the model's own thresholds say
/// what a byte means), then each tree is walked with a block of rows that stays in the cache: trees
/// of few leaves by masks over their leaves (Lucchese et al., QuickScorer, SIGIR 2015), others with
/// many rows abreast. A model that bytes cannot serve is walked plainly.
class Predictor {
 public:
  /// Rows worth giving to one call: fewer read every tree more often than need be.
  static constexpr std::size_t kRowsAtOnce = 16384;

  /// Borrows the ensemble, which must be valid and outlive it unchanged. The threads of the pool
  /// make its trees ready; the predictor is the same for any number of them. Throws what
  /// Pool::for_chunks throws.
  Predictor(const Ensemble& ensemble, parallel::Pool& pool);
  ~Predictor();
  Predictor(Predictor&&) noexcept;
  Predictor& operator=(Predictor&&) noexcept;

  const Ensemble& ensemble() const;

  /// Exactly what model::accumulate does, on every instruction set. Local; any number of threads
  /// may call at once.
  void accumulate(const FeatureColumns& data, RowIndex begin, RowIndex end,
                  std::span<std::int64_t> sums) const;

 private:
  struct State;
  std::unique_ptr<const State> state_;
};

}  // namespace orchard::model
