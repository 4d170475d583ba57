#pragma once
// Best-first growth with doubles and by brute force: no histograms, no bins to share, no sums kept.

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <vector>

#include "orchard/data/binning.hpp"
#include "orchard/options/learner_settings.hpp"

namespace orchard::learn {

using Rows = std::vector<RowIndex>;

/// A way to cut a node in two.
struct ReferenceCut {
  double gain = 0;
  Rows left, right;
};

class ReferenceSearch {
 public:
  /// g, h: derivatives of all rows.
  ReferenceSearch(const data::BinnedData& data, const options::BoostingSettings& settings,
                  std::vector<double> g, std::vector<double> h)
      : data_(data), settings_(settings), g_(std::move(g)), h_(std::move(h)) {}

  double value(const Rows& rows) const {
    return -settings_.learning_rate * sum(g_, rows) / (sum(h_, rows) + settings_.l2_regularization);
  }
  double gain(const Rows& left, const Rows& right) const {
    return share(left) + share(right) -
           (std::pow(sum(g_, left) + sum(g_, right), 2) /
            (sum(h_, left) + sum(h_, right) + settings_.l2_regularization));
  }
  bool is_legal(const Rows& left, const Rows& right) const {
    const auto least =
        static_cast<std::size_t>(std::max<std::int64_t>(settings_.min_samples_leaf, 1));
    return left.size() >= least && right.size() >= least && sum(h_, left) >= 1e-3 &&
           sum(h_, right) >= 1e-3;
  }
  /// Greatest gain of a legal split, or 0.
  double best_gain(const Rows& rows) const {
    double best = 0;
    for (std::size_t f = 0; f < data_.n_features(); ++f) {
      for (const auto& [left, right] : cuts(f, rows)) {
        if (is_legal(left, right)) best = std::max(best, gain(left, right));
      }
    }
    return best;
  }

 private:
  using Cut = std::pair<Rows, Rows>;
  static double sum(const std::vector<double>& of, const Rows& rows) {
    double total = 0;
    for (const RowIndex row : rows) total += of[row];
    return total;
  }
  double share(const Rows& rows) const {
    return std::pow(sum(g_, rows), 2) / (sum(h_, rows) + settings_.l2_regularization);
  }
  /// Every cut that puts groups first .. of an ordered list to the left, and the pool on each side.
  static std::vector<Cut> prefixes(const std::vector<Rows>& groups, const Rows& pool) {
    std::vector<Cut> found;
    for (const bool is_pool_left : {true, false}) {
      for (std::size_t n = 1; n <= groups.size(); ++n) {
        Cut cut;
        for (std::size_t i = 0; i < groups.size(); ++i) {
          Rows& side = i < n ? cut.first : cut.second;
          side.insert(side.end(), groups[i].begin(), groups[i].end());
        }
        Rows& side = is_pool_left ? cut.first : cut.second;
        side.insert(side.end(), pool.begin(), pool.end());
        if (!cut.second.empty()) found.push_back(cut);
      }
    }
    return found;
  }
  std::vector<Cut> cuts(std::size_t f, const Rows& rows) const {
    const auto& bins = data_.binning->features[f];
    std::map<int, Rows> of_bin;
    Rows pool;
    for (const RowIndex row : rows) {
      const int bin = data_.column(f)[row];
      (bin == bins.missing_bin() ? pool : of_bin[bin]).push_back(row);
    }
    std::vector<Rows> groups;
    const bool is_categorical = bins.kind == model::FeatureKind::kCategorical;
    const double rows_per_h = static_cast<double>(rows.size()) / sum(h_, rows);
    for (auto& [bin, group] : of_bin) {
      const bool is_rare = is_categorical && sum(h_, group) * rows_per_h < 10 - 1e-9;
      if (is_rare) pool.insert(pool.end(), group.begin(), group.end());
      if (!is_rare) groups.push_back(group);
    }
    if (is_categorical) {
      std::stable_sort(groups.begin(), groups.end(), [&](const Rows& a, const Rows& b) {
        return sum(g_, a) / (sum(h_, a) + 10) < sum(g_, b) / (sum(h_, b) + 10);
      });
    }
    return prefixes(groups, pool);
  }

  const data::BinnedData& data_;
  const options::BoostingSettings& settings_;
  std::vector<double> g_, h_;
};

}  // namespace orchard::learn
