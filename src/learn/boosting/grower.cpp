#include "boosting/grower.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "boosting/grower_node.hpp"
#include "orchard/base/error.hpp"

namespace orchard::learn::boosting {
namespace {

constexpr std::size_t kMaxHistogramBytes = std::size_t{256} << 20;
constexpr std::size_t kSlotsWorthThreads = 32768;
constexpr std::size_t kColumnsPerChunk = 8;

}  // namespace

TreeGrower::TreeGrower(const data::BinnedData& data, const options::BoostingSettings& settings,
                       const TrainingRows& rows, parallel::Pool& pool, Peers peers)
    : data_(data),
      settings_(settings),
      rows_(rows),
      pool_(pool),
      peers_(peers),
      layout_(*data.binning),
      store_(layout_.n_slots(), kMaxHistogramBytes),
      partition_(rows.fit, pool),
      builder_(data, layout_, partition_, pool),
      kernel_(sums_kernel()) {
  meet_peers();
  for (int thread = 0; thread < pool.n_threads(); ++thread) {
    subtree_growers_.emplace_back(data, settings, layout_, rows, weight_scale_, pool);
  }
}

TreeGrower::~TreeGrower() = default;

model::Tree TreeGrower::grow(const QuantisedGradients& gradients, int value_exponent) {
  start(gradients);
  Node& root = *nodes_[0];
  build_own(root);
  for (std::size_t slot = layout_.offset(0); slot < layout_.offset(1); ++slot) {
    root.total += (*root.histogram)[slot];
  }
  std::array<std::int64_t, 2> total = {root.total.g, root.total.h};
  peers_.sum(total);
  root.total = {total[0], total[1]};
  sum_over_peers(root);
  if (is_for_one_thread(root)) {
    subtree_roots_.push_back(&root);
  } else if (is_searchable(root) && has_budget()) {
    search(&root, nullptr, nullptr);
    enqueue(root);
  }
  while (!queue_.empty() && has_budget()) {
    pool_.poll();
    Node& node = take_best();
    if (!split(node)) narrow(node);
  }
  grow_subtrees();
  for (auto& node : nodes_) release(*node);
  return write_tree(all_nodes(), *data_.binning, gradients_, settings_, value_exponent);
}

void TreeGrower::start(const QuantisedGradients& gradients) {
  for (auto& node : nodes_) release(*node);
  gradients_ = gradients;
  rules_ = split_rules(gradients, settings_.l2_regularization, settings_.min_samples_leaf);
  queue_.clear();
  subtree_roots_.clear();
  nodes_.clear();
  nodes_.push_back(std::make_unique<Node>());
  Node& root = *nodes_[0];
  root.segments = partition_.reset();
  root.n_rows = n_root_rows_;
  root.weight = root_weight_;
  n_leaves_ = 1;
}

bool TreeGrower::is_searchable(const Node& node) const {
  if (settings_.max_depth && node.depth >= *settings_.max_depth) return false;
  return node.n_rows >= 2 && node.n_rows / 2 >= rules_.min_samples_leaf;
}

bool TreeGrower::is_for_one_thread(const Node& node) const {
  return peers_.is_alone() && !settings_.max_leaf_nodes && !gradients_.is_wide() &&
         node.n_rows <= kSubtreeRows && is_searchable(node);
}

bool TreeGrower::has_budget() const {
  return !settings_.max_leaf_nodes || n_leaves_ < *settings_.max_leaf_nodes;
}

NodeSums TreeGrower::sums_of(const Node& node) const { return {node.total, node.n_rows}; }

const Sums* TreeGrower::slots_of(const Node& node, std::size_t feature,
                                 BundledSlots<Sums>& room) const {
  const data::RowPlace& place = data_.binning->row_columns.places[feature];
  return feature_slots(place, node.histogram->data() + layout_.offset(place.column), node.total,
                       room);
}

void TreeGrower::build(Node& node) {
  if (node.histogram) return;
  build_own(node);
  sum_over_peers(node);
}

void TreeGrower::build_own(Node& node) {
  node.histogram = store_.take();
  builder_.build(gradients_, node.segments, *node.histogram);
}

void TreeGrower::release(Node& node) { store_.give_back(std::move(node.histogram)); }

// One sweep over the columns: while a column's sums are in the cache the sibling's are made from
// them and both are searched.
void TreeGrower::search(Node* first, Node* second, Histogram* subtract_from) {
  const std::size_t n_columns = last_column() - first_column();
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
  if (layout_.n_slots() < kSlotsWorthThreads) {
    search_columns(0, n_columns, 0);
  } else {
    pool_.for_chunks(n_columns, kColumnsPerChunk, search_columns);
  }
  pick_winners(first, second);
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

// The order of the queue is total, so it does not depend on how the heap came about.
void TreeGrower::enqueue(Node& node) {
  if (is_for_one_thread(node)) {
    if (store_.is_full()) release(node);
    subtree_roots_.push_back(&node);
    return;
  }
  if (node.split.feature < 0) {
    node.candidates = {};
    release(node);
    return;
  }
  if (store_.is_full()) release(node);
  queue_.push_back({node.split.gain, node.place});
  std::push_heap(queue_.begin(), queue_.end());
}

TreeGrower::Node& TreeGrower::take_best() {
  std::pop_heap(queue_.begin(), queue_.end());
  Node& node = *nodes_[static_cast<std::size_t>(queue_.back().node)];
  queue_.pop_back();
  return node;
}

bool TreeGrower::split(Node& node) {
  const Bin* const column = data_.column(static_cast<std::size_t>(node.split.feature));
  const auto borders = partition_.split(node.segments, column, node.split.left);
  const auto [n_left, left_weight] = left_of_all(node, borders);
  if (n_left < rules_.min_samples_leaf || node.n_rows - n_left < rules_.min_samples_leaf) {
    return false;
  }
  make_children(node, borders, n_left);
  Node& left = *nodes_[nodes_.size() - 2];
  Node& right = *nodes_[nodes_.size() - 1];
  weigh_children(node, left_weight, left, right);
  if (!node.split.has_missing) node.split.is_missing_left = is_left_heavier(left, right);
  node.left = left.place;
  if (has_budget()) search_children(node, left, right);
  node.candidates = {};
  node.segments = {};
  release(node);
  return true;
}

void TreeGrower::search_children(Node& parent, Node& left, Node& right) {
  const bool is_left_searched = is_searchable(left);
  const bool is_right_searched = is_searchable(right);
  if (!is_left_searched && !is_right_searched) return;
  Node& small = left.n_rows <= right.n_rows ? left : right;
  Node& large = &small == &left ? right : left;
  if (parent.histogram && is_searchable(large)) {
    build(small);
    large.histogram = std::move(parent.histogram);
    search(&small, &large, large.histogram.get());
  } else {
    for (Node* node : {&left, &right}) {
      if (is_searchable(*node) && !is_for_one_thread(*node)) build(*node);
    }
    search(is_left_searched ? &left : nullptr, is_right_searched ? &right : nullptr, nullptr);
  }
  enqueue(left);
  enqueue(right);
}

// The winner has too few rows on one side: search its feature again, now with the rows of each bin.
void TreeGrower::narrow(Node& node) {
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
  build(node);
  const std::size_t place = data_.binning->row_columns.places[feature].column;
  if (first_column() <= place && place < last_column()) {
    BundledSlots<Sums> room;
    node.candidates[feature] =
        best_split(bins, slots_of(node, feature, room), sums_of(node), rules_, counts.data());
  }
  pick_winners(&node, nullptr);
  enqueue(node);
}

void TreeGrower::make_children(const Node& from, const std::vector<std::uint32_t>& borders,
                               std::uint32_t n_left) {
  const auto first = static_cast<std::int32_t>(nodes_.size());
  auto left = std::make_unique<Node>();
  auto right = std::make_unique<Node>();
  left->place = first;
  right->place = first + 1;
  left->depth = right->depth = from.depth + 1;
  for (std::size_t part = 0; part < borders.size(); ++part) {
    left->segments.push_back({from.segments[part].begin, borders[part]});
    right->segments.push_back({borders[part], from.segments[part].end});
  }
  left->n_rows = n_left;
  right->n_rows = from.n_rows - n_left;
  left->total = from.split.left_sums;
  right->total = from.total;
  right->total -= from.split.left_sums;
  nodes_.push_back(std::move(left));
  nodes_.push_back(std::move(right));
  ++n_leaves_;
}

bool TreeGrower::is_left_heavier(const Node& left, const Node& right) const {
  return !is_weighted_ ? left.n_rows >= right.n_rows : left.weight >= right.weight;
}

// Alone, only the child of fewer rows is summed; the other is the difference.
void TreeGrower::weigh_children(const Node& parent, std::int64_t left_weight, Node& left,
                                Node& right) const {
  if (!is_weighted_) return;
  if (!peers_.is_alone()) {
    left.weight = left_weight;
    right.weight = parent.weight - left_weight;
    return;
  }
  const bool is_left_small = left.n_rows <= right.n_rows;
  Node& small = is_left_small ? left : right;
  Node& large = is_left_small ? right : left;
  small.weight = weight_of(small.segments);
  large.weight = parent.weight - small.weight;
}

std::int64_t TreeGrower::weight_of(const Segments& segments) const {
  std::vector<std::int64_t> sums(segments.size());
  partition_.for_parts(n_rows(segments), [&](std::size_t part) {
    std::int64_t sum = 0;
    for (const RowIndex row : partition_.rows(segments[part])) {
      sum += static_cast<std::int64_t>(rows_.weight[row] * weight_scale_ + 0.5);
    }
    sums[part] = sum;
  });
  return std::accumulate(sums.begin(), sums.end(), std::int64_t{0});
}

// The largest first, so that the threads end together.
void TreeGrower::grow_subtrees() {
  const std::size_t n = subtree_roots_.size();
  std::sort(subtree_roots_.begin(), subtree_roots_.end(), [](const Node* a, const Node* b) {
    return a->n_rows != b->n_rows ? a->n_rows > b->n_rows : a->place < b->place;
  });
  if (subtrees_.size() < n) subtrees_.resize(n);
  pool_.for_chunks(n, 1, [&](std::size_t at, std::size_t, int thread) {
    const Node& root = *subtree_roots_[at];
    Subtree& subtree = subtrees_[at];
    subtree.rows.clear();
    for (const Segment& segment : root.segments) {
      const auto rows = partition_.rows(segment);
      subtree.rows.insert(subtree.rows.end(), rows.begin(), rows.end());
    }
    subtree.nodes.assign(1, {});
    subtree.nodes[0].total = root.total;
    subtree.nodes[0].n_rows = root.n_rows;
    subtree.nodes[0].depth = root.depth;
    subtree.nodes[0].weight = root.weight;
    subtree_growers_[static_cast<std::size_t>(thread)].grow(gradients_, rules_,
                                                            root.histogram.get(), subtree);
  });
}

// The root of a subtree is a node of the tree above it.
std::vector<GrownNode*> TreeGrower::all_nodes() {
  std::vector<GrownNode*> all;
  for (const auto& node : nodes_) all.push_back(node.get());
  for (std::size_t i = 0; i < subtree_roots_.size(); ++i) {
    auto& nodes = subtrees_[i].nodes;
    const auto shift = static_cast<std::int32_t>(all.size()) - 1;
    for (SubtreeNode& node : nodes) {
      if (node.left >= 0) node.left += shift;
    }
    subtree_roots_[i]->left = nodes[0].left;
    subtree_roots_[i]->split = nodes[0].split;
    for (std::size_t k = 1; k < nodes.size(); ++k) all.push_back(&nodes[k]);
  }
  return all;
}

void TreeGrower::add_leaf_values(const model::Tree& tree, std::span<std::int64_t> raw) const {
  const auto value_of = [&](const GrownNode& leaf) {
    const auto row = tree.value_row[static_cast<std::size_t>(leaf.index)];
    return tree.values[static_cast<std::size_t>(row)];
  };
  partition_.for_parts(rows_.fit.size(), [&](std::size_t part) {
    for (const auto& node : nodes_) {
      if (node->left >= 0) continue;
      const std::int64_t value = value_of(*node);
      for (const RowIndex row : partition_.rows(node->segments[part])) raw[row] += value;
    }
  });
  pool_.for_chunks(subtree_roots_.size(), 1, [&](std::size_t at, std::size_t, int) {
    const Subtree& subtree = subtrees_[at];
    for (std::size_t i = 1; i < subtree.nodes.size(); ++i) {
      const SubtreeNode& node = subtree.nodes[i];
      if (node.left >= 0) continue;
      const std::int64_t value = value_of(node);
      for (const std::uint32_t place : subtree.members(node)) raw[subtree.rows[place]] += value;
    }
  });
}

}  // namespace orchard::learn::boosting
