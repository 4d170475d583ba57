#pragma once
// One fit as `orchard train` does it, without files: from float columns to trees.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench_table.hpp"
#include "orchard/comm/communicator.hpp"
#include "orchard/learn/boosting.hpp"
#include "orchard/learn/forest.hpp"
#include "orchard/run/fold_store.hpp"

namespace orchard::bench {

inline constexpr std::uint64_t kRandomState = 1;
inline constexpr int kMaxBins = 255;

/// What the command line asks for.
struct Task {
  std::string task, table, folder;
  std::map<std::string, std::string> keys;

  /// Throws kUsage for a value that is no integer.
  std::int64_t number(const std::string& key, std::int64_t otherwise) const;
  /// The number, or nothing when it is 0: no limit.
  std::optional<std::int64_t> limit(const std::string& key, std::int64_t otherwise) const;
  Kind kind() const;
  /// min_samples_leaf of the forests to grow, at least one.
  std::vector<options::CountOrFraction> leaf_sizes() const;
};

options::ForestSettings forest_settings(const Task& task);

/// Bins and grows in its constructor: boosting for the tasks boost and predict, else a forest; the
/// task readouts gives it ten cuts. Forests of several leaf sizes grow together; what is asked for
/// is of the first. Borrows what it is given. Local; uses the pool's threads.
class Fitting {
 public:
  Fitting(const Task& task, const BenchTable& table, const data::Fold& fold, parallel::Pool& pool);
  ~Fitting();
  Fitting(const Fitting&) = delete;
  Fitting& operator=(const Fitting&) = delete;

  learn::ModelFrame frame() const;
  model::Ensemble ensemble() const;
  learn::ForestFit& forest() const { return static_cast<learn::ForestFit&>(*fit_); }

  double bin_s = 0, fit_s = 0;

 private:
  void grow(const Task& task, const learn::FitContext& context);

  const BenchTable& table_;
  comm::Communicator node_;
  bool is_forest_;
  std::optional<run::FoldStore> store_;
  std::unique_ptr<learn::Fit> fit_;
};

/// A model of these units.
model::Ensemble assemble(const model::Schema& schema, const learn::ModelFrame& frame,
                         const std::vector<model::Unit>& units);

}  // namespace orchard::bench
