#include "forest/group/grower.hpp"

#include <algorithm>
#include <array>

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::learn::group {
namespace {

/// Subtrees that each thread finds to do, about: the more, the less they wait for each other, and
/// the more sums are exchanged.
constexpr std::size_t kSubtreesAThread = 8;
/// Sums of bins that are exchanged at a time.
constexpr std::size_t kWordsABatch = std::size_t{2} << 20;

}  // namespace

GroupGrower::GroupGrower(const ForestPlan& plan)
    : plan_(plan),
      peers_(plan.context.group),
      n_threads_(static_cast<std::size_t>(peers_.sum(plan.context.pool.n_threads()))),
      order_(plan.context.data.n_features()) {
  for (int thread = 0; thread < plan.context.pool.n_threads(); ++thread) {
    searches_.push_back(make_node_search(plan));
    builders_.emplace_back(plan);
  }
}

std::size_t GroupGrower::n_trees_a_step() const {
  const auto& data = plan_.context.data;
  return trees_a_group_step(data.train_share.n, data.n_features(), n_threads_);
}

void GroupGrower::grow(std::uint64_t first, std::span<model::PackedTree> trees) {
  const std::size_t n_sizes = plan_.leaf_rows.size();
  plant(first, trees.size() / n_sizes);
  std::vector<int> open;
  for (std::size_t root = 0; root < roots_.size(); ++root) open.push_back(static_cast<int>(root));
  while (!open.empty()) grow_level(open);
  const auto subtrees = grow_subtrees(plan_, peers_, std::move(subtrees_));
  plan_.context.pool.for_chunks(roots_.size(), 1, [&](std::size_t root, std::size_t, int thread) {
    write(root, subtrees, builders_[static_cast<std::size_t>(thread)],
          trees.subspan(root * n_sizes, n_sizes));
    plan_.context.pool.poll();
  });
}

/// The roots of the trees before the first one that has no rows.
void GroupGrower::plant(std::uint64_t first, std::size_t n_trees) {
  const auto& targets = plan_.targets;
  const bool weighs_draws = plan_.settings.class_weight == options::ClassWeight::kBalancedSubsample;
  roots_.assign(n_trees, {});
  nodes_.assign(n_trees, {});
  subtrees_.clear();
  std::vector<std::int64_t> n_drawn(weighs_draws ? n_trees * targets.n_classes : 0);
  plan_.context.pool.for_chunks(n_trees, 1, [&](std::size_t i, std::size_t, int) {
    roots_[i] = {first + i, 0, targets.class_weight};
    nodes_[i].root = i;
    static_cast<NodeHead&>(nodes_[i]) = TreeStart{first + i}.head(plan_);
    std::vector<std::uint32_t> multiplicity;
    count_rows(plan_, {first + i}, multiplicity);
    for (RowIndex row = 0; row < multiplicity.size(); ++row) {
      if (multiplicity[row] == 0) continue;
      if (weighs_draws) {
        n_drawn[i * targets.n_classes + targets.label[row]] += multiplicity[row];
      }
      if (targets.has_weights && targets.weight[row] == 0) continue;
      nodes_[i].rows.add(row, multiplicity[row]);
    }
    nodes_[i].sums = searches_.front()->sum(nodes_[i].rows);
  });
  sum_over_ranks(nodes_);
  if (weighs_draws) peers_.sum(n_drawn);
  const auto empty = std::find_if(nodes_.begin(), nodes_.end(),
                                  [](const Node& node) { return node.n_rows() == 0; });
  n_trees = static_cast<std::size_t>(empty - nodes_.begin());
  if (n_trees == 0) {
    throw Error(ErrorKind::kData, format("tree {} has no row of positive weight", first));
  }
  roots_.resize(n_trees);
  nodes_.resize(n_trees);
  std::size_t n_rows = 0;
  for (std::size_t i = 0; i < n_trees; ++i) {
    if (weighs_draws) {
      const auto of_tree = n_drawn.begin() + static_cast<std::ptrdiff_t>(i * targets.n_classes);
      roots_[i].class_weight = balanced_weights(std::vector<std::uint64_t>(
          of_tree, of_tree + static_cast<std::ptrdiff_t>(targets.n_classes)));
    }
    start_search(*searches_.front(), nodes_[i]);
    roots_[i].weight = searches_.front()->node_weight();
    n_rows += nodes_[i].n_rows();
  }
  n_gathered_rows_ =
      std::max(plan_.tuning.n_gathered_rows, n_rows / (kSubtreesAThread * n_threads_));
}

/// Sums of own rows become sums of all rows.
void GroupGrower::sum_over_ranks(std::span<Node> nodes) const {
  ByteWriter writer;
  for (const Node& node : nodes) writer.put(node.sums);
  for (Node& node : nodes) node.sums = searches_.front()->no_sums();
  for (const Bytes& bytes : peers_.all_gather(writer.take())) {
    ByteReader reader(bytes);
    for (Node& node : nodes) {
      searches_.front()->add_sums(reader.get_vector<std::int64_t>(), node.sums);
    }
  }
}

/// One step down from the open nodes to those below.
void GroupGrower::grow_level(std::vector<int>& open) {
  std::vector<int> searched;
  for (const int number : open) {
    if (visit(node(number))) searched.push_back(number);
  }
  open.clear();
  find_splits(searched);
  std::erase_if(searched, [&](int number) {
    Node& here = node(number);
    if (here.split.is_found()) return false;
    here.inner_sizes = {here.sizes.first, here.sizes.first};
    here.rows = {};
    return true;
  });
  divide(searched);
  for (const int number : searched) settle(number, open);
}

/// What is known of a node without a split; whether it looks for one.
bool GroupGrower::visit(Node& here) {
  const std::size_t n_rows = here.n_rows();
  if (n_rows <= n_gathered_rows_) {
    const Root& root = roots_[here.root];
    here.subtree = static_cast<int>(subtrees_.size());
    subtrees_.push_back(
        {root.tree, here, n_rows, std::move(here.rows), root.weight, root.class_weight});
    return false;
  }
  NodeSearch& search = *searches_.front();
  start_search(search, here);
  here.value.resize(plan_.n_values());
  search.write_value(here.value);
  here.find_stops(plan_, search.is_pure(), n_rows);
  if (here.is_leaf()) here.rows = {};
  return !here.is_leaf();
}

bool GroupGrower::wants_more(const Trial& trial) const {
  return trial.n_tried < plan_.context.data.n_features() &&
         (trial.n_tried < plan_.n_tried || !trial.is_varied);
}

/// The first `n` features of the node.
void GroupGrower::draw_order(Trial& trial, std::size_t n) {
  const Node& here = node(trial.node);
  order_.start(
      {plan_.context.random_state, random::Purpose::kFeatures, roots_[here.root].tree, here.key});
  trial.order.resize(n);
  order_.draw(n, trial.order.data());
}

/// Where no feature has varied so far, further ones are tried: some at a time, of which those that
/// the node would not have come to do not count.
void GroupGrower::find_splits(const std::vector<int>& nodes) {
  const std::size_t n_features = plan_.context.data.n_features();
  std::vector<Trial> trials;
  for (const int number : nodes) {
    trials.push_back({number, {}, 0, false});
    draw_order(trials.back(), std::min(plan_.n_tried, n_features));
  }
  for (bool is_open = true; is_open;) {
    is_open = false;
    std::vector<Request> batch;
    std::size_t n_words = 0;
    const auto flush = [&] {
      if (!batch.empty()) try_features(std::move(batch));
      batch.clear();
      n_words = 0;
    };
    for (Trial& trial : trials) {
      if (!wants_more(trial)) continue;
      is_open = true;
      if (trial.n_tried == trial.order.size()) {
        draw_order(trial, std::min(n_features, trial.n_tried + plan_.n_tried));
      }
      for (std::size_t i = trial.n_tried; i < trial.order.size(); ++i) {
        batch.push_back({&trial, trial.order[i], n_words});
        n_words += n_bin_words(trial.order[i]);
        if (n_words >= kWordsABatch) flush();
      }
    }
    flush();
  }
}

/// Features of some nodes, those of a node in its order.
void GroupGrower::try_features(std::vector<Request> batch) {
  std::vector<std::int64_t> bins(batch.back().begin + n_bin_words(batch.back().feature));
  const auto bins_of = [&](const Request& request) {
    return std::span(bins).subspan(request.begin, n_bin_words(request.feature));
  };
  plan_.context.pool.for_chunks(batch.size(), 1, [&](std::size_t i, std::size_t, int thread) {
    searches_[static_cast<std::size_t>(thread)]->add_rows(node(batch[i].trial->node).rows,
                                                          batch[i].feature, bins_of(batch[i]));
    plan_.context.pool.poll();
  });
  // Each rank searches about as many bins.
  const auto n_ranks = static_cast<std::size_t>(peers_.size());
  std::vector<std::size_t> first_request, borders;
  for (std::size_t rank = 0; rank <= n_ranks; ++rank) {
    const auto at = std::lower_bound(
        batch.begin(), batch.end(), bins.size() * rank / n_ranks,
        [](const Request& request, std::size_t word) { return request.begin < word; });
    first_request.push_back(static_cast<std::size_t>(at - batch.begin()));
    borders.push_back(at == batch.end() ? bins.size() : at->begin);
  }
  peers_.sum_parts(bins, borders);
  const auto own = static_cast<std::size_t>(peers_.rank());
  ByteWriter writer;
  writer.put(search_own(
      std::span(batch).subspan(first_request[own], first_request[own + 1] - first_request[own]),
      bins));
  auto request = batch.begin();
  for (const Bytes& bytes : peers_.all_gather(writer.take())) {
    for (const auto& found : ByteReader(bytes).get_vector<NodeSearch::Found>()) {
      Trial& trial = *request++->trial;
      if (!wants_more(trial)) continue;
      ++trial.n_tried;
      trial.is_varied |= found.is_varied;
      Split& best = node(trial.node).split;
      if (found.split.score > best.score) best = found.split;
    }
  }
}

std::vector<NodeSearch::Found> GroupGrower::search_own(std::span<const Request> batch,
                                                       std::span<const std::int64_t> bins) {
  std::vector<NodeSearch::Found> found(batch.size());
  plan_.context.pool.for_chunks(batch.size(), 1, [&](std::size_t i, std::size_t, int thread) {
    NodeSearch& search = *searches_[static_cast<std::size_t>(thread)];
    const Node& here = node(batch[i].trial->node);
    start_search(search, here);
    found[i] =
        search.search(batch[i].feature, bins.subspan(batch[i].begin, n_bin_words(batch[i].feature)),
                      plan_.leaf_rows[here.inner_sizes.first]);
  });
  return found;
}

/// Gives the nodes' own rows to their children, and the children the sums of all ranks.
void GroupGrower::divide(const std::vector<int>& nodes) {
  std::vector<Node> children(2 * nodes.size());
  plan_.context.pool.for_chunks(nodes.size(), 1, [&](std::size_t i, std::size_t, int) {
    Node& here = node(nodes[i]);
    const Split& split = here.split;
    const auto& bins = plan_.context.data.binning->features[split.feature];
    here.cut = split.is_categorical ? 0 : choose_cut(split.left_bin, split.right_bin, bins);
    std::array<std::uint8_t, 256> side;
    fill_sides(split, here.cut, bins, side);
    const Bin* column = plan_.context.data.column(split.feature);
    for (std::size_t row = 0; row < here.rows.size(); ++row) {
      const RowIndex position = here.rows.positions[row];
      children[2 * i + side[column[position]]].rows.add(position, here.rows.multiplicity[row]);
    }
    here.rows = {};
    for (const std::size_t child : {2 * i, 2 * i + 1}) {
      children[child].root = here.root;
      children[child].sums = searches_.front()->sum(children[child].rows);
    }
    plan_.context.pool.poll();
  });
  if (!nodes.empty()) sum_over_ranks(children);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const int left = append(std::move(children[2 * i]));
    const int right = append(std::move(children[2 * i + 1]));
    node(nodes[i]).left = left;
    node(nodes[i]).right = right;
  }
}

/// What follows from a split once the sides' sums are known.
void GroupGrower::settle(int number, std::vector<int>& open) {
  NodeSearch& search = *searches_.front();
  const std::array sides = {node(number).left, node(number).right};
  const std::size_t n_fewer = std::min(node(sides[0]).n_rows(), node(sides[1]).n_rows());
  // The split is also the best one under the other leaf sizes that allow it. The rest search again.
  const LeafSizes takers = plan_.leaf_sizes_up_to(n_fewer, node(number).inner_sizes);
  if (takers.last < node(number).inner_sizes.last) {
    Node parted;
    parted.root = node(number).root;
    static_cast<OpenNode&>(parted) = node(number);
    parted.part_from(takers);
    parted.sums = node(number).sums;
    for (const int side : sides) {
      const OwnRows& rows = node(side).rows;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        parted.rows.add(rows.positions[i], rows.multiplicity[i]);
      }
    }
    const int place = append(std::move(parted));
    node(number).parted = place;
    open.push_back(place);
  }
  Node& here = node(number);
  const NodeSums& left = node(sides[0]).sums;
  start_search(search, here);
  here.takers = takers;
  here.decrease = search.decrease(left, roots_[here.root].weight);
  if (!here.split.has_missing) {
    here.split.is_missing_left = search.weight(left) >= search.weight(node(sides[1]).sums);
  }
  here.stops |= stops_below(plan_, here.cuts & ~here.stops, here.decrease);
  const std::uint64_t cuts = here.cuts & ~here.stops;
  if (cuts == 0) {
    here.left = here.right = kNone;
    node(sides[0]).rows = node(sides[1]).rows = {};
    return;
  }
  for (const std::uint32_t side : {0U, 1U}) {
    static_cast<NodeHead&>(node(sides[side])) = {takers, here.depth + 1, here.key.child(side),
                                                 cuts};
    open.push_back(sides[side]);
  }
}

/// The whole trees of a root, depth first.
void GroupGrower::write(std::size_t root,
                        const std::vector<std::vector<model::PackedTree>>& subtrees,
                        TreeBuilders& builders, std::span<model::PackedTree> trees) const {
  builders.start();
  std::vector<int> waiting = {static_cast<int>(root)};
  while (!waiting.empty()) {
    const Node& here = node(waiting.back());
    waiting.pop_back();
    if (here.subtree != kNone) {
      const auto& below = subtrees[static_cast<std::size_t>(here.subtree)];
      for (auto size = here.sizes.first; size < here.sizes.last; ++size) {
        builders[size].graft(below[size - here.sizes.first].unpack());
      }
      continue;
    }
    const auto n_rows = static_cast<std::uint32_t>(here.n_rows());
    builders.for_each(here.leaf_sizes(),
                      [&](TreeBuilder& builder) { builder.visit(n_rows, here.cuts, here.value); });
    const auto& bins = plan_.context.data.binning->features[here.split.feature];
    builders.for_each(here.takers, [&](TreeBuilder& builder) {
      builder.visit(n_rows, here.stops, here.value);
      if (here.left != kNone) builder.split(here.split, here.cut, bins, here.decrease);
    });
    for (const int next : {here.parted, here.right, here.left}) {
      if (next != kNone) waiting.push_back(next);
    }
  }
  builders.finish(plan_.all_leaf_sizes(), trees);
}

}  // namespace orchard::learn::group
