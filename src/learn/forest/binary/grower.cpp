#include "forest/binary/grower.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64
#include "forest/binary/histograms.hpp"
#include "forest/binary/rows.hpp"
#include "forest/moving/search.hpp"
#include "forest/tree_builder.hpp"

namespace orchard::learn {
namespace binary {
namespace {

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
        builders_(plan),
        poll_(plan.context.pool),
        trials_(plan, kFeaturesAPass, poll_),
        subsets_(kFewRows * plan.leaf_rows.size()) {
    for (const auto& bins : plan.context.data.binning->features) {
      missing_bins_.push_back(static_cast<Bin>(bins.missing_bin()));
    }
  }

  void grow(const TreeStart& start, std::span<model::PackedTree> trees) override;

 private:
  /// A node whose rows are known by number, wherever they are.
  struct Node : moving::Node {
    Counts counts;
  };
  /// A node whose rows are a range of a block or of the list.
  struct Range {
    Node node;
    int block = 0;
    std::size_t begin = 0;
    bool is_kept = false;  ///< the rows were set aside and must be put back
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

  void visit_range(const Range& range);
  void grow_few(const Range& range);
  bool visit_subset(Subset& subset);

  /// offer(counts, features, n, sides) offers the splits of a few features to `sides`,
  /// divide(sides) says what the chosen one does to the rows.
  template <class Offer, class Divide>
  bool visit(const Node& node, Offer offer, Divide divide, Sides& sides, Node (&children)[2],
             Node& parted);
  void write(const Node& node, LeafSizes sizes, std::uint64_t stops);
  bool split(const Node& node, LeafSizes sizes, const Sides& sides, Node (&children)[2]);
  double decrease(const Counts& node, const Counts& left) const;
  static bool is_pure(const Counts& counts) {
    return counts.positives == 0 || counts.positives == counts.weight;
  }
  const ForestPlan& plan_;
  Kernels kernels_;
  TreeRows rows_;
  Histograms histograms_;
  TreeBuilders builders_;
  RowPoll poll_;
  moving::FeatureTrials trials_;
  std::vector<Bin> missing_bins_;
  std::array<std::int64_t, 2> value_{};
  std::vector<Range> ranges_;
  std::vector<Subset> subsets_;  ///< that wait: at most one a row and leaf size
  std::size_t n_subsets_ = 0;
  FewRows few_;
  double root_weight_ = 0;
};

void BinaryGrower::grow(const TreeStart& start, std::span<model::PackedTree> trees) {
  rows_.take(start);
  trials_.start_tree(start.tree);
  builders_.start();
  ranges_.clear();
  root_weight_ = start.node != nullptr ? start.node->root_weight : rows_.counts().weight;
  Range root;
  root.node.n_rows = static_cast<std::uint32_t>(rows_.n_rows());
  root.node.counts = rows_.counts();
  static_cast<NodeHead&>(root.node) = start.head(plan_);
  root.node.find_stops(plan_, is_pure(root.node.counts), root.node.n_rows);
  root.block = rows_.n_rows() > rows_.capacity() ? kList : 0;
  ranges_.push_back(root);
  while (!ranges_.empty()) {
    Range range = ranges_.back();
    ranges_.pop_back();
    if (range.node.is_leaf()) {
      write(range.node, range.node.sizes, range.node.cuts);
      continue;
    }
    if (range.is_kept) {
      rows_.put_back(range.block, range.begin, range.node.n_rows);
      range.is_kept = false;
    } else if (range.block == kList && range.node.n_rows <= rows_.capacity()) {
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
  builders_.finish(root.node.sizes, trees);
}

/// Writes an inner node for those leaf sizes that stop here or that the split suits, and sets the
/// children of the latter. The other ones part: they search again. False when there are no
/// children.
template <class Offer, class Divide>
bool BinaryGrower::visit(const Node& node, Offer offer, Divide divide, Sides& sides,
                         Node (&children)[2], Node& parted) {
  poll_(node.n_rows);
  if (node.has_leaf_sizes()) write(node, node.leaf_sizes(), node.cuts);
  NodeCounts counts{node.counts, node.n_rows, 1};
  const auto start = [&](std::uint32_t n_leaf_rows) {
    counts.n_leaf_rows = n_leaf_rows;
    sides = {};
  };
  const auto offer_features = [&](const FeatureIndex* features, std::size_t n) {
    return offer(counts, features, n, sides);
  };
  const auto divide_rows = [&] {
    if (sides.choice.score >= 0) divide(sides);
    return std::size_t{sides.n_left};
  };
  const std::size_t n_left = trials_.find(node, start, offer_features, divide_rows);
  if (n_left == 0) {
    write(node, node.inner_sizes, node.cuts);
    return false;
  }
  const LeafSizes sizes =
      plan_.leaf_sizes_up_to(std::min(n_left, node.n_rows - n_left), node.inner_sizes);
  if (sizes.last < node.inner_sizes.last) {
    parted = node;
    parted.part_from(sizes);
    parted.n_tried = trials_.n_tried();
  }
  return split(node, sizes, sides, children);
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
  const auto offer = [&](const NodeCounts& counts, const FeatureIndex* features, std::size_t n,
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
  Sides sides;
  Node children[2], parted;
  const bool is_split = visit(node, offer, divide, sides, children, parted);
  if (!parted.sizes.is_empty()) {
    // A list keeps its rows where they are, in whatever order; a block loses them to what grows
    // below the children.
    const bool is_kept =
        !is_listed && is_split && !(children[0].is_leaf() && children[1].is_leaf());
    if (is_kept) rows_.keep(range.block, range.begin, node.n_rows);
    ranges_.push_back({parted, range.block, range.begin, is_kept});
  }
  if (!is_split) return;
  if (!is_listed) {
    rows_.move(range.block, range.begin, node.n_rows, sides.n_left,
               {!children[0].is_leaf(), !children[1].is_leaf()});
  }
  for (const int side : {1, 0}) {
    ranges_.push_back({children[side], is_listed ? kList : 1 - range.block,
                       side == 0 ? range.begin : range.begin + sides.n_left, false});
  }
}

void BinaryGrower::grow_few(const Range& range) {
  few_.columns = rows_.columns(range.block, range.begin);
  kernels_.few.start(rows_.codes(range.block) + range.begin, range.node.n_rows, few_);
  Subset at{range.node, ~std::uint64_t{0} >> (kFewRows - range.node.n_rows)};
  for (n_subsets_ = 0;;) {
    if (at.node.is_leaf()) {
      write(at.node, at.node.sizes, at.node.cuts);
    } else if (visit_subset(at)) {
      continue;
    }
    if (n_subsets_ == 0) return;
    at = subsets_[--n_subsets_];
  }
}

/// Goes on to the left child, and leaves what else there is. False when there is no child.
bool BinaryGrower::visit_subset(Subset& subset) {
  std::uint64_t left = 0;
  const auto offer = [&](const NodeCounts& counts, const FeatureIndex* features, std::size_t n,
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
  Sides sides;
  Node children[2], parted;
  const bool is_split = visit(subset.node, offer, divide, sides, children, parted);
  if (!parted.sizes.is_empty()) subsets_[n_subsets_++] = {parted, subset.rows};
  if (!is_split) return false;
  subsets_[n_subsets_++] = {children[1], subset.rows & ~left};
  subset = {children[0], left};
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

/// Writes a node whose split is found for some of its leaf sizes, and sets their children. False
/// when it is a leaf.
bool BinaryGrower::split(const Node& node, LeafSizes sizes, const Sides& sides,
                         Node (&children)[2]) {
  const double gain = decrease(node.counts, sides.left);
  const std::uint64_t stops = node.stops | stops_below(plan_, node.cuts & ~node.stops, gain);
  write(node, sizes, stops);
  const std::uint64_t cuts = node.cuts & ~stops;
  if (cuts == 0) return false;
  const Choice& choice = sides.choice;
  const auto& bins = plan_.context.data.binning->features[choice.feature];
  const Counts right_counts{node.counts.weight - sides.left.weight,
                            node.counts.positives - sides.left.positives};
  const bool is_missing_left =
      choice.has_missing ? choice.is_missing_left : sides.left.weight >= right_counts.weight;
  const int cut = choose_cut(choice.left_bin, sides.right_bin, bins);
  builders_.for_each(sizes, [&](TreeBuilder& builder) {
    builder.split_numeric(choice.feature, cut, bins, is_missing_left, gain);
  });
  children[0].n_rows = sides.n_left;
  children[0].counts = sides.left;
  children[1].n_rows = node.n_rows - sides.n_left;
  children[1].counts = right_counts;
  for (const std::uint32_t side : {0U, 1U}) {
    Node& child = children[side];
    node.start_child(plan_, side, sizes, cuts, is_pure(child.counts), child.n_rows, child);
  }
  return true;
}

/// What every node has, for some of its leaf sizes; `stops`: the cuts that end here.
void BinaryGrower::write(const Node& node, LeafSizes sizes, std::uint64_t stops) {
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
  builders_.for_each(sizes,
                     [&](TreeBuilder& builder) { builder.visit(node.n_rows, stops, value_); });
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
