// Cases in which rounded derivatives are known to spoil a fit when they keep too few bits: weights
// far apart, and log loss with confident predictions. Judged against the same method in doubles.

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "boosting/engine.hpp"
#include "boosting/table.hpp"
#include "global_seed.hpp"

namespace orchard::learn {
namespace {

using boosting::Engine;
using boosting::Precision;
using options::BoostingSettings;

/// Boosting of one output in doubles, for tables without missing values and categories.
class DoubleBooster {
 public:
  DoubleBooster(const BoostingTable& table, const BoostingSettings& settings)
      : data_(table.data()),
        settings_(settings),
        is_classification_(table.table.schema.task == Task::kClassification) {
    const std::size_t n = data_.n_train();
    double sum = 0, total = 0;
    for (std::size_t row = 0; row < n; ++row) {
      sum += weight(row) * data_.target[row];
      total += weight(row);
    }
    const double mean = sum / total;
    raw.assign(n, is_classification_ ? std::log(mean / (1 - mean)) : mean);
    g_.resize(n);
    h_.resize(n);
  }
  void advance() {
    for (std::size_t row = 0; row < raw.size(); ++row) {
      const double p = is_classification_ ? 1 / (1 + std::exp(-raw[row])) : raw[row];
      g_[row] = weight(row) * (p - data_.target[row]);
      h_[row] = weight(row) * (is_classification_ ? p * (1 - p) : 1);
    }
    std::vector<Leaf> leaves(1);
    for (std::size_t row = 0; row < raw.size(); ++row) leaves[0].rows.push_back(row);
    search(leaves[0]);
    while (leaves.size() < static_cast<std::size_t>(*settings_.max_leaf_nodes)) {
      const auto best =
          std::max_element(leaves.begin(), leaves.end(),
                           [](const Leaf& a, const Leaf& b) { return a.gain < b.gain; });
      if (!(best->gain > 0)) break;
      Leaf left, right;
      for (const std::size_t row : best->rows) {
        (data_.column(best->feature)[row] <= best->bin ? left : right).rows.push_back(row);
      }
      search(left);
      search(right);
      *best = left;
      leaves.push_back(right);
    }
    for (const Leaf& leaf : leaves) {
      double g = 0, h = 0;
      for (const std::size_t row : leaf.rows) {
        g += g_[row];
        h += h_[row];
      }
      for (const std::size_t row : leaf.rows) raw[row] -= settings_.learning_rate * g / h;
    }
  }
  std::vector<double> raw;

 private:
  struct Leaf {
    std::vector<std::size_t> rows;
    double gain = 0;
    std::size_t feature = 0;
    Bin bin = 0;
  };
  double weight(std::size_t row) const { return data_.weight.empty() ? 1 : data_.weight[row]; }
  void search(Leaf& leaf) const {
    const auto least = static_cast<std::size_t>(settings_.min_samples_leaf);
    for (std::size_t f = 0; f < data_.n_features(); ++f) {
      std::array<double, 256> g{}, h{};
      std::array<std::size_t, 256> count{};
      double all_g = 0, all_h = 0, left_g = 0, left_h = 0;
      for (const std::size_t row : leaf.rows) {
        const Bin bin = data_.column(f)[row];
        g[bin] += g_[row];
        h[bin] += h_[row];
        ++count[bin];
        all_g += g_[row];
        all_h += h_[row];
      }
      std::size_t n_left = 0;
      for (int bin = 0; bin < 255; ++bin) {
        const auto at = static_cast<std::size_t>(bin);
        left_g += g[at];
        left_h += h[at];
        n_left += count[at];
        if (n_left < least || leaf.rows.size() - n_left < least) continue;
        if (left_h < 1e-3 || all_h - left_h < 1e-3) continue;
        const double gain = left_g * left_g / left_h +
                            (all_g - left_g) * (all_g - left_g) / (all_h - left_h) -
                            all_g * all_g / all_h;
        if (gain > leaf.gain + 1e-12) {
          leaf.gain = gain;
          leaf.feature = f;
          leaf.bin = static_cast<Bin>(bin);
        }
      }
    }
  }

  const data::BinnedData& data_;
  BoostingSettings settings_;
  bool is_classification_;
  std::vector<double> g_, h_;
};

BoostingSettings settings() {
  BoostingSettings out;
  out.early_stopping = options::EarlyStopping::kOff;
  out.max_leaf_nodes = 15;
  return out;
}

double log_loss(const BoostingTable& table, const std::vector<double>& raw) {
  double sum = 0;
  for (std::size_t row = 0; row < raw.size(); ++row) {
    sum += std::log1p(std::exp(table.target[row] > 0 ? -raw[row] : raw[row]));
  }
  return sum / static_cast<double>(raw.size());
}

/// Of the rows of weight 1 alone: those that a coarse scale would forget.
double light_rmse(const BoostingTable& table, const std::vector<double>& raw) {
  double sum = 0, n = 0;
  for (std::size_t row = 0; row < raw.size(); ++row) {
    if (table.weight[row] > 1) continue;
    sum += std::pow(raw[row] - table.target[row], 2);
    ++n;
  }
  return std::sqrt(sum / n);
}

struct Outcome {
  double exact, ours;
};

template <class Measure>
Outcome compare(const BoostingTable& table, int n_rounds, const Measure& measure,
                Precision precision = Precision::kAuto) {
  DoubleBooster reference(table, settings());
  for (int round = 0; round < n_rounds; ++round) reference.advance();
  parallel::Pool pool(1);
  Engine engine(table.context(pool), settings(), {{n_rounds, 10, 0}}, {}, precision);
  while (!engine.is_done()) engine.advance();
  std::vector<double> raw;
  for (const std::int64_t value : engine.raw()) {
    raw.push_back(std::ldexp(static_cast<double>(value), engine.frame().value_exponent));
  }
  return {measure(table, reference.raw), measure(table, raw)};
}

/// Two classes that the features tell apart without error.
std::unique_ptr<BoostingTable> separable_table(std::uint64_t seed) {
  auto table =
      std::make_unique<BoostingTable>(BoostingSpec{2000, 0, 4, 0, 2, 200, 0, false, false}, seed);
  for (RowIndex row = 0; row < 2000; ++row) {
    table->target[row] =
        std::sin(table->columns[0][row] / 900) + std::cos(table->columns[1][row] / 700) > 0.3;
  }
  table->bin();
  return table;
}

TEST(BoostingHardCases, ConfidentLogLoss) {
  const auto table = separable_table(testing_support::global_seeds()[0]);
  const auto outcome = compare(*table, 300, log_loss);
  EXPECT_LT(outcome.exact, 0.02);
  EXPECT_NEAR(outcome.ours, outcome.exact, 0.01 * outcome.exact);
}

TEST(BoostingHardCases, WeightsFarApart) {
  BoostingTable table({3000, 0, 4, 0, 0, 200, 0, false, true}, testing_support::global_seeds()[0]);
  for (RowIndex row = 0; row < 3000; ++row) table.weight[row] = row % 50 == 0 ? 1e5 : 1;
  table.bin();
  const auto outcome = compare(table, 100, light_rmse);
  EXPECT_NEAR(outcome.ours, outcome.exact, 0.01 * outcome.exact);
}

TEST(BoostingHardCases, OrdinaryLogLossIsThatOfDoubles) {
  const BoostingTable table({2000, 0, 4, 0, 2, 200, 0, false, false},
                            testing_support::global_seeds()[0]);
  for (const auto precision : {Precision::kPacked, Precision::kWide}) {
    const auto outcome = compare(table, 60, log_loss, precision);
    EXPECT_NEAR(outcome.ours, outcome.exact, 0.01 * outcome.exact);
  }
}

TEST(BoostingHardCases, SquaredErrorIsThatOfDoubles) {
  BoostingTable table({2000, 0, 4, 0, 0, 200, 0, false, true}, testing_support::global_seeds()[0]);
  table.weight.assign(2000, 1);
  table.bin();
  for (const auto precision : {Precision::kPacked, Precision::kWide}) {
    const auto outcome = compare(table, 60, light_rmse, precision);
    EXPECT_NEAR(outcome.ours, outcome.exact, 0.01 * outcome.exact);
  }
}

}  // namespace
}  // namespace orchard::learn
