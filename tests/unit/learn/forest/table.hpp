#pragma once
// Small random tables, binned by hand, with the raw values behind the bins.

#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "forest/grower.hpp"
#include "orchard/base/text.hpp"
#include "orchard/data/binning.hpp"
#include "orchard/learn/fit.hpp"

namespace orchard::learn {

struct TableSpec {
  RowIndex n_train = 120, n_test = 40;
  std::size_t n_numeric = 4, n_categorical = 0;
  std::size_t n_classes = 2;  ///< 0: regression
  int max_bins = 12;
  bool has_missing = false;
  bool has_weights = false;
};

/// Training rows first, then test rows, as in a fit.
class ForestTable {
 public:
  ForestTable(const TableSpec& spec, std::uint64_t seed) : spec_(spec), random_(seed) {
    schema.task = spec.n_classes > 0 ? Task::kClassification : Task::kRegression;
    for (std::size_t c = 0; c < spec.n_classes; ++c) schema.classes.push_back(std::to_string(c));
    const std::size_t n_features = spec.n_numeric + spec.n_categorical;
    data.binning = &binning;
    data.layout = data::BinnedLayout::make(spec.n_train, spec.n_test, n_features, false);
    memory.resize(data.layout.n_bytes + 64);
    data.memory = memory.data();
    for (std::size_t f = 0; f < n_features; ++f) {
      f < spec.n_numeric ? add_numeric(f) : add_categorical(f);
    }
    add_target();
    data.train_share = data::RowShare::whole(spec.n_train);
    data.test_share = data::RowShare::whole(spec.n_test);
    data.target = target;
    data.weight = weight;
  }
  ForestTable(const ForestTable&) = delete;
  ForestTable& operator=(const ForestTable&) = delete;

  RowIndex n_rows() const { return spec_.n_train + spec_.n_test; }
  model::FeatureColumns features() const {
    model::FeatureColumns out{{}, n_rows()};
    for (const auto& column : columns) out.columns.push_back(column.data());
    return out;
  }

  model::Schema schema;
  data::Binning binning;
  std::vector<std::byte> memory;
  std::vector<double> target, weight;
  std::vector<std::vector<float>> columns;
  data::BinnedData data;

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  Bin* bins_of(std::size_t feature) {
    return reinterpret_cast<Bin*>(memory.data()) + feature * data.layout.column_stride;
  }

  /// A bin for every row, the missing one for about a tenth where the table has missing values.
  void draw_bins(std::size_t feature, int n_bins) {
    for (RowIndex row = 0; row < n_rows(); ++row) {
      const bool is_missing = spec_.has_missing && below(10) == 0;
      const auto bin = is_missing ? static_cast<std::uint64_t>(n_bins)
                                  : below(static_cast<std::uint64_t>(n_bins));
      bins_of(feature)[row] = static_cast<Bin>(bin);
    }
  }

  void add_numeric(std::size_t feature) {
    schema.features.push_back({format("x{}", feature), model::FeatureKind::kNumeric, {}});
    data::FeatureBins bins;
    bins.n_bins = 1 + static_cast<int>(below(static_cast<std::uint64_t>(spec_.max_bins)));
    float at = -3;
    for (int b = 0; b < bins.n_bins; ++b) {
      bins.bin_min.push_back(at);
      at += static_cast<float>(below(3)) * 0.5F;
      bins.bin_max.push_back(at);
      const float next = at + 0.25F * static_cast<float>(1 + below(9));
      if (b + 1 < bins.n_bins) bins.cuts.push_back((at + next) / 2);
      at = next;
    }
    draw_bins(feature, bins.n_bins);
    auto& column = columns.emplace_back();
    for (RowIndex row = 0; row < n_rows(); ++row) {
      const Bin bin = bins_of(feature)[row];
      column.push_back(bin == bins.n_bins ? std::numeric_limits<float>::quiet_NaN()
                                          : (below(2) ? bins.bin_min : bins.bin_max)[bin]);
    }
    binning.features.push_back(bins);
  }

  void add_categorical(std::size_t feature) {
    model::Feature entry{format("c{}", feature), model::FeatureKind::kCategorical, {}};
    data::FeatureBins bins;
    bins.kind = model::FeatureKind::kCategorical;
    bins.n_bins = 0;
    const std::size_t n_levels = 3 + below(40);
    for (std::uint32_t level = 0; level < n_levels; ++level) {
      entry.levels.push_back(format("level{}", 100 + level));
      if (bins.n_bins == 0 || (below(3) != 0 && bins.n_bins < spec_.max_bins)) {
        bins.level_of_bin.push_back(level);
        ++bins.n_bins;
      }
    }
    bins.bin_of_level.assign(n_levels, static_cast<Bin>(bins.n_bins));
    for (std::size_t b = 0; b < bins.level_of_bin.size(); ++b) {
      bins.bin_of_level[bins.level_of_bin[b]] = static_cast<Bin>(b);
    }
    schema.features.push_back(entry);
    draw_bins(feature, bins.n_bins);
    auto& column = columns.emplace_back();
    for (RowIndex row = 0; row < n_rows(); ++row) {
      const Bin bin = bins_of(feature)[row];
      column.push_back(bin == bins.n_bins ? std::numeric_limits<float>::quiet_NaN()
                                          : static_cast<float>(bins.level_of_bin[bin]));
    }
    binning.features.push_back(bins);
  }

  void add_target() {
    for (RowIndex row = 0; row < n_rows(); ++row) {
      double score = 0;
      for (std::size_t f = 0; f < columns.size(); f += 2) {
        score += bins_of(f)[row] * (f == 0 ? 0.5 : 0.3);
      }
      score += static_cast<double>(below(100)) / 50;
      if (spec_.n_classes > 0) {
        target.push_back(static_cast<double>(static_cast<std::size_t>(score) % spec_.n_classes));
      } else {
        target.push_back(std::round(score * 8) / 7 - 5);
      }
      if (spec_.has_weights) weight.push_back(static_cast<double>(below(9)) / 3);
    }
  }

  TableSpec spec_;
  std::mt19937_64 random_;
};

/// A tree of a plan with one leaf size.
inline model::PackedTree grow_packed(ForestGrower& grower, std::uint64_t tree) {
  model::PackedTree out;
  grower.grow({tree}, {&out, 1});
  return out;
}
inline model::Tree grow(ForestGrower& grower, std::uint64_t tree) {
  return grow_packed(grower, tree).unpack();
}

}  // namespace orchard::learn
