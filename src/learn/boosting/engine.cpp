#include "boosting/engine.hpp"

#include <algorithm>
#include <cmath>

#include "binned_tree.hpp"
#include "orchard/base/error.hpp"

namespace orchard::learn::boosting {
namespace {

constexpr std::size_t kWalkChunk = 4096;

std::vector<BinnedTree> binned(std::span<const model::Tree> trees, const data::Binning& binning) {
  std::vector<BinnedTree> out;
  for (const model::Tree& tree : trees) out.emplace_back(tree, binning);
  return out;
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
      peers_(context.group),
      settings_(settings),
      on_readout_(std::move(on_readout)),
      stops_early_(stops_early(settings.early_stopping, context.data.train_share.n)),
      kind_(loss_of(context.schema)),
      n_outputs_(n_outputs_of(context.schema)),
      exponent_(value_exponent(kind_, context.data.train_target())),
      members_(std::move(members), stops_early_),
      test_sums_(context_.data, context_.pool) {
  require(context.data.train_share.n > 0 && context.data.n_features() > 0,
          "a boosting fit has rows and features");
  require(!peers_.is_alone() ||
              (context.data.train_share.is_whole() && context.data.test_share.is_whole()),
          "a fit alone has all rows");
  TrainingRows rows = rows_of_fold();
  baseline_ = baseline(context, kind_, rows, exponent_);
  if (stops_early_) judge_.emplace(context_, settings.scoring, rows, exponent_);
  rows_ = std::move(rows).share(context.data.train_share);
  raw_.resize(static_cast<std::size_t>(n_outputs_) * context.data.n_train());
  test_raw_.resize(static_cast<std::size_t>(n_outputs_) * context.data.n_test());
  reset_raw();
  gradients_.emplace(kind_, n_outputs_, std::ldexp(1.0, exponent_), context.data.own_train_target(),
                     rows_, precision, context.pool, peers_);
  grower_.emplace(context.data, settings_, rows_, context.pool, peers_);
  if (stops_early_) scores_.push_back(judge_->score(raw_, 0));
}

// From labels and weights alone, which are whole everywhere: all members of a group find the same.
TrainingRows Engine::rows_of_fold() const {
  TrainingRows rows;
  rows.weight = row_weights(context_, settings_.class_weight);
  if (stops_early_ && settings_.validation_fraction) {
    rows.validation = choose_validation(context_, *settings_.validation_fraction);
  }
  auto held_out = rows.validation.begin();
  for (RowIndex row = 0; row < context_.data.train_share.n; ++row) {
    if (held_out != rows.validation.end() && *held_out == row) {
      ++held_out;
    } else if (rows.weight_of(row) != 0) {
      rows.fit.push_back(row);
    }
  }
  return rows;
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
      const std::vector<model::Tree> trees(unit.begin(), unit.end());
      add_to_training(trees, rows_.fit);
      add_to_training(trees, rows_.validation);
      test_sums_.add(trees, test_raw_);
    }
  }
  is_raw_stale_ = true;
  const auto trees = grow_unit();
  add_to_training(trees, rows_.validation);
  test_sums_.add(trees, test_raw_);
  end_round(model::Unit(trees));
  is_raw_stale_ = false;
}

std::vector<model::Tree> Engine::grow_unit() {
  const std::size_t n_train = context_.data.n_train();
  std::vector<model::Tree> trees;
  gradients_->begin_round(raw_);
  for (int k = 0; k < n_outputs_; ++k) {
    trees.push_back(grower_->grow(gradients_->quantise(k), exponent_));
    grower_->add_leaf_values(
        trees.back(), std::span(raw_).subspan(static_cast<std::size_t>(k) * n_train, n_train));
  }
  return trees;
}

void Engine::add_to_training(std::span<const model::Tree> trees, std::span<const RowIndex> rows) {
  if (rows.empty()) return;
  const auto walks = binned(trees, *context_.data.binning);
  const std::size_t n_train = context_.data.n_train();
  context_.pool.for_chunks(rows.size(), kWalkChunk, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t k = 0; k < trees.size(); ++k) {
      for (std::size_t i = begin; i < end; ++i) {
        raw_[k * n_train + rows[i]] += value_at(trees[k], walks[k].leaf(context_.data, rows[i]));
      }
    }
  });
}

// What may be stopped comes first: then the round has not happened.
void Engine::end_round(model::Unit unit) {
  auto scores = scores_;
  if (stops_early_) scores.push_back(judge_->score(raw_, units_.size() + 1));
  const int n_rounds = static_cast<int>(units_.size()) + 1;
  const auto finished = members_.finished_by(n_rounds, scores);
  std::vector<std::int64_t> gathered;
  if (!finished.empty() && on_readout_ && !peers_.is_alone()) {
    const data::RowShare& share = context_.data.test_share;
    const auto n_outputs = static_cast<std::size_t>(n_outputs_);
    gathered = peers_.gather_items(test_raw_, share.begin * n_outputs, share.n * n_outputs);
  }
  scores_ = std::move(scores);
  units_.push_back(std::move(unit));
  members_.finish(finished, n_rounds);
  for (const std::size_t member : finished) {
    if (on_readout_) on_readout_(member, n_rounds, peers_.is_alone() ? test_raw_ : gathered);
  }
}

void Engine::restore(std::vector<model::Unit> units) {
  require(units_.empty(), "a boosting fit is restored before it advances");
  for (model::Unit& unit : units) {
    require(!is_done(), "the units of a boosting fit end where its last member stops");
    require(unit.size() == static_cast<std::size_t>(n_outputs_),
            "a round of boosting holds one tree an output");
    const std::vector<model::Tree> trees(unit.begin(), unit.end());
    for (const model::Tree& tree : trees) tree.validate(context_.data.n_features(), 1);
    add_to_training(trees, rows_.fit);
    add_to_training(trees, rows_.validation);
    test_sums_.add(trees, test_raw_);
    end_round(std::move(unit));
  }
}

ModelFrame Engine::frame() const {
  return {model::Combine::kSum, n_outputs_, exponent_, baseline_};
}

}  // namespace orchard::learn::boosting
