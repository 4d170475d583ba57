#pragma once
// A fit is a sequence of units. The state of a running fit is the list of its finished units: from
// them it goes on bit for bit, on any number of ranks and threads.

#include <span>
#include <vector>

#include "orchard/base/types.hpp"
#include "orchard/data/binning.hpp"
#include "orchard/learn/row_group.hpp"
#include "orchard/model/ensemble.hpp"
#include "orchard/model/unit.hpp"
#include "orchard/parallel/pool.hpp"

namespace orchard::learn {

/// What every fit is given. Borrowed; must outlive the fit.
///
/// With a group, its members make equal fits on shares of the rows that make up the fold, with the
/// same bits as one rank alone, and call the same functions of them in the same order: the
/// constructor, `advance` and `restore` are collective. The pool's poll does not throw then: a stop
/// is the group's to tell.
struct FitContext {
  const data::BinnedData& data;
  const model::Schema& schema;  ///< task and classes
  std::uint64_t random_state;
  parallel::Pool& pool;
  RowGroup* group = nullptr;  ///< null: alone, on whole shares
};

/// Local, or collective over the context's group. Not thread-safe; uses the pool's threads inside
/// `advance`.
class Fit {
 public:
  virtual ~Fit() = default;
  virtual bool is_done() const = 0;
  /// Grows at least one unit (forests: some a thread). Calls the pool's poll often; on Stopped
  /// the units under way are dropped and the finished ones stay. Throws kData when this fit cannot
  /// succeed (a reason for the results table), e.g. a non-finite gradient.
  virtual void advance() = 0;
  /// Finished units, in order. Grows by appending only.
  virtual const std::vector<model::Unit>& units() const = 0;
  /// Continues from units that an equal fit has finished: a prefix of its sequence. Only before the
  /// first `advance`.
  virtual void restore(std::vector<model::Unit> units) = 0;
};

/// Value exponent, outputs and baseline of the models of a fit: with its units, the whole model.
struct ModelFrame {
  model::Combine combine = model::Combine::kAverage;
  std::int32_t n_outputs = 1;
  std::int32_t value_exponent = 0;
  std::vector<std::int64_t> baseline;
};

}  // namespace orchard::learn
