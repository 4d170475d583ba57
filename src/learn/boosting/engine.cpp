#include "boosting/engine.hpp"

#include <algorithm>
#include <cmath>

#include "binned_tree.hpp"
#include "orchard/base/error.hpp"

namespace orchard::learn::boosting {
namespace {

constexpr std::size_t kWalkChunk = 4096;

std::vector<BinnedTree> binned(const model::Unit& unit, const data::Binning& binning) {
  std::vector<BinnedTree> trees;
  for (const model::Tree& tree : unit) trees.emplace_back(tree, binning);
  return trees;
}

std::int64_t value_at(const model::Tree& tree, NodeIndex leaf) {
  const auto row = static_cast<std::size_t>(tree.value_row[static_cast<std::size_t>(leaf)]);
  return tree.values[row];
}

}  // namespace

Engine::Engine(const FitContext& context, const options::BoostingSettings& settings,
               std::vector<BoostingMember> members, BoostingFit::OnReadout on_readout,
               Precision precision)
    : context_(context),
      settings_(settings),
      on_readout_(std::move(on_readout)),
      stops_early_(stops_early(settings.early_stopping, context.data.n_train())),
      kind_(loss_of(context.schema)),
      n_outputs_(n_outputs_of(context.schema)),
      exponent_(value_exponent(kind_, context.data.train_target())),
      members_(std::move(members), stops_early_),
      test_sums_(context_.data, context_.pool) {
  require(context.data.n_train() > 0 && context.data.n_features() > 0,
          "a boosting fit has rows and features");
  rows_.weight = row_weights(context, settings.class_weight);
  hold_out_validation();
  baseline_ = baseline(context, kind_, rows_, exponent_);
  raw_.resize(static_cast<std::size_t>(n_outputs_) * context.data.n_train());
  test_raw_.resize(static_cast<std::size_t>(n_outputs_) * context.data.n_test());
  reset_raw();
  gradients_.emplace(kind_, n_outputs_, std::ldexp(1.0, exponent_), context.data.train_target(),
                     rows_, precision, context.pool);
  grower_.emplace(context.data, settings_, rows_, context.pool);
  if (!stops_early_) return;
  judge_.emplace(context_, settings.scoring, rows_, exponent_);
  scores_.push_back(judge_->score(raw_, 0));
}

void Engine::hold_out_validation() {
  if (stops_early_ && settings_.validation_fraction) {
    rows_.validation = choose_validation(context_, *settings_.validation_fraction);
  }
  auto held_out = rows_.validation.begin();
  for (RowIndex row = 0; row < context_.data.n_train(); ++row) {
    if (held_out != rows_.validation.end() && *held_out == row) {
      ++held_out;
    } else if (rows_.weight_of(row) != 0) {
      rows_.fit.push_back(row);
    }
  }
}

void Engine::reset_raw() {
  const std::size_t n_train = context_.data.n_train();
  for (std::size_t k = 0; k < baseline_.size(); ++k) {
    std::fill_n(raw_.begin() + static_cast<std::ptrdiff_t>(k * n_train), n_train, baseline_[k]);
  }
  for (std::size_t i = 0; i < test_raw_.size(); ++i) {
    test_raw_[i] = baseline_[i % baseline_.size()];
  }
}

void Engine::advance() {
  require(!is_done(), "a finished boosting fit is not advanced");
  if (is_raw_stale_) {
    reset_raw();
    for (const model::Unit& unit : units_) {
      add_to_training(unit, rows_.fit);
      add_to_training(unit, rows_.validation);
      test_sums_.add(unit, test_raw_);
    }
  }
  is_raw_stale_ = true;
  model::Unit unit = grow_unit();
  add_to_training(unit, rows_.validation);
  test_sums_.add(unit, test_raw_);
  end_round(std::move(unit));
  is_raw_stale_ = false;
}

model::Unit Engine::grow_unit() {
  const std::size_t n_train = context_.data.n_train();
  std::vector<model::Tree> trees;
  gradients_->begin_round(raw_);
  for (int k = 0; k < n_outputs_; ++k) {
    trees.push_back(grower_->grow(gradients_->quantise(k), exponent_));
    grower_->add_leaf_values(
        trees.back(), std::span(raw_).subspan(static_cast<std::size_t>(k) * n_train, n_train));
  }
  return model::Unit(std::move(trees));
}

void Engine::add_to_training(const model::Unit& unit, std::span<const RowIndex> rows) {
  if (rows.empty()) return;
  const auto trees = binned(unit, *context_.data.binning);
  const std::size_t n_train = context_.data.n_train();
  context_.pool.for_chunks(rows.size(), kWalkChunk, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t k = 0; k < trees.size(); ++k) {
      for (std::size_t i = begin; i < end; ++i) {
        raw_[k * n_train + rows[i]] += value_at(unit[k], trees[k].leaf(context_.data, rows[i]));
      }
    }
  });
}

// The score comes first: when it is stopped, the round has not happened.
void Engine::end_round(model::Unit unit) {
  if (stops_early_) scores_.push_back(judge_->score(raw_, units_.size() + 1));
  units_.push_back(std::move(unit));
  const int n_rounds = static_cast<int>(units_.size());
  for (const std::size_t member : members_.finish(n_rounds, scores_)) {
    if (on_readout_) on_readout_(member, n_rounds, test_raw_);
  }
}

void Engine::restore(std::vector<model::Unit> units) {
  require(units_.empty(), "a boosting fit is restored before it advances");
  for (model::Unit& unit : units) {
    require(!is_done(), "the units of a boosting fit end where its last member stops");
    require(unit.size() == static_cast<std::size_t>(n_outputs_),
            "a round of boosting holds one tree an output");
    for (const model::Tree& tree : unit) tree.validate(context_.data.n_features(), 1);
    add_to_training(unit, rows_.fit);
    add_to_training(unit, rows_.validation);
    test_sums_.add(unit, test_raw_);
    end_round(std::move(unit));
  }
}

ModelFrame Engine::frame() const {
  return {model::Combine::kSum, n_outputs_, exponent_, baseline_};
}

}  // namespace orchard::learn::boosting
