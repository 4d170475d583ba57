#include "forest/group/subtrees.hpp"

#include <algorithm>
#include <numeric>

#include "forest/grower.hpp"
#include "orchard/base/error.hpp"

namespace orchard::learn::group {
namespace {

/// The largest first.
std::vector<std::size_t> by_size(const std::vector<Subtree>& subtrees) {
  std::vector<std::size_t> order(subtrees.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return subtrees[a].n_rows > subtrees[b].n_rows;
  });
  return order;
}

/// The plan of one subtree, on a copy of its rows that come in parts.
class GatheredRows {
 public:
  GatheredRows(const ForestPlan& plan, const Subtree& subtree)
      : layout_(data::BinnedLayout::make(static_cast<RowIndex>(subtree.n_rows), 0,
                                         plan.context.data.n_features(), false)),
        memory_(layout_.n_bytes),
        data_{plan.context.data.binning,
              layout_,
              memory_.data(),
              {},
              {},
              data::RowShare::whole(layout_.n_train),
              {}},
        plan_{FitContext{data_, plan.context.schema, plan.context.random_state, plan.context.pool},
              plan.settings,
              plan.cuts,
              plan.tuning,
              {},
              plan.n_draws,
              plan.leaf_rows,
              plan.leaf_places,
              plan.n_tried,
              plan.value_exponent} {
    ForestTargets& targets = plan_.targets;
    targets.n_classes = plan.targets.n_classes;
    targets.exponent = plan.targets.exponent;
    targets.value_bits = plan.targets.value_bits;
    targets.has_weights = plan.targets.has_weights;
    targets.weight_bits = plan.targets.weight_bits;
    targets.class_weight = plan.targets.class_weight;
    start_.head = subtree.head;
    start_.root_weight = subtree.root_weight;
    start_.class_weight = subtree.class_weight;
  }
  GatheredRows(const GatheredRows&) = delete;
  GatheredRows& operator=(const GatheredRows&) = delete;

  /// What `put_rows` wrote.
  void take(ByteReader& reader) {
    const std::size_t begin = start_.multiplicity.size();
    const auto take_more = [&]<class T>(std::vector<T>& all) {
      const auto more = reader.get_vector<T>();
      all.insert(all.end(), more.begin(), more.end());
    };
    take_more(start_.multiplicity);
    require(start_.multiplicity.size() <= layout_.n_train, "a subtree has the rows agreed upon");
    take_more(plan_.targets.label);
    take_more(plan_.targets.value);
    take_more(plan_.targets.weight);
    for (std::size_t feature = 0; feature < layout_.n_features; ++feature) {
      const auto bins = reader.get_vector<Bin>();
      std::copy(bins.begin(), bins.end(),
                reinterpret_cast<Bin*>(memory_.data()) + feature * layout_.column_stride + begin);
    }
  }

  std::vector<model::PackedTree> grow(std::uint64_t tree) const {
    require(start_.multiplicity.size() == layout_.n_train, "a subtree has all its rows");
    std::vector<model::PackedTree> trees(start_.head.sizes.last - start_.head.sizes.first);
    make_forest_grower(plan_)->grow({tree, &start_}, trees);
    return trees;
  }

 private:
  data::BinnedLayout layout_;
  std::vector<std::byte> memory_;
  data::BinnedData data_;
  ForestPlan plan_;
  NodeStart start_;
};

void put_rows(const ForestPlan& plan, const OwnRows& rows, ByteWriter& writer) {
  writer.put(rows.multiplicity);
  const auto put_targets = [&]<class T>(const std::vector<T>& of_rows) {
    std::vector<T> some;
    if (!of_rows.empty()) {
      for (const RowIndex position : rows.positions) some.push_back(of_rows[position]);
    }
    writer.put(some);
  };
  put_targets(plan.targets.label);
  put_targets(plan.targets.value);
  put_targets(plan.targets.weight);
  const auto& data = plan.context.data;
  std::vector<Bin> bins(rows.size());
  for (std::size_t feature = 0; feature < data.n_features(); ++feature) {
    const Bin* column = data.column(feature);
    for (std::size_t i = 0; i < rows.size(); ++i) bins[i] = column[rows.positions[i]];
    writer.put(bins);
  }
}

}  // namespace

std::vector<int> choose_owners(const std::vector<Subtree>& subtrees, int n_ranks) {
  std::vector<std::size_t> n_rows(static_cast<std::size_t>(n_ranks));
  std::vector<int> owners(subtrees.size());
  for (const std::size_t i : by_size(subtrees)) {
    const auto least = std::min_element(n_rows.begin(), n_rows.end());
    *least += subtrees[i].n_rows;
    owners[i] = static_cast<int>(least - n_rows.begin());
  }
  return owners;
}

std::vector<std::vector<model::PackedTree>> grow_subtrees(const ForestPlan& plan,
                                                          const Peers& peers,
                                                          std::vector<Subtree> subtrees) {
  const auto owners = choose_owners(subtrees, peers.size());
  const auto n_ranks = static_cast<std::size_t>(peers.size());
  std::vector<ByteWriter> writers(n_ranks);
  for (std::size_t i = 0; i < subtrees.size(); ++i) {
    put_rows(plan, subtrees[i].rows, writers[static_cast<std::size_t>(owners[i])]);
    subtrees[i].rows = {};
    plan.context.pool.poll();
  }
  std::vector<Bytes> for_members;
  for (ByteWriter& writer : writers) for_members.push_back(writer.take());
  auto parts = peers.exchange(std::move(for_members));

  std::vector<std::size_t> own;
  std::vector<std::unique_ptr<GatheredRows>> gathered(subtrees.size());
  {
    std::vector<ByteReader> readers(parts.begin(), parts.end());
    for (std::size_t i = 0; i < subtrees.size(); ++i) {
      if (owners[i] != peers.rank()) continue;
      gathered[i] = std::make_unique<GatheredRows>(plan, subtrees[i]);
      for (ByteReader& reader : readers) gathered[i]->take(reader);
      plan.context.pool.poll();
    }
  }
  parts.clear();
  for (const std::size_t i : by_size(subtrees)) {
    if (owners[i] == peers.rank()) own.push_back(i);
  }
  std::vector<std::vector<model::PackedTree>> grown(subtrees.size());
  plan.context.pool.for_chunks(own.size(), 1, [&](std::size_t at, std::size_t, int) {
    const std::size_t i = own[at];
    grown[i] = gathered[i]->grow(subtrees[i].tree);
    gathered[i].reset();
  });

  std::size_t n_bytes = 0;
  for (const auto& trees : grown) {
    for (const auto& tree : trees) n_bytes += tree.n_message_bytes();
  }
  ByteWriter writer;
  writer.reserve(n_bytes);
  for (const auto& trees : grown) {
    for (const auto& tree : trees) tree.put(writer);
  }
  const auto all = peers.all_gather(writer.take());
  std::vector<ByteReader> readers(all.begin(), all.end());
  for (std::size_t i = 0; i < subtrees.size(); ++i) {
    const LeafSizes sizes = subtrees[i].head.sizes;
    grown[i].clear();
    for (auto size = sizes.first; size < sizes.last; ++size) {
      grown[i].push_back(model::PackedTree::get(readers[static_cast<std::size_t>(owners[i])]));
    }
  }
  return grown;
}

}  // namespace orchard::learn::group
