#pragma once
// A grower without bins, histograms or sharing: every split of every row set is tried by looking at
// the rows. Slow and plain.

#include <map>
#include <set>
#include <vector>

#include "forest/plan.hpp"
#include "forest/table.hpp"
#include "orchard/base/elementary.hpp"
#include "orchard/random/stream.hpp"

namespace orchard::learn {

/// A node as the rules describe it, children by pointer.
struct ReferenceNode {
  std::uint32_t n_samples = 0;
  std::vector<std::int64_t> value;  ///< of a leaf
  double gain = 0;
  FeatureIndex feature = 0;
  float threshold = 0;
  bool is_categorical = false, is_missing_left = false;
  std::set<std::uint32_t> left_levels;
  std::unique_ptr<ReferenceNode> left, right;
};

class ReferenceGrower {
 public:
  ReferenceGrower(const ForestTable& table, const ForestPlan& plan, std::uint64_t tree)
      : table_(table), plan_(plan), tree_(tree) {
    std::vector<std::uint32_t> multiplicity;
    count_rows(plan, {tree}, multiplicity);
    const auto& targets = plan.targets;
    factor_ = targets.class_weight;
    if (plan.settings.class_weight == options::ClassWeight::kBalancedSubsample) {
      std::vector<std::uint64_t> counts(targets.n_classes);
      for (std::size_t i = 0; i < multiplicity.size(); ++i) {
        counts[targets.label[i]] += multiplicity[i];
      }
      factor_ = balanced_weights(counts);
    }
    if (factor_.empty()) factor_.assign(targets.n_classes, 1.0);
    for (RowIndex i = 0; i < multiplicity.size(); ++i) {
      const std::int64_t w = (targets.has_weights ? targets.weight[i] : 1) * multiplicity[i];
      if (w > 0) rows_.push_back({i, w});
    }
  }

  std::unique_ptr<ReferenceNode> grow() {
    root_weight_ = real_weight(rows_);
    return grow(rows_, 0, {});
  }

 private:
  struct Row {
    RowIndex position;
    std::int64_t weight;
  };
  using Rows = std::vector<Row>;
  /// One way to send rows left and right.
  struct Way {
    double score = -1e300;
    FeatureIndex feature = 0;
    std::set<int> left, right;  ///< bins, missing and pooled ones aside
    bool is_missing_left = false, has_missing = false;
  };

  bool is_classifier() const { return table_.schema.task == Task::kClassification; }
  int bin(FeatureIndex feature, const Row& row) const {
    return table_.data.column(feature)[row.position];
  }
  __int128 sum(const Row& row) const {
    const auto& targets = plan_.targets;
    if (is_classifier()) return targets.label[row.position] == 1 ? row.weight : 0;
    const auto product = static_cast<__int128>(row.weight) * targets.value[row.position];
    return targets.has_weights ? product >> targets.value_bits : product;
  }
  std::vector<double> counts(const Rows& rows) const {
    std::vector<std::int64_t> exact(plan_.targets.n_classes);
    for (const auto& row : rows) exact[plan_.targets.label[row.position]] += row.weight;
    return {exact.begin(), exact.end()};
  }
  double real_weight(const Rows& rows) const {
    double w = 0;
    if (!is_classifier()) {
      for (const auto& row : rows) w += static_cast<double>(row.weight);
      return w;
    }
    const auto n = counts(rows);
    for (std::size_t c = 0; c < n.size(); ++c) w += n[c] * factor_[c];
    return w;
  }

  /// Textbook: weight x impurity of a set of rows, gini, bits or variance.
  double impurity(const Rows& rows) const {
    const double n = real_weight(rows);
    double sum_of_squares = 0, entropy = 0;
    if (!is_classifier()) {
      double mean = 0;
      for (const auto& row : rows) {
        mean += table_.target[row.position] * static_cast<double>(row.weight) / n;
      }
      for (const auto& row : rows) {
        const double d = table_.target[row.position] - mean;
        sum_of_squares += static_cast<double>(row.weight) * d * d;
      }
      return sum_of_squares;
    }
    const auto count = counts(rows);
    for (std::size_t c = 0; c < count.size(); ++c) {
      const double p = count[c] * factor_[c] / n;
      sum_of_squares += p * p;
      if (p > 0) entropy -= p * std::log2(p);
    }
    return n * (plan_.settings.criterion == options::Criterion::kEntropy ? entropy
                                                                         : 1 - sum_of_squares);
  }

  /// The agreed expression that ranks splits.
  double score(const Rows& left, const Rows& right) const {
    __int128 lw = 0, ls = 0, rw = 0, rs = 0;
    for (const auto& row : left) lw += row.weight, ls += sum(row);
    for (const auto& row : right) rw += row.weight, rs += sum(row);
    const auto l = static_cast<double>(lw), r = static_cast<double>(rw);
    const __int128 w = lw + rw, s = ls + rs;
    if (!is_classifier() && !plan_.targets.has_weights) {
      const double rest = static_cast<double>(s % w) / static_cast<double>(w);
      const double d = static_cast<double>(ls - lw * (s / w)) - l * rest;
      return d * d / (l * r);
    }
    const bool is_plain = plan_.settings.criterion != options::Criterion::kEntropy &&
                          plan_.settings.class_weight == options::ClassWeight::kNone;
    if (!is_classifier() || (is_plain && plan_.targets.n_classes == 2)) {
      const auto d = static_cast<double>(ls * w - lw * s);
      return d * d / (l * r);
    }
    return side(left, is_plain) + side(right, is_plain);
  }
  double side(const Rows& rows, bool is_plain) const {
    std::vector<__int128> exact(plan_.targets.n_classes);
    for (const auto& row : rows) exact[plan_.targets.label[row.position]] += row.weight;
    __int128 n = 0, squares = 0;
    double total = 0, terms = 0;
    for (std::size_t c = 0; c < exact.size(); ++c) {
      n += exact[c];
      squares += exact[c] * exact[c];
      const double x = static_cast<double>(exact[c]) * factor_[c];
      if (exact[c] == 0) continue;
      total += x;
      terms += plan_.settings.criterion == options::Criterion::kEntropy ? x * exact_log(x) : x * x;
    }
    if (is_plain) return static_cast<double>(squares) / static_cast<double>(n);
    if (plan_.settings.criterion == options::Criterion::kEntropy) {
      return terms - total * exact_log(total);
    }
    return terms / total;
  }

  std::pair<Rows, Rows> part(const Rows& rows, const Way& way) const {
    std::pair<Rows, Rows> parts;
    for (const auto& row : rows) {
      const int b = bin(way.feature, row);
      const bool is_left = way.left.count(b) || (!way.right.count(b) && way.is_missing_left);
      (is_left ? parts.first : parts.second).push_back(row);
    }
    return parts;
  }

  void try_way(const Rows& rows, Way way, Way& best) const {
    const auto [left, right] = part(rows, way);
    if (left.size() < plan_.leaf_rows.front() || right.size() < plan_.leaf_rows.front()) return;
    way.score = score(left, right);
    if (way.score > best.score) best = way;
  }

  /// Splits between neighbours of `order`, lower ones first, missing left before right.
  void try_order(const Rows& rows, FeatureIndex feature, const std::vector<int>& order,
                 bool has_missing, Way& best) const {
    for (std::size_t n_left = 1; n_left <= order.size(); ++n_left) {
      Way way;
      way.feature = feature;
      way.has_missing = has_missing;
      const auto middle = order.begin() + static_cast<std::ptrdiff_t>(n_left);
      way.left = {order.begin(), middle};
      way.right = {middle, order.end()};
      for (const bool is_missing_left : {true, false}) {
        if (!has_missing && is_missing_left) continue;
        if (n_left == order.size() && (is_missing_left || !has_missing)) continue;
        way.is_missing_left = is_missing_left;
        try_way(rows, way, best);
      }
    }
  }

  void try_categories(const Rows& rows, FeatureIndex feature, std::map<int, Rows> by_bin,
                      Way& best) const {
    const int missing = table_.binning.features[feature].missing_bin();
    bool has_missing = by_bin.erase(missing) > 0;
    for (auto at = by_bin.begin(); at != by_bin.end();) {
      const bool is_rare = at->second.size() < 10;
      has_missing |= is_rare;
      at = is_rare ? by_bin.erase(at) : std::next(at);
    }
    std::vector<int> classes{-1};  // regression: the mean of the target
    if (is_classifier()) {
      const auto n = counts(rows);
      classes.clear();
      for (std::size_t c = 0; c < n.size(); ++c) {
        if (n[c] > 0) classes.push_back(static_cast<int>(c));
      }
      if (classes.size() == 2) classes.erase(classes.begin());
      std::stable_sort(classes.begin(), classes.end(), [&](int a, int b) {
        return n[static_cast<std::size_t>(a)] > n[static_cast<std::size_t>(b)];
      });
      if (classes.size() > 8) classes.resize(8);
    }
    for (const int of_class : classes) {
      const auto statistic = [&](const Rows& of) {
        __int128 s = 0, w = 0;
        for (const auto& row : of) {
          const bool is_it =
              static_cast<int>(is_classifier() ? plan_.targets.label[row.position] : 0) == of_class;
          s += of_class < 0 ? sum(row) : (is_it ? row.weight : 0);
          w += row.weight;
        }
        return std::pair(static_cast<double>(s), static_cast<double>(w));
      };
      const auto [s, w] = statistic(rows);
      const double smoothing = 10 * plan_.targets.unit_weight();
      std::vector<std::pair<double, int>> order;
      for (const auto& [b, of_bin] : by_bin) {
        const auto [bs, bw] = statistic(of_bin);
        order.push_back({(bs + smoothing * (s / w)) / (bw + smoothing), b});
      }
      std::sort(order.begin(), order.end());
      std::vector<int> bins;
      for (const auto& entry : order) bins.push_back(entry.second);
      try_order(rows, feature, bins, has_missing, best);
    }
  }

  /// False when all rows lie in one bin.
  bool try_feature(const Rows& rows, FeatureIndex feature, Way& best) const {
    std::map<int, Rows> by_bin;
    for (const auto& row : rows) by_bin[bin(feature, row)].push_back(row);
    if (by_bin.size() == 1) return false;
    const auto& bins = table_.binning.features[feature];
    Way mine;
    if (bins.kind == model::FeatureKind::kCategorical) {
      try_categories(rows, feature, by_bin, mine);
    } else {
      const bool has_missing = by_bin.erase(bins.missing_bin()) > 0;
      std::vector<int> order;
      for (const auto& entry : by_bin) order.push_back(entry.first);
      try_order(rows, feature, order, has_missing, mine);
    }
    if (mine.score > best.score) best = mine;
    return true;
  }

  Way find(const Rows& rows, random::NodeKey key) const {
    std::vector<std::uint32_t> order(table_.data.n_features());
    for (std::uint32_t f = 0; f < order.size(); ++f) order[f] = f;
    random::Stream(plan_.context.random_state, random::Purpose::kFeatures, tree_, key)
        .shuffle(order);
    Way best;
    bool is_varied = false;
    for (std::size_t i = 0; i < order.size() && (i < plan_.n_tried || !is_varied); ++i) {
      is_varied |= try_feature(rows, order[i], best);
    }
    return best;
  }

  std::vector<std::int64_t> value(const Rows& rows) const {
    if (!is_classifier()) {
      long double s = 0, w = 0;
      for (const auto& row : rows) {
        s += static_cast<long double>(row.weight) *
             static_cast<long double>(plan_.targets.value[row.position]);
        w += static_cast<long double>(row.weight);
      }
      return {std::llround(
          std::ldexp(static_cast<double>(s / w), kLeafBits - plan_.targets.value_bits))};
    }
    auto n = counts(rows);
    double total = 0;
    for (std::size_t c = 0; c < n.size(); ++c) total += (n[c] *= factor_[c]);
    std::vector<std::int64_t> out;
    std::int64_t rest = 1 << 30;
    for (const double x : n) {
      out.push_back(std::llround(x / total * 0x1p30));
      rest -= out.back();
    }
    *std::max_element(out.begin(), out.end()) += rest;
    return out;
  }

  std::unique_ptr<ReferenceNode> grow(const Rows& rows, int depth, random::NodeKey key) const {
    auto node = std::make_unique<ReferenceNode>();
    node->n_samples = static_cast<std::uint32_t>(rows.size());
    node->value = value(rows);
    const Cut& cut = plan_.cuts.at(0);
    std::set<double> distinct;
    for (const auto& row : rows) distinct.insert(table_.target[row.position]);
    if (distinct.size() == 1 || (cut.max_depth && depth >= *cut.max_depth) ||
        static_cast<std::int64_t>(rows.size()) < cut.min_samples_split) {
      return node;
    }
    Way way = find(rows, key);
    if (way.score < 0 && way.left.empty()) return node;
    const auto [left, right] = part(rows, way);
    const double gain = (impurity(rows) - impurity(left) - impurity(right)) / root_weight_;
    if (gain < cut.min_impurity_decrease - 1e-12) return node;
    node->gain = gain;
    const auto heavy = [](const Rows& of) {
      __int128 w = 0;
      for (const auto& row : of) w += row.weight;
      return w;
    };
    if (!way.has_missing) way.is_missing_left = heavy(left) >= heavy(right);
    describe(way, *node);
    node->left = grow(left, depth + 1, key.child(0));
    node->right = grow(right, depth + 1, key.child(1));
    return node;
  }

  void describe(const Way& way, ReferenceNode& node) const {
    const auto& bins = table_.binning.features[way.feature];
    node.feature = way.feature;
    node.is_missing_left = way.is_missing_left;
    node.is_categorical = bins.kind == model::FeatureKind::kCategorical;
    if (node.is_categorical) {
      const auto n_levels = table_.schema.features[way.feature].levels.size();
      for (std::uint32_t level = 0; level < n_levels; ++level) {
        const int b = bins.bin_of_level[level];
        if (way.left.count(b) || (!way.right.count(b) && way.is_missing_left)) {
          node.left_levels.insert(level);
        }
      }
    } else if (way.right.empty()) {
      node.threshold = std::numeric_limits<float>::max();
    } else {
      const auto low = static_cast<std::size_t>(*way.left.rbegin());
      const auto high = static_cast<std::size_t>(*way.right.begin());
      const double middle = (static_cast<double>(bins.bin_max[low]) + bins.bin_min[high]) / 2;
      node.threshold = bins.cuts[low];
      for (std::size_t c = low; c < high; ++c) {
        if (std::abs(bins.cuts[c] - middle) < std::abs(node.threshold - middle)) {
          node.threshold = bins.cuts[c];
        }
      }
    }
  }

  const ForestTable& table_;
  const ForestPlan& plan_;
  std::uint64_t tree_;
  std::vector<double> factor_;
  Rows rows_;
  double root_weight_ = 1;
};

}  // namespace orchard::learn
