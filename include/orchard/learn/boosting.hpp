#pragma once
// Histogram gradient boosting (Friedman 2001; Ke et al. 2017), with scikit-learn's settings.
// Leaf-wise trees, exact fixed-point histograms, sibling subtraction.

#include <functional>

#include "orchard/learn/fit.hpp"
#include "orchard/options/learner_settings.hpp"

namespace orchard::learn {

/// One grid point of a family: points that differ in nothing else share one fit.
struct BoostingMember {
  std::int64_t max_iter = 100;
  std::int64_t n_iter_no_change = 10;
  double tol = 1e-7;
  bool operator==(const BoostingMember&) const = default;
};

class BoostingFit : public Fit {
 public:
  /// Called once a member, when it has all its rounds, in the order in which they finish (equal
  /// rounds: member order): the number of rounds and the raw test sums [n_test][n_outputs] of the
  /// whole fold (baseline included), on all members of a group. Also called during `restore`.
  using OnReadout =
      std::function<void(std::size_t member, int n_rounds, std::span<const std::int64_t> sums)>;

  /// The fit goes on until the last member has stopped. `settings` gives everything but what the
  /// members say. Data must hold the row-major copy.
  BoostingFit(const FitContext& context, const options::BoostingSettings& settings,
              std::vector<BoostingMember> members, OnReadout on_readout);
  ~BoostingFit() override;

  bool is_done() const override;
  void advance() override;
  const std::vector<model::Unit>& units() const override;
  void restore(std::vector<model::Unit> units) override;

  ModelFrame frame() const;
  /// Rounds of a member that has stopped; only once it has.
  int n_rounds(std::size_t member) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace orchard::learn
