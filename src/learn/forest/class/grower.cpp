#include "forest/class/grower.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64
#include "forest/class/search.hpp"
#include "forest/feature_order.hpp"
#include "forest/tree_builder.hpp"

namespace orchard::learn {
namespace classes {
namespace {

/// Rows visited between two polls: well under a millisecond.
constexpr std::size_t kRowsAPoll = 1 << 16;
/// Moving a row costs a little for each feature, whether it is looked at or not.
constexpr std::size_t kMostFeaturesATried = 16;

class ClassGrower final : public ForestGrower {
 public:
  explicit ClassGrower(const ForestPlan& plan)
      : plan_(plan),
        kernels_(*choose_version<const Kernels>(nullptr, &kAvx2Kernels, &kAvx512Kernels)),
        rows_(plan),
        search_(plan, kernels_),
        builder_(plan),
        order_(plan.context.data.n_features()),
        value_(plan.n_values()) {}

  void grow(const TreeStart& start, std::span<model::Tree> trees) override {
    const NodeHead head = start.head(plan_);
    for (auto size = head.sizes.first; size < head.sizes.last; ++size) {
      n_leaf_rows_ = plan_.leaf_rows[size];
      trees[size - head.sizes.first] = grow_one(start, head);
    }
  }

 private:
  /// A node, which waits or is under way; its rows are [begin, begin + n_rows) of a block.
  struct Node {
    std::uint32_t n_rows = 0;
    std::int64_t depth = 0;
    random::NodeKey key;      ///< not set where the node is certainly a leaf
    std::uint64_t cuts = 0;   ///< that have not stopped above
    std::uint64_t stops = 0;  ///< those of them that stop here whatever the split may be
    Counts counts{};
    Summary summary;  ///< of the counts
    int block = 0;
    std::size_t begin = 0;
    bool is_leaf() const { return stops == cuts; }
  };

  model::Tree grow_one(const TreeStart& start, const NodeHead& head);
  void poll(std::size_t n_visits) {
    n_unpolled_ += n_visits;
    if (n_unpolled_ < kRowsAPoll) return;
    n_unpolled_ = 0;
    plan_.context.pool.poll();
  }
  void visit(const Node& node);
  bool find_split(const Node& node, Choice& choice);
  bool find_split_of_two(const Node& node, Choice& choice);
  bool try_features(const Node& node, std::size_t begin, std::size_t n, Choice& choice);
  std::size_t divide(const Node& node, const Choice& choice);
  void weigh(Node& node) const;
  double decrease(const Node& node, const Choice& choice, std::uint32_t left_weight) const;
  void write(const Node& node, std::uint64_t stops);
  std::int32_t value_row(const Node& node);

  const ForestPlan& plan_;
  Kernels kernels_;
  TreeRows rows_;
  SplitSearch search_;
  TreeBuilder builder_;
  FeatureOrder order_;
  std::vector<FeatureIndex> tried_;  ///< by the node under way, in their order
  std::vector<std::int64_t> value_;
  std::array<std::int32_t, kMaxClasses> pure_rows_;  ///< of values, by class; -1: none yet
  std::vector<Node> nodes_;                          ///< that wait
  std::uint64_t tree_ = 0;
  std::uint32_t n_leaf_rows_ = 1;
  double root_weight_ = 0;
  std::size_t n_unpolled_ = 0;
};

model::Tree ClassGrower::grow_one(const TreeStart& start, const NodeHead& head) {
  tree_ = start.tree;
  rows_.take(start);
  builder_.start();
  pure_rows_.fill(-1);
  nodes_.clear();
  Node root;
  root.n_rows = static_cast<std::uint32_t>(rows_.n_rows());
  for (std::size_t i = 0; i < root.n_rows; ++i) {
    root.counts[rows_.labels(0)[i]] += rows_.weights(0)[i];
  }
  root.depth = head.depth;
  root.key = head.key;
  root.cuts = head.cuts;
  weigh(root);
  root_weight_ = start.node != nullptr ? start.node->root_weight : root.summary.weight;
  nodes_.push_back(root);
  while (!nodes_.empty()) {
    const Node node = nodes_.back();
    nodes_.pop_back();
    poll(node.n_rows);
    node.is_leaf() ? write(node, node.cuts) : visit(node);
  }
  return builder_.finish();
}

/// Sets what follows from the node's counts.
void ClassGrower::weigh(Node& node) const {
  node.summary = kernels_.summarize(node.counts);
  const bool is_final = std::has_single_bit(node.summary.classes) || node.n_rows / 2 < n_leaf_rows_;
  node.stops = stops_before(plan_, node.cuts, is_final, node.n_rows, node.depth);
}

bool ClassGrower::try_features(const Node& node, std::size_t begin, std::size_t n, Choice& choice) {
  const Bin* columns[kFeaturesAPass];
  for (std::size_t i = 0; i < n; ++i) {
    columns[i] = rows_.column(node.block, tried_[begin + i]) + node.begin;
  }
  poll(node.n_rows * n);
  const NodeRows rows{rows_.labels(node.block) + node.begin, rows_.weights(node.block) + node.begin,
                      node.n_rows};
  return search_.offer(rows, tried_.data() + begin, columns, n, choice);
}

/// Two rows of different classes: all splits are equal.
bool ClassGrower::find_split_of_two(const Node& node, Choice& choice) {
  const std::size_t n_features = plan_.context.data.n_features();
  for (std::size_t i = 0; i < n_features; ++i) {
    const FeatureIndex feature = order_.next();
    const Bin* bins = rows_.column(node.block, feature) + node.begin;
    if (bins[0] == bins[1]) continue;
    const std::size_t left = bins[0] < bins[1] ? 0 : 1;
    choice.feature = feature;
    choice.left_bin = bins[left];
    choice.right_bin = bins[1 - left];
    choice.has_missing =
        choice.right_bin == plan_.context.data.binning->features[feature].missing_bin();
    const std::size_t row = node.begin + left;
    choice.left[rows_.labels(node.block)[row]] = rows_.weights(node.block)[row];
    choice.score = 0;
    return true;
  }
  return false;
}

bool ClassGrower::find_split(const Node& node, Choice& choice) {
  order_.start({plan_.context.random_state, random::Purpose::kFeatures, tree_, node.key});
  if (node.n_rows == 2) return find_split_of_two(node, choice);
  search_.start_node(node.counts, node.summary.weight, node.n_rows, 1);
  tried_.clear();
  const std::size_t n_features = plan_.context.data.n_features();
  bool is_varied = false;
  while (tried_.size() < n_features && (tried_.size() < plan_.n_tried || !is_varied)) {
    const std::size_t begin = tried_.size();
    const std::size_t n_left = begin < plan_.n_tried ? plan_.n_tried - begin : 1;
    const std::size_t n = std::min(n_left, kFeaturesAPass);
    tried_.resize(begin + n);
    order_.draw(n, tried_.data() + begin);
    is_varied |= try_features(node, begin, n, choice);
  }
  return choice.is_found();
}

std::size_t ClassGrower::divide(const Node& node, const Choice& choice) {
  const int end = plan_.context.data.binning->features[choice.feature].missing_bin() +
                  (choice.is_missing_left ? 0 : 1);
  return rows_.divide(
      node.block, node.begin, node.n_rows, choice.feature,
      {static_cast<Bin>(choice.left_bin + 1), static_cast<Bin>(end - choice.left_bin - 1)});
}

void ClassGrower::visit(const Node& node) {
  Choice choice;
  if (!find_split(node, choice)) return write(node, node.cuts);
  std::size_t n_left = divide(node, choice);
  if (n_left < n_leaf_rows_ || node.n_rows - n_left < n_leaf_rows_) {
    // The best of all splits leaves a side too small: look again, among those that do not.
    choice = {};
    search_.start_node(node.counts, node.summary.weight, node.n_rows, n_leaf_rows_);
    for (std::size_t i = 0; i < tried_.size(); i += kFeaturesAPass) {
      try_features(node, i, std::min(kFeaturesAPass, tried_.size() - i), choice);
    }
    if (!choice.is_found()) return write(node, node.cuts);
    n_left = divide(node, choice);
  }
  Node children[2];
  children[0].counts = choice.left;
  for (std::size_t c = 0; c < kMaxClasses; ++c) {
    children[1].counts[c] = node.counts[c] - choice.left[c];
  }
  for (const std::uint32_t side : {0U, 1U}) {
    Node& child = children[side];
    child.n_rows = static_cast<std::uint32_t>(side == 0 ? n_left : node.n_rows - n_left);
    child.begin = side == 0 ? node.begin : node.begin + n_left;
    child.block = 1 - node.block;
    child.depth = node.depth + 1;
    child.cuts = node.cuts;
    weigh(child);
  }
  const double gain = decrease(node, choice, children[0].summary.weight);
  const std::uint64_t stops = node.stops | stops_below(plan_, node.cuts & ~node.stops, gain);
  write(node, stops);
  const std::uint64_t cuts = node.cuts & ~stops;
  if (cuts == 0) return;
  const auto& bins = plan_.context.data.binning->features[choice.feature];
  const bool is_missing_left = choice.has_missing
                                   ? choice.is_missing_left
                                   : children[0].summary.weight >= children[1].summary.weight;
  builder_.split_numeric(choice.feature, choose_cut(choice.left_bin, choice.right_bin, bins), bins,
                         is_missing_left, gain);
  for (const std::uint32_t side : {0U, 1U}) {
    Node& child = children[side];
    child.cuts = cuts;
    child.stops &= cuts;
    if (!child.is_leaf()) child.key = node.key.child(side);
  }
  rows_.move(node.block, node.begin, node.n_rows, n_left,
             {!children[0].is_leaf(), !children[1].is_leaf()});
  nodes_.push_back(children[1]);
  if (children[0].is_leaf()) return write(children[0], cuts);
  nodes_.push_back(children[0]);
}

/// ExactGini::decrease.
double ClassGrower::decrease(const Node& node, const Choice& choice,
                             std::uint32_t left_weight) const {
  const auto w = static_cast<double>(node.summary.weight), l = static_cast<double>(left_weight);
  const auto r = static_cast<double>(node.summary.weight - left_weight);
  const double squares =
      kernels_.sum_contrasts(choice.left, left_weight, node.counts, node.summary);
  return squares * (w / (l * r)) / root_weight_;
}

/// What every node has; `stops`: the cuts that end here.
void ClassGrower::write(const Node& node, std::uint64_t stops) {
  std::int32_t row = -1;
  if (stops != 0 && std::has_single_bit(node.summary.classes)) {
    std::int32_t& pure_row = pure_rows_[std::countr_zero(node.summary.classes)];
    if (pure_row < 0) pure_row = value_row(node);
    row = pure_row;
  } else if (stops != 0) {
    row = value_row(node);
  }
  builder_.visit(node.n_rows, stops, row);
}

/// Fractions as ClassSearch writes them.
std::int32_t ClassGrower::value_row(const Node& node) {
  std::fill(value_.begin(), value_.end(), 0);
  std::int64_t rest = std::int64_t{1} << kFractionBits;
  auto largest = static_cast<std::size_t>(std::countr_zero(node.summary.classes));
  const std::int64_t weight = node.summary.weight;
  for (std::uint32_t classes = node.summary.classes; classes != 0; classes &= classes - 1) {
    const auto c = static_cast<std::size_t>(std::countr_zero(classes));
    const std::int64_t count = node.counts[c];
    value_[c] = ((count << kFractionBits) + weight / 2) / weight;
    rest -= value_[c];
    if (value_[c] > value_[largest]) largest = c;
  }
  value_[largest] += rest;
  return builder_.value_row(value_);
}

}  // namespace
}  // namespace classes

std::unique_ptr<ForestGrower> make_class_grower(const ForestPlan& plan) {
  if (plan.targets.n_classes > classes::kMaxClasses ||
      !moving::suits_moving(plan, classes::kMostFeaturesATried)) {
    return nullptr;
  }
  return std::make_unique<classes::ClassGrower>(plan);
}

}  // namespace orchard::learn

#else

namespace orchard::learn {

std::unique_ptr<ForestGrower> make_class_grower(const ForestPlan&) { return nullptr; }

}  // namespace orchard::learn

#endif
