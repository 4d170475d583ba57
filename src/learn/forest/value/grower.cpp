#include "forest/value/grower.hpp"

#include <algorithm>
#include <array>

#include "forest/feature_order.hpp"
#include "forest/open_node.hpp"
#include "forest/pair.hpp"
#include "forest/row_poll.hpp"
#include "forest/tree_builder.hpp"
#include "forest/value/block.hpp"
#include "forest/value/histograms.hpp"

namespace orchard::learn {
namespace values {
namespace {

Pair pair_of(const Cell& cell) { return {cell.weight(), cell.sum}; }

class ValueGrower final : public ForestGrower {
 public:
  explicit ValueGrower(const ForestPlan& plan)
      : plan_(plan),
        kernels_(choose_kernels()),
        rows_(plan),
        block_(plan),
        histograms_(rows_.n_counted_features() * kCellStride),
        builders_(plan),
        poll_(plan.context.pool),
        order_(plan.context.data.n_features()),
        winners_(plan.context.data.n_features()) {}

  void grow(const TreeStart& start, std::span<model::PackedTree> trees) override;

 private:
  /// What a node is before its rows are looked at again.
  struct Node : OpenNode {
    Cell sum;
    bool is_pure = false;
    std::int64_t first_value = 0;
  };
  /// A waiting node whose rows are [begin, end) of the tree's. Where leaf sizes have parted, their
  /// nodes have the same range, in whatever order the one that was grown first has left it.
  struct Range {
    Node node;
    std::size_t begin, end;
    Histogram histogram;  ///< may be none
  };
  /// A waiting node whose rows are places [begin, end) of the block's lists.
  struct Places {
    Node node;
    std::size_t begin, end;
    bool is_kept;  ///< the places were set aside and must be put back
  };
  /// A split found, and the sides that it makes.
  struct Division {
    FeatureIndex feature = 0;
    int cut = 0;
    bool is_missing_left = false;
    Node left, right;  ///< sum, is_pure and first_value
  };

  void visit_range(Range& range);
  Division divide_range(const Range& range, const Winner& best, std::size_t& middle);
  void share_histogram(const Range& parent, Range& left, Range& right);
  void grow_block(const Range& range);
  bool visit_places(Places& places);
  Division divide_places(const Places& places, const Winner& best);

  Around around_of(const Node& node) const {
    return {node.sum, plan_.leaf_rows[node.inner_sizes.first]};
  }
  std::size_t scan_cells(const Range& range);
  const Winner& pick(const Node& node, std::size_t n_winners);
  LeafSizes takers(const Node& node, const Division& division) const;
  bool split(const Node& node, LeafSizes sizes, Division& division);
  void write(const Node& node, LeafSizes sizes, std::uint64_t stops);

  const ForestPlan& plan_;
  const Kernels kernels_;
  TreeRows rows_;
  Block block_;
  HistogramPool histograms_;
  TreeBuilders builders_;
  RowPoll poll_;
  FeatureOrder order_;
  std::vector<Winner> winners_;                              ///< room for all features
  alignas(64) std::array<std::uint8_t, kMaxListed> side_{};  ///< by row number; 255: right
  std::vector<Range> ranges_;
  std::vector<Places> places_;
  std::uint64_t tree_ = 0;
  double root_weight_ = 0;
};

void ValueGrower::grow(const TreeStart& start, std::span<model::PackedTree> trees) {
  tree_ = start.tree;
  rows_.take(start);
  builders_.start();
  ranges_.clear();
  places_.clear();
  histograms_.clear();
  Range root{{}, 0, rows_.n_rows(), {}};
  static_cast<NodeHead&>(root.node) = start.head(plan_);
  root.node.sum = rows_.sum(0, root.end);
  root.node.is_pure = rows_.is_pure(0, root.end);
  root.node.first_value = rows_.value(0);
  root.node.find_stops(plan_, root.node.is_pure, root.node.sum.n_rows());
  root_weight_ =
      start.node != nullptr ? start.node->root_weight : static_cast<double>(root.node.sum.weight());
  ranges_.push_back(root);
  while (!ranges_.empty()) {
    Range range = ranges_.back();
    ranges_.pop_back();
    poll_(range.end - range.begin);
    if (range.node.is_leaf()) {
      write(range.node, range.node.sizes, range.node.cuts);
    } else if (range.end - range.begin <= kMaxListed) {
      grow_block(range);
    } else {
      visit_range(range);
    }
  }
  builders_.finish(root.node.sizes, trees);
}

/// The winner that the node tries first.
const Winner& ValueGrower::pick(const Node& node, std::size_t n_winners) {
  if (n_winners == 1) return winners_.front();
  order_.start({plan_.context.random_state, random::Purpose::kFeatures, tree_, node.key});
  const auto end = winners_.begin() + static_cast<std::ptrdiff_t>(n_winners);
  for (;;) {
    const FeatureIndex feature = order_.next();
    const auto at = std::find_if(winners_.begin(), end,
                                 [&](const Winner& winner) { return winner.feature == feature; });
    if (at != end) return *at;
  }
}

/// Finds the features with the best split by a histogram; returns their number.
std::size_t ValueGrower::scan_cells(const Range& range) {
  const Around around = around_of(range.node);
  const auto& features = plan_.context.data.binning->features;
  double score = -std::numeric_limits<double>::infinity();
  std::size_t n = 0;
  for (std::size_t f = 0; f < features.size(); ++f) {
    const Best best = kernels_.scan_cells(range.histogram.cells() + f * kCellStride,
                                          static_cast<std::size_t>(features[f].n_bins), around);
    if (best.score < score || best.score == -std::numeric_limits<double>::infinity()) continue;
    if (best.score > score) n = 0;
    score = best.score;
    winners_[n++] = {static_cast<FeatureIndex>(f), best.position, best.is_missing_left};
  }
  return n;
}

void ValueGrower::visit_range(Range& range) {
  const Node& node = range.node;
  if (node.has_leaf_sizes()) write(node, node.leaf_sizes(), node.cuts);
  if (!range.histogram.cells()) {
    range.histogram = histograms_.take();
    rows_.add(range.begin, range.end, range.histogram.cells());
  }
  const std::size_t n_winners = scan_cells(range);
  if (n_winners == 0) {
    histograms_.give_back(range.histogram);
    return write(node, node.inner_sizes, node.cuts);
  }
  std::size_t middle = 0;
  Division division = divide_range(range, pick(node, n_winners), middle);
  const LeafSizes sizes = takers(node, division);
  const bool is_split = split(node, sizes, division);
  if (sizes.last < node.inner_sizes.last) {
    Range parted = range;
    parted.node.part_from(sizes);
    if (is_split) parted.histogram = histograms_.copy(range.histogram);
    ranges_.push_back(parted);
    if (!is_split) return;
  }
  if (!is_split) return histograms_.give_back(range.histogram);
  Range left{division.left, range.begin, middle, {}};
  Range right{division.right, middle, range.end, {}};
  share_histogram(range, left, right);
  ranges_.push_back(right);
  ranges_.push_back(left);
}

/// Also parts the rows; the right ones begin at `middle`.
ValueGrower::Division ValueGrower::divide_range(const Range& range, const Winner& best,
                                                std::size_t& middle) {
  Division division;
  division.feature = best.feature;
  const auto& bins = plan_.context.data.binning->features[division.feature];
  const Cell* cells = range.histogram.cells() + division.feature * kCellStride;
  const bool has_missing = cells[bins.missing_bin()].rows_and_weight != 0;
  const int left_bin = static_cast<int>(best.position);
  int right_bin = left_bin + 1;
  while (right_bin < bins.n_bins && cells[right_bin].rows_and_weight == 0) ++right_bin;
  division.cut = choose_cut(left_bin, right_bin, bins);
  if (best.is_missing_left) division.left.sum = cells[bins.missing_bin()];
  for (int bin = 0; bin <= left_bin; ++bin) division.left.sum += cells[bin];
  division.right.sum = range.node.sum;
  division.right.sum -= division.left.sum;
  division.is_missing_left = has_missing
                                 ? best.is_missing_left
                                 : division.left.sum.weight() >= division.right.sum.weight();
  std::array<std::uint8_t, 256> side{};
  std::fill(side.begin() + right_bin, side.end(), std::uint8_t{1});
  side[static_cast<std::size_t>(bins.missing_bin())] = division.is_missing_left ? 0 : 1;
  middle = rows_.part(range.begin, range.end, division.feature, side);
  division.left.is_pure = rows_.is_pure(range.begin, middle);
  division.left.first_value = rows_.value(range.begin);
  division.right.is_pure = rows_.is_pure(middle, range.end);
  division.right.first_value = rows_.value(middle);
  return division;
}

/// The parent's histogram becomes that of the larger child, where either child needs one.
void ValueGrower::share_histogram(const Range& parent, Range& left, Range& right) {
  const auto needs = [](const Range& range) {
    return !range.node.is_leaf() && range.end - range.begin > kMaxListed;
  };
  const bool is_left_larger = left.end - left.begin >= right.end - right.begin;
  Range& large = is_left_larger ? left : right;
  Range& small = is_left_larger ? right : left;
  if (needs(small) && histograms_.has_more()) {
    small.histogram = histograms_.take();
    rows_.add(small.begin, small.end, small.histogram.cells());
  }
  if (!needs(large)) return histograms_.give_back(parent.histogram);
  large.histogram = parent.histogram;
  if (small.histogram.cells()) {
    histograms_.subtract(small.histogram, large.histogram);
  } else {
    rows_.subtract(small.begin, small.end, large.histogram.cells());
  }
}

/// Grows the whole subtree of a small range.
void ValueGrower::grow_block(const Range& range) {
  block_.start(rows_, range.begin, range.end);
  Places places{range.node, 0, range.end - range.begin, false};
  for (;;) {
    poll_(places.end - places.begin);
    if (visit_places(places)) continue;
    if (places_.empty()) break;
    places = places_.back();
    places_.pop_back();
  }
  if (range.histogram.cells()) histograms_.give_back(range.histogram);
}

/// Goes on to the left child, and leaves what else there is. False when there is no child.
bool ValueGrower::visit_places(Places& places) {
  const Node& node = places.node;
  if (node.has_leaf_sizes()) write(node, node.leaf_sizes(), node.cuts);
  if (node.is_leaf()) return false;
  if (places.is_kept) block_.put_back(places.begin, places.end);
  const Around around = around_of(node);
  const std::size_t n_winners =
      kernels_.scan_lists(block_.lists(), places.begin, places.end, around, winners_.data());
  if (n_winners == 0) {
    write(node, node.inner_sizes, node.cuts);
    return false;
  }
  Division division = divide_places(places, pick(node, n_winners));
  const LeafSizes sizes = takers(node, division);
  const bool is_split = split(node, sizes, division);
  const bool is_moved = is_split && !(division.left.is_leaf() && division.right.is_leaf());
  if (sizes.last < node.inner_sizes.last) {
    if (is_moved) block_.keep(places.begin, places.end);
    places_.push_back({node, places.begin, places.end, is_moved});
    places_.back().node.part_from(sizes);
  }
  if (!is_split) return false;
  const std::size_t n_left = division.left.sum.n_rows();
  const std::size_t middle = places.begin + n_left;
  if (is_moved) {
    kernels_.part_lists(block_.lists(), places.begin, places.end, side_.data(), n_left);
  }
  places_.push_back({division.right, middle, places.end, false});
  places = {division.left, places.begin, middle, false};
  return true;
}

/// Also says where each row goes, in side_.
ValueGrower::Division ValueGrower::divide_places(const Places& places, const Winner& best) {
  const FeatureIndex feature = best.feature;
  const auto& feature_bins = plan_.context.data.binning->features[feature];
  const std::uint8_t* numbers = block_.numbers(feature) + places.begin;
  const Bin* bins = block_.bins(feature) + places.begin;
  const std::size_t n = places.end - places.begin;
  Division division;
  division.feature = feature;
  division.left.is_pure = division.right.is_pure = true;
  const std::size_t n_low = best.position + 1;
  division.cut = choose_cut(bins[n_low - 1], bins[n_low], feature_bins);
  const bool has_missing = bins[n - 1] == feature_bins.missing_bin();
  std::size_t n_values = n;
  if (best.is_missing_left) {
    while (bins[n_values - 1] == bins[n - 1]) --n_values;
  }
  const auto take = [&](std::size_t begin, std::size_t end, std::uint8_t side, Node& child) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint8_t number = numbers[i];
      side_[number] = side;
      if (child.sum.rows_and_weight == 0) child.first_value = block_.value(number);
      child.is_pure &= block_.value(number) == child.first_value;
      child.sum += block_.cell(number);
    }
  };
  take(0, n_low, 0, division.left);
  take(n_low, n_values, 255, division.right);
  take(n_values, n, 0, division.left);
  division.is_missing_left = has_missing
                                 ? best.is_missing_left
                                 : division.left.sum.weight() >= division.right.sum.weight();
  return division;
}

/// Those of the node's leaf sizes that take a split.
LeafSizes ValueGrower::takers(const Node& node, const Division& division) const {
  return plan_.leaf_sizes_up_to(std::min(division.left.sum.n_rows(), division.right.sum.n_rows()),
                                node.inner_sizes);
}

/// Writes the node for some of its leaf sizes. True when it is split for some cut: then the
/// children are complete.
bool ValueGrower::split(const Node& node, LeafSizes sizes, Division& division) {
  const double decrease = squared_error_decrease(plan_.targets, pair_of(division.left.sum),
                                                 pair_of(node.sum), root_weight_);
  const std::uint64_t stops = node.stops | stops_below(plan_, node.cuts & ~node.stops, decrease);
  write(node, sizes, stops);
  const std::uint64_t cuts = node.cuts & ~stops;
  if (cuts == 0) return false;
  const auto& bins = plan_.context.data.binning->features[division.feature];
  builders_.for_each(sizes, [&](TreeBuilder& builder) {
    builder.split_numeric(division.feature, division.cut, bins, division.is_missing_left, decrease);
  });
  for (const std::uint32_t side : {0U, 1U}) {
    Node& child = side == 0 ? division.left : division.right;
    node.start_child(plan_, side, sizes, cuts, child.is_pure, child.sum.n_rows(), child);
  }
  return true;
}

void ValueGrower::write(const Node& node, LeafSizes sizes, std::uint64_t stops) {
  std::int64_t value = 0;
  if (stops != 0) {
    value = node.is_pure ? exact_leaf_value(plan_.targets, node.first_value)
                         : mean_leaf_value(plan_.targets, pair_of(node.sum));
  }
  builders_.for_each(sizes, [&](TreeBuilder& builder) {
    builder.visit(node.sum.n_rows(), stops, {&value, 1});
  });
}

}  // namespace
}  // namespace values

std::unique_ptr<ForestGrower> make_value_grower(const ForestPlan& plan) {
  const auto& features = plan.context.data.binning->features;
  const bool is_numeric = std::all_of(features.begin(), features.end(), [](const auto& bins) {
    return bins.kind == model::FeatureKind::kNumeric;
  });
  if (plan.context.schema.task != Task::kRegression || plan.targets.has_weights ||
      plan.n_draws >= std::uint64_t{1} << 31 || plan.n_tried < features.size() || !is_numeric) {
    return nullptr;
  }
  return std::make_unique<values::ValueGrower>(plan);
}

}  // namespace orchard::learn
