#include "forest/class/grower.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64
#include "forest/class/search.hpp"
#include "forest/moving/search.hpp"
#include "forest/tree_builder.hpp"

namespace orchard::learn {
namespace classes {
namespace {

/// Moving a row costs a little for each feature, whether it is looked at or not.
constexpr std::size_t kMostFeaturesATried = 16;

class ClassGrower final : public ForestGrower {
 public:
  explicit ClassGrower(const ForestPlan& plan)
      : plan_(plan),
        kernels_(*choose_version<const Kernels>(nullptr, &kAvx2Kernels, &kAvx512Kernels)),
        rows_(plan),
        search_(plan, kernels_),
        builders_(plan),
        poll_(plan.context.pool),
        trials_(plan, kFeaturesAPass, poll_),
        value_(plan.n_values()),
        pure_rows_(plan.leaf_rows.size()) {}

  void grow(const TreeStart& start, std::span<model::PackedTree> trees) override;

 private:
  /// A node, which waits or is under way; its rows are [begin, begin + n_rows) of a block.
  struct Node : moving::Node {
    Counts counts;
    Summary summary;  ///< of the counts
    int block = 0;
    std::size_t begin = 0;
    bool is_kept = false;  ///< the rows were set aside and must be put back
    bool is_pure() const { return std::has_single_bit(summary.classes); }
  };

  bool visit(Node& node);
  std::size_t find_split(const Node& node, Choice& choice);
  bool find_split_of_two(const Node& node, Choice& choice);
  bool offer(const Node& node, const FeatureIndex* features, std::size_t n, Choice& choice);
  std::size_t divide(const Node& node, const Choice& choice);
  bool split(const Node& node, LeafSizes sizes, const Choice& choice, Node (&children)[2]);
  double decrease(const Node& node, const Choice& choice, std::uint32_t left_weight) const;
  void write(const Node& node, LeafSizes sizes, std::uint64_t stops);
  void set_value(const Node& node);
  std::int32_t pure_row(std::uint32_t size, const Node& node);

  const ForestPlan& plan_;
  Kernels kernels_;
  TreeRows rows_;
  SplitSearch search_;
  TreeBuilders builders_;
  RowPoll poll_;
  moving::FeatureTrials trials_;
  std::vector<std::int64_t> value_;
  /// Of values, by leaf size and class; -1: none yet.
  std::vector<std::array<std::int32_t, kMaxClasses>> pure_rows_;
  std::vector<Node> nodes_;  ///< that wait
  double root_weight_ = 0;
};

void ClassGrower::grow(const TreeStart& start, std::span<model::PackedTree> trees) {
  trials_.start_tree(start.tree);
  rows_.take(start);
  builders_.start();
  for (auto& rows : pure_rows_) rows.fill(-1);
  nodes_.clear();
  Node root;
  static_cast<NodeHead&>(root) = start.head(plan_);
  root.n_rows = static_cast<std::uint32_t>(rows_.n_rows());
  root.counts = {};
  for (std::size_t i = 0; i < root.n_rows; ++i) {
    root.counts[rows_.labels(0)[i]] += rows_.weights(0)[i];
  }
  root.summary = kernels_.summarize(root.counts);
  root.find_stops(plan_, root.is_pure(), root.n_rows);
  root_weight_ = start.node != nullptr ? start.node->root_weight : root.summary.weight;
  const LeafSizes sizes = root.sizes;
  for (Node& node = root;;) {
    poll_(node.n_rows);
    if (visit(node)) continue;
    if (nodes_.empty()) break;
    node = nodes_.back();
    nodes_.pop_back();
  }
  builders_.finish(sizes, trees);
}

bool ClassGrower::offer(const Node& node, const FeatureIndex* features, std::size_t n,
                        Choice& choice) {
  const Bin* columns[kFeaturesAPass];
  for (std::size_t i = 0; i < n; ++i) {
    columns[i] = rows_.column(node.block, features[i]) + node.begin;
  }
  const NodeRows rows{rows_.labels(node.block) + node.begin, rows_.weights(node.block) + node.begin,
                      node.n_rows};
  return search_.offer(rows, features, columns, n, choice);
}

/// Two rows of different classes: all splits are equal.
bool ClassGrower::find_split_of_two(const Node& node, Choice& choice) {
  FeatureOrder& order = trials_.start(node);
  const std::size_t n_features = plan_.context.data.n_features();
  for (std::size_t i = 0; i < n_features; ++i) {
    const FeatureIndex feature = order.next();
    const Bin* bins = rows_.column(node.block, feature) + node.begin;
    if (bins[0] == bins[1]) continue;
    const std::size_t left = bins[0] < bins[1] ? 0 : 1;
    choice.feature = feature;
    choice.left_bin = bins[left];
    choice.right_bin = bins[1 - left];
    choice.has_missing =
        choice.right_bin == plan_.context.data.binning->features[feature].missing_bin();
    const std::size_t row = node.begin + left;
    choice.left = {};
    choice.left[rows_.labels(node.block)[row]] = rows_.weights(node.block)[row];
    choice.score = 0;
    return true;
  }
  return false;
}

/// Distinct rows at the left, 0 when there is no split.
std::size_t ClassGrower::find_split(const Node& node, Choice& choice) {
  if (node.n_rows == 2) return find_split_of_two(node, choice) ? divide(node, choice) : 0;
  const auto start = [&](std::uint32_t n_leaf_rows) {
    choice.score = Choice::kNoScore;
    search_.start_node(node.counts, node.summary.weight, node.n_rows, n_leaf_rows);
  };
  const auto offer_features = [&](const FeatureIndex* features, std::size_t n) {
    return offer(node, features, n, choice);
  };
  const auto divide_rows = [&] { return choice.is_found() ? divide(node, choice) : 0; };
  return trials_.find(node, start, offer_features, divide_rows);
}

std::size_t ClassGrower::divide(const Node& node, const Choice& choice) {
  const int end = plan_.context.data.binning->features[choice.feature].missing_bin() +
                  (choice.is_missing_left ? 0 : 1);
  return rows_.divide(
      node.block, node.begin, node.n_rows, choice.feature,
      {static_cast<Bin>(choice.left_bin + 1), static_cast<Bin>(end - choice.left_bin - 1)});
}

/// Goes on to the left child, and leaves what else there is. False when there is no child.
bool ClassGrower::visit(Node& node) {
  if (node.has_leaf_sizes()) write(node, node.leaf_sizes(), node.cuts);
  if (node.is_leaf()) return false;
  if (node.is_kept) rows_.put_back(node.block, node.begin, node.n_rows);
  node.is_kept = false;
  Choice choice;
  const std::size_t n_left = find_split(node, choice);
  if (n_left == 0) {
    write(node, node.inner_sizes, node.cuts);
    return false;
  }
  const LeafSizes sizes =
      plan_.leaf_sizes_up_to(std::min(n_left, node.n_rows - n_left), node.inner_sizes);
  Node children[2];
  children[0].n_rows = static_cast<std::uint32_t>(n_left);
  const bool is_split = split(node, sizes, choice, children);
  const moving::MovingRows::Movers movers{is_split && !children[0].is_leaf(),
                                          is_split && !children[1].is_leaf()};
  if (sizes.last < node.inner_sizes.last) {
    // The rows move on to what grows below the children.
    Node& parted = nodes_.emplace_back(node);
    parted.part_from(sizes);
    parted.n_tried = trials_.n_tried();
    parted.is_kept = movers.left || movers.right;
    if (parted.is_kept) rows_.keep(node.block, node.begin, node.n_rows);
  }
  if (!is_split) return false;
  rows_.move(node.block, node.begin, node.n_rows, n_left, movers);
  nodes_.push_back(children[1]);
  node = children[0];
  return true;
}

/// Writes a node whose split is found for some of its leaf sizes, and sets their children, which
/// know the rows at the left. False when it is a leaf.
bool ClassGrower::split(const Node& node, LeafSizes sizes, const Choice& choice,
                        Node (&children)[2]) {
  children[1].n_rows = node.n_rows - children[0].n_rows;
  children[0].counts = choice.left;
  for (std::size_t c = 0; c < kMaxClasses; ++c) {
    children[1].counts[c] = node.counts[c] - choice.left[c];
  }
  for (Node& child : children) child.summary = kernels_.summarize(child.counts);
  const double gain = decrease(node, choice, children[0].summary.weight);
  const std::uint64_t stops = node.stops | stops_below(plan_, node.cuts & ~node.stops, gain);
  write(node, sizes, stops);
  const std::uint64_t cuts = node.cuts & ~stops;
  if (cuts == 0) return false;
  const auto& bins = plan_.context.data.binning->features[choice.feature];
  const bool is_missing_left = choice.has_missing
                                   ? choice.is_missing_left
                                   : children[0].summary.weight >= children[1].summary.weight;
  const int cut = choose_cut(choice.left_bin, choice.right_bin, bins);
  builders_.for_each(sizes, [&](TreeBuilder& builder) {
    builder.split_numeric(choice.feature, cut, bins, is_missing_left, gain);
  });
  for (const std::uint32_t side : {0U, 1U}) {
    Node& child = children[side];
    child.begin = side == 0 ? node.begin : node.begin + children[0].n_rows;
    child.block = 1 - node.block;
    node.start_child(plan_, side, sizes, cuts, child.is_pure(), child.n_rows, child);
  }
  return true;
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

/// What every node has, for some of its leaf sizes; `stops`: the cuts that end here.
void ClassGrower::write(const Node& node, LeafSizes sizes, std::uint64_t stops) {
  if (stops == 0) {
    builders_.for_each(sizes, [&](TreeBuilder& builder) { builder.visit(node.n_rows, 0, -1); });
  } else if (node.is_pure()) {
    for (auto size = sizes.first; size < sizes.last; ++size) {
      builders_[size].visit(node.n_rows, stops, pure_row(size, node));
    }
  } else {
    set_value(node);
    builders_.for_each(sizes,
                       [&](TreeBuilder& builder) { builder.visit(node.n_rows, stops, value_); });
  }
}

/// The row of values of a leaf size's nodes that hold no other class.
std::int32_t ClassGrower::pure_row(std::uint32_t size, const Node& node) {
  std::int32_t& row = pure_rows_[size][std::countr_zero(node.summary.classes)];
  if (row < 0) {
    set_value(node);
    row = builders_[size].value_row(value_);
  }
  return row;
}

/// Fractions as ClassSearch writes them.
void ClassGrower::set_value(const Node& node) {
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
