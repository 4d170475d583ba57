// Carrying out the split of a node: its rows parted, and the best splits of the two sides found.

#include <algorithm>
#include <numeric>

#include "boosting/grower.hpp"
#include "boosting/grower_node.hpp"

namespace orchard::learn::boosting {
namespace {

constexpr std::size_t kSlotsWorthThreads = 32768;
constexpr std::size_t kColumnsPerChunk = 8;

}  // namespace

void TreeGrower::try_split(Node& node, const Hands& hands) {
  const Bin* const column = data_.column(static_cast<std::size_t>(node.split.feature));
  const auto borders = partition_.split(node.segments, column, node.split.left, hands);
  const auto [n_left, left_weight] = left_of_all(node, borders, hands);
  if (n_left < rules_.min_samples_leaf || node.n_rows - n_left < rules_.min_samples_leaf) {
    return narrow(node, hands);
  }
  make_children(node, borders, n_left);
  weigh_children(node, left_weight, hands);
  const Node& left = *node.children[0];
  const Node& right = *node.children[1];
  if (!node.split.has_missing) node.split.is_missing_left = is_left_heavier(left, right);
  if (has_budget(2)) search_children(node, hands);
  release(node);
  for (auto& child : node.children) {
    const bool is_leaf = child->split.feature < 0 && !is_for_one_thread(*child);
    if (is_leaf || store_.is_full()) release(*child);
  }
}

void TreeGrower::make_children(Node& node, const std::vector<std::uint32_t>& borders,
                               std::uint32_t n_left) const {
  auto left = std::make_unique<Node>();
  auto right = std::make_unique<Node>();
  left->depth = right->depth = node.depth + 1;
  for (std::size_t part = 0; part < borders.size(); ++part) {
    left->segments.push_back({node.segments[part].begin, borders[part]});
    right->segments.push_back({borders[part], node.segments[part].end});
  }
  left->n_rows = n_left;
  right->n_rows = node.n_rows - n_left;
  left->total = node.split.left_sums;
  right->total = node.total;
  right->total -= node.split.left_sums;
  node.children = {std::move(left), std::move(right)};
}

// Alone, only the child of fewer rows is summed; the other is the difference.
void TreeGrower::weigh_children(Node& node, std::int64_t left_weight, const Hands& hands) const {
  if (!is_weighted_) return;
  Node& left = *node.children[0];
  Node& right = *node.children[1];
  if (!peers_.is_alone()) {
    left.weight = left_weight;
    right.weight = node.weight - left_weight;
    return;
  }
  const bool is_left_small = left.n_rows <= right.n_rows;
  Node& small = is_left_small ? left : right;
  Node& large = is_left_small ? right : left;
  small.weight = weight_of(small.segments, hands);
  large.weight = node.weight - small.weight;
}

std::int64_t TreeGrower::weight_of(const Segments& segments, const Hands& hands) const {
  std::vector<std::int64_t> sums(segments.size());
  partition_.for_parts(hands, n_rows(segments), [&](std::size_t part) {
    std::int64_t sum = 0;
    for (const RowIndex row : partition_.rows(segments[part])) {
      sum += static_cast<std::int64_t>(rows_.weight[row] * weight_scale_ + 0.5);
    }
    sums[part] = sum;
  });
  return std::accumulate(sums.begin(), sums.end(), std::int64_t{0});
}

bool TreeGrower::is_left_heavier(const Node& left, const Node& right) const {
  return !is_weighted_ ? left.n_rows >= right.n_rows : left.weight >= right.weight;
}

void TreeGrower::search_children(Node& parent, const Hands& hands) {
  Node& left = *parent.children[0];
  Node& right = *parent.children[1];
  const bool is_left_searched = is_searchable(left);
  const bool is_right_searched = is_searchable(right);
  if (!is_left_searched && !is_right_searched) return;
  Node& small = left.n_rows <= right.n_rows ? left : right;
  Node& large = &small == &left ? right : left;
  if (parent.histogram && is_searchable(large)) {
    build(small, hands);
    large.histogram = std::move(parent.histogram);
    search(&small, &large, large.histogram.get(), hands);
    return;
  }
  for (Node* node : {&left, &right}) {
    if (is_searchable(*node) && !is_for_one_thread(*node)) build(*node, hands);
  }
  search(is_left_searched ? &left : nullptr, is_right_searched ? &right : nullptr, nullptr, hands);
}

void TreeGrower::build(Node& node, const Hands& hands) {
  if (node.histogram) return;
  build_own(node, hands);
  sum_over_peers(node);
}

void TreeGrower::build_own(Node& node, const Hands& hands) {
  node.histogram = store_.take();
  builder_.build(gradients_, node.segments, *node.histogram, hands);
}

// One sweep over the columns: while a column's sums are in the cache the sibling's are made from
// them and both are searched.
void TreeGrower::search(Node* first, Node* second, Histogram* subtract_from, const Hands& hands) {
  const auto search_columns = [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t column = first_column() + i;
      if (subtract_from != nullptr) {
        const std::size_t at = layout_.offset(column);
        kernel_.subtract(subtract_from->data() + at, first->histogram->data() + at,
                         layout_.size(column));
      }
      for (Node* node : {first, second}) {
        if (node == nullptr || node->candidates.empty()) continue;
        for (const std::uint32_t f : data_.binning->row_columns.features[column]) {
          BundledSlots<Sums> room;
          node->candidates[f] = best_split(data_.binning->features[f], slots_of(*node, f, room),
                                           sums_of(*node), rules_, nullptr);
        }
      }
    }
  };
  for (Node* node : {first, second}) {
    if (node != nullptr && is_searchable(*node) && !is_for_one_thread(*node)) {
      node->candidates.resize(data_.n_features());
    }
  }
  hands.for_chunks(last_column() - first_column(), kColumnsPerChunk,
                   layout_.n_slots() >= kSlotsWorthThreads, search_columns);
  pick_winners(first, second);
}

NodeSums TreeGrower::sums_of(const Node& node) const { return {node.total, node.n_rows}; }

const Sums* TreeGrower::slots_of(const Node& node, std::size_t feature,
                                 BundledSlots<Sums>& room) const {
  const data::RowPlace& place = data_.binning->row_columns.places[feature];
  return feature_slots(place, node.histogram->data() + layout_.offset(place.column), node.total,
                       room);
}

Split TreeGrower::best_of_own(const Node& node) const {
  // Equal gains: the feature that comes first.
  const auto best =
      std::max_element(node.candidates.begin(), node.candidates.end(),
                       [](const Candidate& a, const Candidate& b) { return a.gain < b.gain; });
  if (!(best->gain > 0)) return {};
  const auto feature = static_cast<std::size_t>(best - node.candidates.begin());
  BundledSlots<Sums> room;
  return make_split(data_.binning->features[feature], static_cast<std::int32_t>(feature),
                    slots_of(node, feature, room), sums_of(node), rules_, *best);
}

// The winner has too few rows on one side: search its feature again, now with the rows of each bin.
void TreeGrower::narrow(Node& node, const Hands& hands) {
  const auto feature = static_cast<std::size_t>(node.split.feature);
  const data::FeatureBins& bins = data_.binning->features[feature];
  const Bin* const column = data_.column(feature);
  std::array<std::uint32_t, 256> counts{};
  for (const Segment& segment : node.segments) {
    for (const RowIndex row : partition_.rows(segment)) ++counts[column[row]];
  }
  if (!peers_.is_alone()) {
    std::vector<std::int64_t> sums(counts.begin(), counts.end());
    peers_.sum(sums);
    std::copy(sums.begin(), sums.end(), counts.begin());
  }
  build(node, hands);
  const std::size_t place = data_.binning->row_columns.places[feature].column;
  if (first_column() <= place && place < last_column()) {
    BundledSlots<Sums> room;
    node.candidates[feature] =
        best_split(bins, slots_of(node, feature, room), sums_of(node), rules_, counts.data());
  }
  pick_winners(&node, nullptr);
}

}  // namespace orchard::learn::boosting
