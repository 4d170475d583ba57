#include "forest/binary/grower.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64
#include "forest/binary/histograms.hpp"
#include "forest/binary/rows.hpp"
#include "forest/feature_order.hpp"
#include "forest/tree_builder.hpp"

namespace orchard::learn {
namespace binary {
namespace {

/// Rows visited between two polls: well under a millisecond.
constexpr std::size_t kRowsAPoll = 1 << 16;
/// Moving a row costs a little for each feature, whether it is looked at or not.
constexpr std::size_t kMostFeaturesATried = 40;
/// What stands for a block where a node's rows are a range of the list.
constexpr int kList = -1;

class BinaryGrower final : public ForestGrower {
 public:
  explicit BinaryGrower(const ForestPlan& plan)
      : plan_(plan),
        kernels_{*choose_version<const FewKernels>(nullptr, &kFewAvx2, &kFewAvx512),
                 choose_version<SearchWords>(nullptr, search_words_avx2, search_words_avx512)},
        rows_(plan),
        histograms_(kernels_),
        builder_(plan),
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
  /// A node whose rows are a range of a block or of the list.
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
  bool visit_subset(Subset& subset, Subset& right);

  /// Finds the node's split: try_pass(counts, features, n, sides) offers the splits of a few
  /// features, divide(sides) says what the chosen one does to the rows.
  template <class Try, class Divide>
  bool search(const Node& node, Sides& sides, Try try_pass, Divide divide);
  template <class Try>
  void try_features(const Node& node, Try try_pass);
  void write_leaf(const Node& node) { write(node, node.cuts); }
  void write(const Node& node, std::uint64_t stops);
  bool split(const Node& node, bool is_found, const Sides& sides, Node& left, Node& right);
  double decrease(const Counts& node, const Counts& left) const;
  static bool is_pure(const Counts& counts) {
    return counts.positives == 0 || counts.positives == counts.weight;
  }
  std::uint64_t find_stops(const Node& node) const {
    if (is_pure(node.counts)) return node.cuts;
    return stops_before(plan_, node.cuts, false, node.n_rows, node.depth);
  }

  const ForestPlan& plan_;
  Kernels kernels_;
  TreeRows rows_;
  Histograms histograms_;
  TreeBuilder builder_;
  FeatureOrder order_;
  std::vector<Bin> missing_bins_;
  std::vector<FeatureIndex> tried_;  ///< by the node under way, in their order
  std::array<std::int64_t, 2> value_{};
  std::vector<Range> ranges_;
  std::array<Subset, kFewRows> subsets_;  ///< that wait: at most one a row
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
  root_weight_ = rows_.counts().weight;
  Range root;
  root.node.n_rows = static_cast<std::uint32_t>(rows_.n_rows());
  root.node.counts = rows_.counts();
  root.node.cuts = plan_.all_cuts();
  root.node.stops = find_stops(root.node);
  ranges_.push_back({root.node, rows_.n_rows() > rows_.capacity() ? kList : 0, 0});
  while (!ranges_.empty()) {
    Range range = ranges_.back();
    ranges_.pop_back();
    if (range.node.is_leaf()) {
      write_leaf(range.node);
      continue;
    }
    if (range.block == kList && range.node.n_rows <= rows_.capacity()) {
      rows_.gather(range.begin, range.node.n_rows);
      range.block = 0;
      range.begin = 0;
    }
    if (range.node.n_rows <= kFewRows && range.node.counts.weight <= kFewWeight) {
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
    tried_.resize(begin + n);
    order_.draw(n, tried_.data() + begin);
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
  const bool is_listed = range.block == kList;
  const auto& data = plan_.context.data;
  const moving::Columns columns = is_listed
                                      ? moving::Columns{data.column(0), data.layout.column_stride}
                                      : rows_.columns(range.block, range.begin);
  const RowIndex* rows = is_listed ? rows_.listed_rows() + range.begin : nullptr;
  const Code* codes = (is_listed ? rows_.listed_codes() : rows_.codes(range.block)) + range.begin;
  const auto try_pass = [&](const NodeCounts& counts, const FeatureIndex* features, std::size_t n,
                            Sides& sides) {
    return histograms_.search(columns, rows, codes, counts, features, missing_bins_.data(), n,
                              sides.choice, sides.right_bin);
  };
  const auto divide = [&](Sides& sides) {
    const Choice& choice = sides.choice;
    const int end = missing_bins_[choice.feature] + (choice.is_missing_left ? 0 : 1);
    const moving::RightBins right_bins{static_cast<Bin>(choice.left_bin + 1),
                                       static_cast<Bin>(end - choice.left_bin - 1)};
    sides.left = choice.left;
    sides.n_left = static_cast<std::uint32_t>(
        is_listed
            ? rows_.divide_list(range.begin, node.n_rows, choice.feature, right_bins)
            : rows_.divide(range.block, range.begin, node.n_rows, choice.feature, right_bins));
  };
  poll(node.n_rows);
  Sides sides;
  Range next[2];
  if (!split(node, search(node, sides, try_pass, divide), sides, next[0].node, next[1].node)) {
    return;
  }
  next[0].begin = range.begin;
  next[1].begin = range.begin + sides.n_left;
  if (!is_listed) {
    rows_.move(range.block, range.begin, node.n_rows, sides.n_left,
               {!next[0].node.is_leaf(), !next[1].node.is_leaf()});
  }
  for (const int side : {1, 0}) {
    next[side].block = is_listed ? kList : 1 - range.block;
    ranges_.push_back(next[side]);
  }
}

void BinaryGrower::grow_few(const Range& range) {
  few_.columns = rows_.columns(range.block, range.begin);
  kernels_.few.start(rows_.codes(range.block) + range.begin, range.node.n_rows, few_);
  Subset at{range.node, ~std::uint64_t{0} >> (kFewRows - range.node.n_rows)};
  for (std::size_t n_waiting = 0;;) {
    if (at.node.is_leaf()) {
      write_leaf(at.node);
    } else if (visit_subset(at, subsets_[n_waiting])) {
      ++n_waiting;
      continue;
    }
    if (n_waiting == 0) return;
    at = subsets_[--n_waiting];
  }
}

/// Goes on to the left child, and leaves the right one. False when the node is a leaf.
bool BinaryGrower::visit_subset(Subset& subset, Subset& right) {
  const Node& node = subset.node;
  std::uint64_t left = 0;
  const auto try_pass = [&](const NodeCounts& counts, const FeatureIndex* features, std::size_t n,
                            Sides& sides) {
    return kernels_.few.search(few_, subset.rows, counts, features, missing_bins_.data(), n,
                               sides.choice);
  };
  const auto divide = [&](Sides& sides) {
    const auto few =
        kernels_.few.divide(few_, subset.rows, sides.choice, missing_bins_[sides.choice.feature]);
    left = few.left;
    sides.left = few.left_counts;
    sides.n_left = static_cast<std::uint32_t>(std::popcount(left));
    sides.right_bin = few.right_bin;
  };
  poll(node.n_rows);
  Sides sides;
  if (!split(node, search(node, sides, try_pass, divide), sides, subset.node, right.node)) {
    return false;
  }
  right.rows = subset.rows & ~left;
  subset.rows = left;
  return true;
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

/// Writes a node whose search is over, and sets its children (`left` may be the node itself). False
/// when it is a leaf.
bool BinaryGrower::split(const Node& node, bool is_found, const Sides& sides, Node& left,
                         Node& right) {
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
  const Counts right_counts{node.counts.weight - sides.left.weight,
                            node.counts.positives - sides.left.positives};
  const bool is_missing_left =
      choice.has_missing ? choice.is_missing_left : sides.left.weight >= right_counts.weight;
  const NodeIndex index = builder_.split_numeric(node.index, choice.feature,
                                                 choose_cut(choice.left_bin, sides.right_bin, bins),
                                                 bins, is_missing_left, gain);
  const random::NodeKey key = node.key;
  const std::int64_t depth = node.depth + 1;
  right = {index + 1, node.n_rows - sides.n_left, right_counts, depth, {}, cuts, 0};
  left = {index, sides.n_left, sides.left, depth, {}, cuts, 0};
  left.stops = find_stops(left);
  if (!left.is_leaf()) left.key = key.child(0);
  right.stops = find_stops(right);
  if (!right.is_leaf()) right.key = key.child(1);
  return true;
}

/// What every node has; `stops`: the cuts that end here.
void BinaryGrower::write(const Node& node, std::uint64_t stops) {
  constexpr std::int64_t kOne = std::int64_t{1} << kFractionBits;
  if (stops != 0 && is_pure(node.counts)) {
    value_[1] = node.counts.positives == 0 ? 0 : kOne;
    value_[0] = kOne - value_[1];
  } else if (stops != 0) {
    const std::int64_t weight = node.counts.weight;
    const auto fraction = [&](std::int64_t count) {
      return ((count << kFractionBits) + weight / 2) / weight;
    };
    value_[1] = fraction(node.counts.positives);
    value_[0] = fraction(weight - node.counts.positives);
    value_[value_[0] >= value_[1] ? 0 : 1] += kOne - value_[0] - value_[1];
  }
  builder_.visit(node.index, node.n_rows, stops, value_);
}

}  // namespace
}  // namespace binary

std::unique_ptr<ForestGrower> make_binary_grower(const ForestPlan& plan) {
  if (plan.targets.n_classes != 2 || !moving::suits_moving(plan, binary::kMostFeaturesATried)) {
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
