#include "orchard/run/fold_store.hpp"

#include <algorithm>

#include "bins_bytes.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/pulse.hpp"

namespace orchard::run {
namespace {

/// Where the parts of one need lie, relative to its own beginning.
struct Parts {
  data::BinnedLayout layout;
  std::size_t target = 0, weight = 0, n_bytes = 0;
};

/// Whether the training rows are all rows, so that the table's own target and weights serve.
bool is_whole(const data::Table& table, const FoldNeed& need) {
  return need.rows->train.size() == table.n_rows;
}

Parts parts_of(const data::Table& table, const FoldNeed& need) {
  const auto round_up = [](std::size_t n_bytes) { return (n_bytes + 63) / 64 * 64; };
  Parts parts;
  parts.layout = data::BinnedLayout::make(static_cast<RowIndex>(need.rows->train.size()),
                                          static_cast<RowIndex>(need.rows->test.size()),
                                          table.schema.n_features(), need.with_rows);
  const auto n_doubles =
      is_whole(table, need) ? 0 : round_up(parts.layout.n_rows() * sizeof(double));
  parts.target = round_up(parts.layout.n_bytes);
  parts.weight = parts.target + n_doubles;
  parts.n_bytes = parts.weight + (table.weight.empty() ? 0 : n_doubles);
  return parts;
}

std::size_t node_bytes(const data::Table& table, const std::vector<FoldNeed>& needs) {
  std::size_t n_bytes = 0;
  for (const auto& need : needs) n_bytes += parts_of(table, need).n_bytes;
  return n_bytes;
}

void copy_rows(const data::Fold& rows, std::span<const double> from, double* to) {
  for (const auto row : rows.train) *to++ = from[row];
  for (const auto row : rows.test) *to++ = from[row];
}

}  // namespace

BinBytes most_of(const BinBytes& a, const BinBytes& b) {
  return {std::max(a.of_node, b.of_node), std::max(a.of_rank, b.of_rank),
          std::max(a.of_ranks, b.of_ranks), std::max(a.making, b.making)};
}

BinBytes fold_store_bytes(const data::Table& table, const std::vector<FoldNeed>& needs, int n_ranks,
                          int n_threads) {
  BinBytes bytes;
  bytes.of_node = node_bytes(table, needs);
  std::vector<data::BinnedLayout> layouts;
  for (const auto& need : needs) layouts.push_back(parts_of(table, need).layout);
  std::vector<data::BinTask> tasks;
  std::byte kept{};
  for (std::size_t i = 0; i < needs.size(); ++i) {
    tasks.push_back({needs[i].rows, needs[i].max_bins, &layouts[i], &kept});
  }
  const auto n_all = static_cast<std::size_t>(n_ranks);
  bytes.making = data::bin_columns_bytes(
      table, tasks, (table.schema.n_features() + n_all - 1) / n_all, n_threads);
  return bytes;
}

FoldStore::FoldStore(comm::Communicator& node, const data::Table& table,
                     const std::vector<FoldNeed>& needs, std::uint64_t random_state,
                     parallel::Pool& pool) {
  const Doing doing("bins the data of folds");
  memory_ = node.allocate_shared(node_bytes(table, needs));
  std::byte* begin = memory_.data;
  for (std::size_t i = 0; i < needs.size(); ++i) {
    const auto parts = parts_of(table, needs[i]);
    Entry& entry = entries_[{needs[i].fold, needs[i].max_bins}];
    entry.data.binning = &entry.binning;
    entry.data.layout = parts.layout;
    entry.data.memory = begin;
    entry.data.train_share = data::RowShare::whole(parts.layout.n_train);
    entry.data.test_share = data::RowShare::whole(parts.layout.n_test);
    const std::size_t n_rows = parts.layout.n_rows();
    entry.data.target = {reinterpret_cast<double*>(begin + parts.target), n_rows};
    if (is_whole(table, needs[i])) {
      entry.data.target = table.target;
      entry.data.weight = table.weight;
    } else if (!table.weight.empty()) {
      entry.data.weight = {reinterpret_cast<double*>(begin + parts.weight), n_rows};
    }
    begin += parts.n_bytes;
  }

  const auto n_ranks = static_cast<std::size_t>(node.size());
  const auto rank = static_cast<std::size_t>(node.rank());
  const auto part = [&](std::size_t n, std::size_t i) { return n * i / n_ranks; };
  const auto memory_of = [&](const data::BinnedData& data) {
    return memory_.data + (data.memory - memory_.data);
  };
  BinsOfNeeds own;
  node.together([&] {
    std::vector<data::BinTask> tasks;
    for (const auto& need : needs) {
      const auto& data = entries_.at({need.fold, need.max_bins}).data;
      tasks.push_back({need.rows, need.max_bins, &data.layout, memory_of(data)});
    }
    const auto n_features = table.schema.n_features();
    own = data::bin_columns(table, tasks, random_state, part(n_features, rank),
                            part(n_features, rank + 1), pool);
    for (const auto& need : needs) {
      if (is_whole(table, need)) continue;
      const auto& data = entries_.at({need.fold, need.max_bins}).data;
      if (rank == 0) copy_rows(*need.rows, table.target, const_cast<double*>(data.target.data()));
      if (rank + 1 == n_ranks && !table.weight.empty()) {
        copy_rows(*need.rows, table.weight, const_cast<double*>(data.weight.data()));
      }
    }
  });
  auto bins = gather_bins(node, own);
  for (std::size_t i = 0; i < needs.size(); ++i) {
    entries_.at({needs[i].fold, needs[i].max_bins}).binning.features = std::move(bins[i]);
  }
  node.barrier();
  node.together([&] {
    for (const auto& need : needs) {
      auto& [binning, data] = entries_.at({need.fold, need.max_bins});
      if (!data.has_rows()) continue;
      binning.row_columns = data::bundle_features(binning.features, data.layout, data.memory, pool);
      data.layout.hold_columns(binning.row_columns.n_columns());
      data::fill_rows(binning.row_columns, data.layout,
                      static_cast<RowIndex>(part(data.n_train(), rank)),
                      static_cast<RowIndex>(part(data.n_train(), rank + 1)), memory_of(data), pool);
    }
  });
  node.barrier();
}

void FoldStore::release(comm::Communicator& node) {
  entries_.clear();
  node.free_shared(memory_);
  memory_ = {};
}

const data::BinnedData& FoldStore::binned(std::int32_t fold, int max_bins) const {
  const auto found = entries_.find({fold, max_bins});
  require(found != entries_.end(), "every fold that a task needs was binned");
  return found->second.data;
}

}  // namespace orchard::run
