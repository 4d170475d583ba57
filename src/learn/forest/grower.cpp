#include "forest/grower.hpp"

#include <algorithm>

#include "forest/binary/grower.hpp"
#include "forest/class/grower.hpp"
#include "forest/feature_order.hpp"
#include "forest/row_poll.hpp"
#include "forest/search_kind.hpp"
#include "forest/tree_builder.hpp"
#include "forest/value/grower.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::learn {
namespace {

/// Search is one of PairSearch and ClassSearch. Its protocol: start_tree; then a node: start_node
/// with its rows, try_feature in the node's order, decrease and write_value.
template <class Search>
class TreeGrower final : public ForestGrower {
 public:
  explicit TreeGrower(const ForestPlan& plan)
      : plan_(plan),
        search_(plan),
        builders_(plan),
        poll_(plan.context.pool),
        order_(plan.context.data.n_features()),
        value_(plan.n_values()) {}

  void grow(const TreeStart& start, std::span<model::PackedTree> trees) override {
    take_rows(start);
    builders_.start();
    const NodeHead head = start.head(plan_);
    stack_.push_back({head, 0, positions_.size()});
    try {
      while (!stack_.empty()) {
        const Item item = stack_.back();
        stack_.pop_back();
        visit(start.tree, item);
      }
    } catch (...) {
      stack_.clear();
      throw;
    }
    builders_.finish(head.sizes, trees);
  }

 private:
  using Row = typename Search::Row;

  /// A node that waits, of one or several leaf sizes: its rows are [begin, end) of positions_ and
  /// rows_. Where leaf sizes have parted, their nodes have the same range, in whatever order the
  /// one that was grown first has left it; sums over rows do not depend on it.
  struct Item : NodeHead {
    std::size_t begin, end;
  };

  std::span<const Row> rows(std::size_t begin, std::size_t end) const {
    return {rows_.data() + begin, end - begin};
  }

  void take_rows(const TreeStart& start);
  void visit(std::uint64_t tree, const Item& item);
  void split(const Item& item, std::uint64_t stops);
  void write(const Item& item, LeafSizes sizes, std::uint64_t stops);
  void find_split(std::uint64_t tree, const Item& item, std::uint32_t n_leaf_rows);
  std::size_t partition(const Split& split, int cut, const Item& item);

  const ForestPlan& plan_;
  Search search_;
  TreeBuilders builders_;
  RowPoll poll_;
  FeatureOrder order_;
  std::vector<std::int64_t> value_;
  std::vector<std::uint32_t> multiplicity_;
  std::vector<RowIndex> positions_, spare_positions_;
  std::vector<Row> rows_, spare_rows_;
  std::vector<Item> stack_;
  double root_weight_ = 0;
};

template <class Search>
void TreeGrower<Search>::take_rows(const TreeStart& start) {
  count_rows(plan_, start, multiplicity_);
  search_.start_tree(start, multiplicity_);
  positions_.clear();
  rows_.clear();
  const auto& weight = plan_.targets.weight;
  for (RowIndex position = 0; position < multiplicity_.size(); ++position) {
    if (multiplicity_[position] == 0 || (!weight.empty() && weight[position] == 0)) continue;
    positions_.push_back(position);
    rows_.push_back(search_.make_row(position, multiplicity_[position]));
  }
  if (positions_.empty()) {
    throw Error(ErrorKind::kData, format("tree {} has no row of positive weight", start.tree));
  }
  spare_positions_.resize(positions_.size());
  spare_rows_.resize(rows_.size());
  search_.start_node(rows_);
  root_weight_ = start.node != nullptr ? start.node->root_weight : search_.node_weight();
}

template <class Search>
void TreeGrower<Search>::find_split(std::uint64_t tree, const Item& item,
                                    std::uint32_t n_leaf_rows) {
  order_.start({plan_.context.random_state, random::Purpose::kFeatures, tree, item.key});
  const auto node_rows = rows(item.begin, item.end);
  const std::size_t n_features = plan_.context.data.n_features();
  bool is_varied = false;
  for (std::size_t i = 0; i < n_features && (i < plan_.n_tried || !is_varied); ++i) {
    const FeatureIndex feature = order_.next();
    is_varied |=
        search_.try_feature(feature, positions_.data() + item.begin, node_rows, n_leaf_rows);
    poll_(node_rows.size());
  }
}

/// Rows that go left first, in their order; returns where the right ones begin.
template <class Search>
std::size_t TreeGrower<Search>::partition(const Split& split, int cut, const Item& item) {
  std::array<std::uint8_t, 256> side;
  fill_sides(split, cut, plan_.context.data.binning->features[split.feature], side);
  const Bin* column = plan_.context.data.column(split.feature);
  std::size_t left = item.begin, right = 0;
  for (std::size_t i = item.begin; i < item.end; ++i) {
    const RowIndex position = positions_[i];
    const Row row = rows_[i];
    const std::size_t is_right = side[column[position]];
    positions_[left] = spare_positions_[right] = position;
    rows_[left] = spare_rows_[right] = row;
    left += 1 - is_right;
    right += is_right;
  }
  std::copy_n(spare_positions_.begin(), right,
              positions_.begin() + static_cast<std::ptrdiff_t>(left));
  std::copy_n(spare_rows_.begin(), right, rows_.begin() + static_cast<std::ptrdiff_t>(left));
  return left;
}

template <class Search>
void TreeGrower<Search>::visit(std::uint64_t tree, const Item& item) {
  const std::size_t n_rows = item.end - item.begin;
  search_.start_node(rows(item.begin, item.end));
  poll_(n_rows);
  const std::uint64_t stops = stops_before(plan_, item.cuts, search_.is_pure(), n_rows, item.depth);
  Item inner = item;
  inner.sizes = stops == item.cuts ? LeafSizes{} : plan_.leaf_sizes_up_to(n_rows / 2, item.sizes);
  if (!inner.sizes.is_empty()) {
    find_split(tree, item, plan_.leaf_rows[item.sizes.first]);
    if (!search_.split().is_found()) inner.sizes = {};
  }
  write(item, {inner.sizes.is_empty() ? item.sizes.first : inner.sizes.last, item.sizes.last},
        item.cuts);
  if (!inner.sizes.is_empty()) split(inner, stops);
}

/// Splits a node by the best split under the least of its leaf sizes. `stops`: of cuts that stop
/// here whatever the split may be.
template <class Search>
void TreeGrower<Search>::split(const Item& item, std::uint64_t stops) {
  Split split = search_.split();
  const auto& bins = plan_.context.data.binning->features[split.feature];
  const int cut = split.is_categorical ? 0 : choose_cut(split.left_bin, split.right_bin, bins);
  const std::size_t middle = partition(split, cut, item);
  // The split is also the best one under the other leaf sizes that allow it. The rest search again.
  const LeafSizes sizes =
      plan_.leaf_sizes_up_to(std::min(middle - item.begin, item.end - middle), item.sizes);
  if (sizes.last < item.sizes.last) {
    stack_.push_back(item);
    stack_.back().sizes.first = sizes.last;
  }
  const double decrease = search_.decrease(rows(item.begin, middle), root_weight_);
  if (!split.has_missing) {
    split.is_missing_left = search_.integer_weight(rows(item.begin, middle)) >=
                            search_.integer_weight(rows(middle, item.end));
  }
  stops |= stops_below(plan_, item.cuts & ~stops, decrease);
  write(item, sizes, stops);
  const std::uint64_t cuts = item.cuts & ~stops;
  if (cuts == 0) return;
  builders_.for_each(sizes,
                     [&](TreeBuilder& builder) { builder.split(split, cut, bins, decrease); });
  stack_.push_back({{sizes, item.depth + 1, item.key.child(1), cuts}, middle, item.end});
  stack_.push_back({{sizes, item.depth + 1, item.key.child(0), cuts}, item.begin, middle});
}

/// Writes the node for some of its leaf sizes.
template <class Search>
void TreeGrower<Search>::write(const Item& item, LeafSizes sizes, std::uint64_t stops) {
  if (sizes.is_empty()) return;
  if (stops != 0) search_.write_value(value_);
  const auto n_rows = static_cast<std::uint32_t>(item.end - item.begin);
  builders_.for_each(sizes, [&](TreeBuilder& builder) { builder.visit(n_rows, stops, value_); });
}

}  // namespace

std::unique_ptr<ForestGrower> make_forest_grower(const ForestPlan& plan) {
  if (auto grower = make_binary_grower(plan)) return grower;
  if (auto grower = make_class_grower(plan)) return grower;
  if (auto grower = make_value_grower(plan)) return grower;
  return make_general_grower(plan);
}

std::unique_ptr<ForestGrower> make_general_grower(const ForestPlan& plan) {
  return with_search_kind(plan, [&]<class Search>() -> std::unique_ptr<ForestGrower> {
    return std::make_unique<TreeGrower<Search>>(plan);
  });
}

}  // namespace orchard::learn
