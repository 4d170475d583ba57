#pragma once
// Random tables for the boosting tests: raw values, and the same rows binned as a fit gets them.

#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "orchard/data/binning.hpp"
#include "orchard/learn/fit.hpp"

namespace orchard::learn {

struct BoostingSpec {
  RowIndex n_train = 300, n_test = 50;
  std::size_t n_numeric = 4, n_categorical = 0;
  std::size_t n_classes = 2;  ///< 0: regression
  int n_values = 30;          ///< distinct values of a numeric feature
  int n_levels = 8;
  bool has_missing = false;
  bool has_weights = false;  ///< some of them 0
};

/// Training rows first, then test rows.
class BoostingTable {
 public:
  BoostingTable(const BoostingSpec& spec, std::uint64_t seed) : random_(seed), pool_(1) {
    table.n_rows = spec.n_train + spec.n_test;
    table.schema.task = spec.n_classes > 0 ? Task::kClassification : Task::kRegression;
    for (std::size_t c = 0; c < spec.n_classes; ++c) {
      table.schema.classes.push_back(std::to_string(c));
    }
    for (std::size_t f = 0; f < spec.n_numeric + spec.n_categorical; ++f) add_feature(spec, f);
    for (const auto& column : columns) table.columns.push_back(column.data());
    add_target(spec);
    table.target = target;
    table.weight = weight;
    for (RowIndex row = 0; row < table.n_rows; ++row) {
      (row < spec.n_train ? fold_.train : fold_.test).push_back(row);
    }
    bin();
  }
  BoostingTable(const BoostingTable&) = delete;
  BoostingTable& operator=(const BoostingTable&) = delete;

  /// Again, after the raw values, targets or weights were changed.
  void bin() {
    table.target = target;
    table.weight = weight;
    binned_ = data::bin_fold(table, fold_, 255, 7, true, pool_);
  }
  const data::BinnedData& data() const { return binned_->data; }
  FitContext context(parallel::Pool& pool, std::uint64_t random_state = 7) const {
    return {binned_->data, table.schema, random_state, pool};
  }

  data::Table table;
  std::vector<std::vector<float>> columns;
  std::vector<double> target, weight;

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  double real() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

  void add_feature(const BoostingSpec& spec, std::size_t f) {
    model::Feature feature{"f" + std::to_string(f), model::FeatureKind::kNumeric, {}};
    const bool is_categorical = f >= spec.n_numeric;
    if (is_categorical) {
      feature.kind = model::FeatureKind::kCategorical;
      for (int level = 0; level < spec.n_levels; ++level) {
        feature.levels.push_back("level" + std::to_string(1000 + level));
      }
    }
    auto& column = columns.emplace_back();
    for (RowIndex row = 0; row < table.n_rows; ++row) {
      if (spec.has_missing && below(8) == 0) {
        column.push_back(std::numeric_limits<float>::quiet_NaN());
      } else if (is_categorical) {
        // Low levels are common, high ones rare.
        const auto level = below(1 + below(static_cast<std::uint64_t>(spec.n_levels)));
        column.push_back(static_cast<float>(level));
      } else {
        const auto step = static_cast<double>(below(static_cast<std::uint64_t>(spec.n_values)));
        column.push_back(static_cast<float>(step * step * 0.37 - 5));
      }
    }
    table.schema.features.push_back(feature);
  }

  void add_target(const BoostingSpec& spec) {
    for (RowIndex row = 0; row < table.n_rows; ++row) {
      double score = 0;
      for (std::size_t f = 0; f < columns.size(); ++f) {
        const double value = std::isnan(columns[f][row]) ? 20.0 : columns[f][row];
        score += (f % 2 == 0 ? 1.0 : -0.5) * std::sin(value / (1.0 + static_cast<double>(f)));
      }
      score += real() - 0.5;
      if (spec.n_classes == 0) {
        target.push_back(score * 3 + 10);
      } else {
        const double scaled = std::floor((score + 2) * 0.7 * static_cast<double>(spec.n_classes));
        target.push_back(
            static_cast<double>(static_cast<std::size_t>(std::abs(scaled)) % spec.n_classes));
      }
      if (spec.has_weights) weight.push_back(static_cast<double>(below(9)) / 3);
    }
  }

  std::mt19937_64 random_;
  parallel::Pool pool_;
  data::Fold fold_;
  std::unique_ptr<data::OwnedBinned> binned_;
};

}  // namespace orchard::learn
