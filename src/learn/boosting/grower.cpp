#include "boosting/grower.hpp"

#include <algorithm>

#include "boosting/grower_node.hpp"
#include "orchard/base/error.hpp"

namespace orchard::learn::boosting {
namespace {

constexpr std::size_t kMaxHistogramBytes = std::size_t{256} << 20;
// A node of fewer cells and rows is split by one thread while others split others: its pieces are
// too short to be shared out.
constexpr std::size_t kCellsOfOneThread = 4'000'000;
constexpr std::size_t kRowsOfOneThread = 150'000;
constexpr std::size_t kStepsAheadPerThread = 8;

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
      partition_(rows.fit, pool.n_threads()),
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
  const Hands all(pool_);
  Node& root = *nodes_[0];
  build_own(root, all);
  for (std::size_t slot = layout_.offset(0); slot < layout_.offset(1); ++slot) {
    root.total += (*root.histogram)[slot];
  }
  std::array<std::int64_t, 2> total = {root.total.g, root.total.h};
  peers_.sum(total);
  root.total = {total[0], total[1]};
  sum_over_peers(root);
  if (is_for_one_thread(root)) {
    subtree_roots_.push_back(&root);
  } else if (is_searchable(root) && has_budget(1)) {
    search(&root, nullptr, nullptr, all);
    enqueue(root);
  }
  while (!queue_.empty() && has_budget(1)) {
    pool_.poll();
    Node& node = best();
    if (node.is_tried()) {
      queue_.erase(queue_.begin());
      adopt_children(node);
    } else {
      try_splits(untried_ahead());
    }
  }
  grow_subtrees();
  release_all();
  return write_tree(all_nodes(), *data_.binning, gradients_, settings_, value_exponent);
}

void TreeGrower::start(const QuantisedGradients& gradients) {
  release_all();
  gradients_ = gradients;
  rules_ = split_rules(gradients, settings_.l2_regularization, settings_.min_samples_leaf);
  queue_.clear();
  subtree_roots_.clear();
  nodes_.clear();
  nodes_.push_back(std::make_unique<Node>());
  Node& root = *nodes_[0];
  root.place = 0;
  root.segments = partition_.reset(Hands(pool_));
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

bool TreeGrower::has_budget(std::int64_t n_splits) const {
  return !settings_.max_leaf_nodes || n_leaves_ + n_splits <= *settings_.max_leaf_nodes;
}

void TreeGrower::release(Node& node) { store_.give_back(std::move(node.histogram)); }

void TreeGrower::release_all() {
  for (auto& node : nodes_) release_below(*node);
}

void TreeGrower::release_below(Node& node) {
  release(node);
  for (auto& child : node.children) {
    if (child) release_below(*child);
  }
}

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
  queue_.insert({node.split.gain, node.place});
}

TreeGrower::Node& TreeGrower::best() {
  return *nodes_[static_cast<std::size_t>(queue_.begin()->node)];
}

bool TreeGrower::is_split_by_one_thread(const Node& node) const {
  return peers_.is_alone() && node.n_rows < kRowsOfOneThread &&
         node.n_rows * layout_.n_columns() < kCellsOfOneThread;
}

// The best node, and others that one thread each can split meanwhile: nodes are followed in the
// order in which they will be split as far as it is known yet. What is found below a node is kept
// until it is its turn; few get none, since the budget may be used up by nodes not known now.
std::vector<TreeGrower::Node*> TreeGrower::untried_ahead() {
  std::vector<Node*> untried = {&best()};
  const auto n_threads = static_cast<std::size_t>(pool_.n_threads());
  if (n_threads == 1 || !is_split_by_one_thread(best()) || store_.is_full()) return untried;
  const auto is_later = [](const Node* a, const Node* b) { return a->split.gain < b->split.gain; };
  std::vector<Node*> ahead;  // heap
  auto next = std::next(queue_.begin());
  const std::size_t n_steps = kStepsAheadPerThread * n_threads;
  for (std::size_t step = 1; step < n_steps; ++step) {
    if (!has_budget(static_cast<std::int64_t>(2 * (step + 1)))) break;
    if (next != queue_.end() && (ahead.empty() || next->gain >= ahead.front()->split.gain)) {
      ahead.push_back(nodes_[static_cast<std::size_t>(next->node)].get());
      ++next;
    } else if (ahead.empty()) {
      break;
    } else {
      std::pop_heap(ahead.begin(), ahead.end(), is_later);
    }
    Node& node = *ahead.back();
    ahead.pop_back();
    if (!node.is_tried()) {
      if (is_split_by_one_thread(node)) untried.push_back(&node);
      continue;
    }
    for (const auto& child : node.children) {
      if (child->split.feature < 0) continue;
      ahead.push_back(child.get());
      std::push_heap(ahead.begin(), ahead.end(), is_later);
    }
  }
  return untried;
}

// A node whose split proves illegal has another one afterwards, and so another turn.
void TreeGrower::try_splits(std::vector<Node*> nodes) {
  for (const Node* node : nodes) queue_.erase({node->split.gain, node->place});
  if (nodes.size() == 1) {
    try_split(*nodes[0], Hands(pool_));
  } else {
    // The largest first, so that the threads end together.
    std::stable_sort(nodes.begin(), nodes.end(),
                     [](const Node* a, const Node* b) { return a->n_rows > b->n_rows; });
    pool_.for_chunks(nodes.size(), 1, [&](std::size_t at, std::size_t, int thread) {
      try_split(*nodes[at], Hands(pool_, thread));
    });
  }
  for (Node* node : nodes) {
    if (node->place >= 0) enqueue(*node);
  }
}

void TreeGrower::adopt_children(Node& node) {
  node.left = static_cast<std::int32_t>(nodes_.size());
  for (auto& child : node.children) {
    child->place = static_cast<std::int32_t>(nodes_.size());
    nodes_.push_back(std::move(child));
  }
  ++n_leaves_;
  for (std::int32_t place : {node.left, node.left + 1}) {
    enqueue(*nodes_[static_cast<std::size_t>(place)]);
  }
  node.candidates = {};
  node.segments = {};
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
  partition_.for_parts(Hands(pool_), rows_.fit.size(), [&](std::size_t part) {
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
