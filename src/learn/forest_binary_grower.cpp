#include "forest_binary_grower.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64
#include "forest_binary_histograms.hpp"
#include "forest_binary_rows.hpp"
#include "forest_feature_order.hpp"
#include "forest_tree_builder.hpp"

namespace orchard::learn {
namespace binary {
namespace {

/// Rows visited between two polls: well under a millisecond.
constexpr std::size_t kRowsAPoll = 1 << 16;
/// Moving a row costs a little for each feature, whether it is looked at or not.
constexpr std::size_t kMostFeaturesATried = 16;

class BinaryGrower final : public ForestGrower {
 public:
  explicit BinaryGrower(const ForestPlan& plan)
      : plan_(plan),
        rows_(plan),
        builder_(plan.n_values(), plan.context.schema),
        order_(plan.context.data.n_features()) {
    for (const auto& bins : plan.context.data.binning->features) {
      missing_bins_.push_back(static_cast<Bin>(bins.missing_bin()));
    }
  }

  model::Tree grow(std::uint64_t tree) override;

 private:
  /// A node whose rows are known by number, wherever they are.
  struct Node {
    NodeIndex index = 0;
    std::uint32_t n_rows = 0;
    Counts counts;
    std::int64_t depth = 0;
    random::NodeKey key;      ///< not set where the node is certainly a leaf
    std::uint64_t cuts = 0;   ///< that have not stopped above
    std::uint64_t stops = 0;  ///< those of them that stop here whatever the split may be
    bool is_leaf() const { return stops == cuts; }
  };
  using Children = std::array<Node, 2>;
  /// A node whose rows are a range of a block.
  struct Range {
    Node node;
    int block = 0;
    std::size_t begin = 0;
  };
  /// A node whose rows are a subset of the few.
  struct Subset {
    Node node;
    std::uint64_t rows = 0;
  };
  /// The split of a node and what it does to the rows.
  struct Sides {
    Choice choice;
    int right_bin = 0;
    Counts left;
    std::uint32_t n_left = 0;
  };

  void poll(std::size_t n_visits) {
    n_unpolled_ += n_visits;
    if (n_unpolled_ < kRowsAPoll) return;
    n_unpolled_ = 0;
    plan_.context.pool.poll();
  }
  void visit_range(const Range& range);
  void grow_few(const Range& range);
  void visit_subset(const Subset& subset);

  /// Finds the node's split: try_pass(counts, features, n, sides) offers the splits of a few
  /// features, divide(sides) says what the chosen one does to the rows.
  template <class Try, class Divide>
  bool search(const Node& node, Sides& sides, Try try_pass, Divide divide);
  template <class Try>
  void try_features(const Node& node, Try try_pass);
  void write_leaf(const Node& node) { write(node, node.cuts); }
  void write(const Node& node, std::uint64_t stops);
  bool split(const Node& node, bool is_found, const Sides& sides, Children& children);
  double decrease(const Counts& node, const Counts& left) const;
  std::uint64_t find_stops(const Node& node) const;

  const ForestPlan& plan_;
  MovingRows rows_;
  Histograms histograms_;
  TreeBuilder builder_;
  FeatureOrder order_;
  std::vector<Bin> missing_bins_;
  std::vector<FeatureIndex> tried_;  ///< by the node under way, in their order
  std::array<std::int64_t, 2> value_{};
  std::vector<Range> ranges_;
  std::vector<Subset> subsets_;
  FewRows few_;
  std::uint64_t tree_ = 0;
  double root_weight_ = 0;
  std::size_t n_unpolled_ = 0;
};

model::Tree BinaryGrower::grow(std::uint64_t tree) {
  rows_.take(tree);
  tree_ = tree;
  builder_.start();
  ranges_.clear();
  subsets_.clear();
  root_weight_ = rows_.counts().weight;
  Range root;
  root.node.n_rows = static_cast<std::uint32_t>(rows_.n_rows());
  root.node.counts = rows_.counts();
  root.node.cuts = plan_.all_cuts();
  root.node.stops = find_stops(root.node);
  ranges_.push_back(root);
  while (!ranges_.empty()) {
    const Range range = ranges_.back();
    ranges_.pop_back();
    if (range.node.is_leaf()) {
      write_leaf(range.node);
    } else if (range.node.n_rows <= kFewRows && range.node.counts.weight <= kFewWeight) {
      grow_few(range);
    } else {
      visit_range(range);
    }
  }
  return builder_.finish();
}

/// Calls try_pass(features, n) for the node's features in their order, a few at a time, as far as
/// the node goes: try_pass says whether one of them has two bins.
template <class Try>
void BinaryGrower::try_features(const Node& node, Try try_pass) {
  order_.start({plan_.context.random_state, random::Purpose::kFeatures, tree_, node.key});
  tried_.clear();
  const std::size_t n_features = plan_.context.data.n_features();
  bool is_varied = false;
  while (tried_.size() < n_features && (tried_.size() < plan_.n_tried || !is_varied)) {
    const std::size_t begin = tried_.size();
    const std::size_t n_left = begin < plan_.n_tried ? plan_.n_tried - begin : 1;
    const std::size_t n = std::min(n_left, kFeaturesAPass);
    for (std::size_t i = 0; i < n; ++i) tried_.push_back(order_.next());
    is_varied |= try_pass(tried_.data() + begin, n);
    poll(node.n_rows * n);
  }
}

template <class Try, class Divide>
bool BinaryGrower::search(const Node& node, Sides& sides, Try try_pass, Divide divide) {
  NodeCounts counts{node.counts, node.n_rows, 1};
  try_features(node, [&](const FeatureIndex* features, std::size_t n) {
    return try_pass(counts, features, n, sides);
  });
  if (sides.choice.score < 0) return false;
  divide(sides);
  if (sides.n_left >= plan_.n_leaf_rows && node.n_rows - sides.n_left >= plan_.n_leaf_rows) {
    return true;
  }
  // The best of all splits leaves a side too small: look again, among those that do not.
  counts.n_leaf_rows = plan_.n_leaf_rows;
  sides.choice = {};
  for (std::size_t i = 0; i < tried_.size(); i += kFeaturesAPass) {
    const std::size_t n = std::min(kFeaturesAPass, tried_.size() - i);
    try_pass(counts, tried_.data() + i, n, sides);
    poll(node.n_rows * n);
  }
  if (sides.choice.score < 0) return false;
  divide(sides);
  return true;
}

void BinaryGrower::visit_range(const Range& range) {
  const Node& node = range.node;
  const Columns columns{rows_.column(range.block, 0) + range.begin, rows_.stride(),
                        missing_bins_.size()};
  const Code* codes = rows_.codes(range.block) + range.begin;
  const auto try_pass = [&](const NodeCounts& counts, const FeatureIndex* features, std::size_t n,
                            Sides& sides) {
    return histograms_.search(columns, codes, counts, features, missing_bins_.data(), n,
                              sides.choice, sides.right_bin);
  };
  const auto divide = [&](Sides& sides) {
    const Choice& choice = sides.choice;
    const int end = missing_bins_[choice.feature] + (choice.is_missing_left ? 0 : 1);
    const RightBins right_bins{static_cast<Bin>(choice.left_bin + 1),
                               static_cast<Bin>(end - choice.left_bin - 1)};
    sides.left = choice.left;
    sides.n_left = static_cast<std::uint32_t>(
        rows_.divide(range.block, range.begin, node.n_rows, choice.feature, right_bins));
  };
  poll(node.n_rows);
  Sides sides;
  Children children;
  if (!split(node, search(node, sides, try_pass, divide), sides, children)) return;
  Range next[2] = {{children[0], 1 - range.block, range.begin},
                   {children[1], 1 - range.block, range.begin + sides.n_left}};
  for (const int side : {1, 0}) {
    if (!next[side].node.is_leaf()) {
      rows_.move(range.block, range.begin, node.n_rows, side, next[side].begin,
                 next[side].node.n_rows);
    }
    ranges_.push_back(next[side]);
  }
}

void BinaryGrower::grow_few(const Range& range) {
  few_.columns = {rows_.column(range.block, 0) + range.begin, rows_.stride(), missing_bins_.size()};
  start_few(rows_.codes(range.block) + range.begin, range.node.n_rows, few_);
  subsets_.push_back({range.node, ~std::uint64_t{0} >> (kFewRows - range.node.n_rows)});
  while (!subsets_.empty()) {
    const Subset subset = subsets_.back();
    subsets_.pop_back();
    subset.node.is_leaf() ? write_leaf(subset.node) : visit_subset(subset);
  }
}

void BinaryGrower::visit_subset(const Subset& subset) {
  const Node& node = subset.node;
  std::uint64_t left = 0;
  const auto try_pass = [&](const NodeCounts& counts, const FeatureIndex* features, std::size_t n,
                            Sides& sides) {
    return search_few(few_, subset.rows, counts, features, missing_bins_.data(), n, sides.choice);
  };
  const auto divide = [&](Sides& sides) {
    const auto few =
        divide_few(few_, subset.rows, sides.choice, missing_bins_[sides.choice.feature]);
    left = few.left;
    sides.left = few.left_counts;
    sides.n_left = static_cast<std::uint32_t>(std::popcount(left));
    sides.right_bin = few.right_bin;
  };
  poll(node.n_rows);
  Sides sides;
  Children children;
  if (!split(node, search(node, sides, try_pass, divide), sides, children)) return;
  subsets_.push_back({children[1], subset.rows & ~left});
  subsets_.push_back({children[0], left});
}

/// PairSearch::decrease for counts.
double BinaryGrower::decrease(const Counts& node, const Counts& left) const {
  const auto contrast = static_cast<std::int64_t>(left.positives) * node.weight -
                        static_cast<std::int64_t>(left.weight) * node.positives;
  const auto d = static_cast<double>(contrast);
  const auto w = static_cast<double>(node.weight), l = static_cast<double>(left.weight);
  const auto r = static_cast<double>(node.weight - left.weight);
  return 2 * ((d / w) * (d / w) * (w / (l * r)) / root_weight_);
}

/// Writes a node whose search is over, and names its children. False when it is a leaf.
bool BinaryGrower::split(const Node& node, bool is_found, const Sides& sides, Children& children) {
  std::uint64_t stops = node.cuts;
  double gain = 0;
  if (is_found) {
    gain = decrease(node.counts, sides.left);
    stops = node.stops | stops_below(plan_, node.cuts & ~node.stops, gain);
  }
  write(node, stops);
  const std::uint64_t cuts = node.cuts & ~stops;
  if (cuts == 0) return false;
  const Choice& choice = sides.choice;
  const auto& bins = plan_.context.data.binning->features[choice.feature];
  const Counts right{node.counts.weight - sides.left.weight,
                     node.counts.positives - sides.left.positives};
  const bool is_missing_left =
      choice.has_missing ? choice.is_missing_left : sides.left.weight >= right.weight;
  const NodeIndex left = builder_.split_numeric(node.index, choice.feature,
                                                choose_cut(choice.left_bin, sides.right_bin, bins),
                                                bins, is_missing_left, gain);
  children[0] = {left, sides.n_left, sides.left, node.depth + 1, {}, cuts, 0};
  children[1] = {left + 1, node.n_rows - sides.n_left, right, node.depth + 1, {}, cuts, 0};
  for (const std::uint32_t side : {0U, 1U}) {
    Node& child = children[side];
    child.stops = find_stops(child);
    if (!child.is_leaf()) child.key = node.key.child(side);
  }
  return true;
}

std::uint64_t BinaryGrower::find_stops(const Node& node) const {
  const bool is_pure = node.counts.positives == 0 || node.counts.positives == node.counts.weight;
  return stops_before(plan_, node.cuts, is_pure, node.n_rows, node.depth);
}

/// What every node has; `stops`: the cuts that end here.
void BinaryGrower::write(const Node& node, std::uint64_t stops) {
  if (stops != 0) {
    const std::int64_t weight = node.counts.weight;
    const auto fraction = [&](std::int64_t count) {
      return ((count << kFractionBits) + weight / 2) / weight;
    };
    value_[1] = fraction(node.counts.positives);
    value_[0] = fraction(weight - node.counts.positives);
    const std::int64_t rest = (std::int64_t{1} << kFractionBits) - value_[0] - value_[1];
    value_[value_[0] >= value_[1] ? 0 : 1] += rest;
  }
  builder_.visit(node.index, node.n_rows, stops, value_);
}

}  // namespace
}  // namespace binary

std::unique_ptr<ForestGrower> make_binary_grower(const ForestPlan& plan) {
  const auto& features = plan.context.data.binning->features;
  const bool is_numeric = std::all_of(features.begin(), features.end(), [](const auto& bins) {
    return bins.kind == model::FeatureKind::kNumeric;
  });
  const bool is_plain = plan.context.schema.task == Task::kClassification &&
                        plan.targets.n_classes == 2 && !plan.targets.has_weights() &&
                        plan.settings.criterion != options::Criterion::kEntropy &&
                        plan.settings.class_weight == options::ClassWeight::kNone &&
                        plan.n_draws < (std::uint64_t{1} << 31);
  if (!is_plain || !is_numeric || instruction_set() < InstructionSet::kAvx512 ||
      features.size() > binary::kMostFeaturesATried * plan.n_tried) {
    return nullptr;
  }
  return std::make_unique<binary::BinaryGrower>(plan);
}

}  // namespace orchard::learn

#else

namespace orchard::learn {

std::unique_ptr<ForestGrower> make_binary_grower(const ForestPlan&) { return nullptr; }

}  // namespace orchard::learn

#endif
