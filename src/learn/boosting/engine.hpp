#pragma once
// The rounds of a boosting fit, on raw predictions that are sums of stored leaf values: adding the
// trees again, in any order, gives them back exactly.

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "boosting/gradients.hpp"
#include "boosting/grower.hpp"
#include "boosting/loss.hpp"
#include "boosting/stopping.hpp"
#include "boosting/test_sums.hpp"
#include "orchard/learn/boosting.hpp"
#include "peers.hpp"

namespace orchard::learn::boosting {

/// What BoostingFit is made of; `precision` is for tests.
class Engine {
 public:
  Engine(const FitContext& context, const options::BoostingSettings& settings,
         std::vector<BoostingMember> members, BoostingFit::OnReadout on_readout,
         Precision precision = Precision::kAuto);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  bool is_done() const { return members_.are_done(); }
  void advance();
  const std::vector<model::Unit>& units() const { return units_; }
  void restore(std::vector<model::Unit> units);
  ModelFrame frame() const;
  int n_rounds(std::size_t member) const { return members_.n_rounds(member); }

  /// [n_outputs][n_train] raw predictions of the own rows. Rows of weight 0 keep the baseline.
  std::span<const std::int64_t> raw() const { return raw_; }
  /// Scores after 0, 1, .. rounds; empty without early stopping.
  std::span<const double> scores() const { return scores_; }
  const TrainingRows& rows() const { return rows_; }

 private:
  TrainingRows rows_of_fold() const;
  void reset_raw();
  std::vector<model::Tree> grow_unit();
  void add_to_training(std::span<const model::Tree> trees, std::span<const RowIndex> rows);
  void end_round(model::Unit unit);

  FitContext context_;
  Peers peers_;
  options::BoostingSettings settings_;
  BoostingFit::OnReadout on_readout_;
  bool stops_early_;
  LossKind kind_;
  int n_outputs_;
  int exponent_;
  TrainingRows rows_;
  Members members_;
  std::vector<std::int64_t> baseline_;
  std::vector<std::int64_t> raw_;       // [n_outputs][n_train]
  std::vector<std::int64_t> test_raw_;  // [n_test][n_outputs]
  std::optional<GradientMaker> gradients_;
  std::optional<TreeGrower> grower_;
  TestSums test_sums_;
  std::optional<Judge> judge_;
  std::vector<model::Unit> units_;
  std::vector<double> scores_;
  // Raw predictions hold part of a round that was stopped; they are made again from the units.
  bool is_raw_stale_ = false;
};

}  // namespace orchard::learn::boosting
