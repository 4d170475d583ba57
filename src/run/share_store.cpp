#include "orchard/run/share_store.hpp"

#include <algorithm>
#include <exception>

#include "bins_bytes.hpp"
#include "orchard/base/error.hpp"

namespace orchard::run {
namespace {

std::size_t lines(std::size_t n_bytes) { return (n_bytes + 63) / 64 * 64; }

std::size_t part(std::size_t n, int i, int n_parts) {
  return n * static_cast<std::size_t>(i) / static_cast<std::size_t>(n_parts);
}

data::RowShare share_of(const std::vector<RowIndex>& rows, int rank, int n_ranks) {
  return data::RowShare::of_rank(static_cast<RowIndex>(rows.size()), rank, n_ranks);
}

std::span<const RowIndex> rows_of(const std::vector<RowIndex>& rows, const data::RowShare& share) {
  return std::span(rows).subspan(share.begin, share.size());
}

/// Where targets and weights of the folds begin, each fold once for all of its binnings. A fold
/// that trains on all rows uses those of the table.
struct VectorPlaces {
  std::map<std::int32_t, std::size_t> target, weight;  // by fold
  std::size_t n_bytes = 0;

  VectorPlaces(const data::Table& table, const std::vector<FoldNeed>& needs) {
    for (const FoldNeed& need : needs) {
      const std::size_t n_rows = need.rows->train.size() + need.rows->test.size();
      if (need.rows->train.size() == table.n_rows || target.contains(need.fold)) continue;
      target[need.fold] = n_bytes;
      n_bytes += lines(n_rows * sizeof(double));
      if (table.weight.empty()) continue;
      weight[need.fold] = n_bytes;
      n_bytes += lines(n_rows * sizeof(double));
    }
  }
};

data::BinnedLayout layout_of(const data::Table& table, const FoldNeed& need, int rank,
                             int n_ranks) {
  return data::BinnedLayout::make(share_of(need.rows->train, rank, n_ranks).size(),
                                  share_of(need.rows->test, rank, n_ranks).size(),
                                  table.schema.n_features(), need.with_rows);
}

/// Whole columns of the training rows, of which only the bins are kept.
struct ColumnTasks {
  std::vector<data::BinnedLayout> layouts;
  std::vector<data::BinTask> tasks;

  ColumnTasks(const data::Table& table, const std::vector<FoldNeed>& needs) {
    for (const FoldNeed& need : needs) {
      layouts.push_back(data::BinnedLayout::make(static_cast<RowIndex>(need.rows->train.size()), 0,
                                                 table.schema.n_features(), false));
    }
    for (std::size_t i = 0; i < needs.size(); ++i) {
      tasks.push_back({needs[i].rows, needs[i].max_bins, &layouts[i], nullptr});
    }
  }
};

/// Positions [begin, end) of the fold's training rows and then its test rows.
void copy_rows(const data::Fold& rows, std::span<const double> from, std::size_t begin,
               std::size_t end, double* to) {
  const std::size_t n_train = rows.train.size();
  for (std::size_t i = begin; i < end; ++i) {
    to[i] = from[i < n_train ? rows.train[i] : rows.test[i - n_train]];
  }
}

}  // namespace

ShareBytes share_store_bytes(const data::Table& table, const std::vector<FoldNeed>& needs,
                             int n_ranks) {
  ShareBytes bytes;
  bytes.of_node = VectorPlaces(table, needs).n_bytes;
  // The last rank holds no fewer rows than any other.
  for (const FoldNeed& need : needs) {
    bytes.of_rank += lines(layout_of(table, need, n_ranks - 1, n_ranks).n_bytes);
  }
  return bytes;
}

BinBytes share_store_bytes(const data::Table& table, const std::vector<FoldNeed>& needs,
                           const std::vector<std::vector<int>>& groups,
                           const std::vector<int>& node_of_rank, int n_threads) {
  BinBytes bytes;
  std::size_t least = groups.front().size();
  std::map<std::size_t, ShareBytes> of_size;  // by ranks of a group
  std::map<int, std::size_t> of_node;
  for (const auto& group : groups) {
    const auto [found, is_new] = of_size.try_emplace(group.size());
    least = std::min(least, group.size());
    if (is_new) found->second = share_store_bytes(table, needs, static_cast<int>(group.size()));
    bytes.of_node = found->second.of_node;
    bytes.of_rank = std::max(bytes.of_rank, found->second.of_rank);
    for (const int rank : group) {
      auto& of_ranks = of_node[node_of_rank[static_cast<std::size_t>(rank)]];
      of_ranks += found->second.of_rank;
      bytes.of_ranks = std::max(bytes.of_ranks, of_ranks);
    }
  }
  // Shares are written after the bins are known, in memory that nobody has touched.
  const ColumnTasks tasks(table, needs);
  const auto columns = data::bin_columns_bytes(
      table, tasks.tasks, (table.schema.n_features() + least - 1) / least, n_threads);
  bytes.making = std::max(columns - std::min(columns, bytes.of_rank), data::bin_rows_bytes(table));
  return bytes;
}

ShareStore::ShareStore(comm::Communicator& group, comm::Communicator& node,
                       const data::Table& table, const std::vector<FoldNeed>& needs,
                       std::uint64_t random_state, parallel::Pool& pool) {
  for (const FoldNeed& need : needs) {
    Entry& entry = entries_[{need.fold, need.max_bins}];
    entry.data.binning = &entry.binning;
    entry.data.layout = layout_of(table, need, group.rank(), group.size());
    entry.data.train_share = share_of(need.rows->train, group.rank(), group.size());
    entry.data.test_share = share_of(need.rows->test, group.rank(), group.size());
    n_bytes_ += lines(entry.data.layout.n_bytes);
  }
  // A failure of the node is told to the groups, which may have ranks elsewhere.
  std::exception_ptr failure;
  try {
    share_vectors(node, table, needs);
  } catch (...) {
    failure = std::current_exception();
  }
  group.together([&] {
    if (failure) std::rethrow_exception(failure);
    memory_ = std::make_unique_for_overwrite<Line[]>(n_bytes_ / sizeof(Line));
    auto* begin = reinterpret_cast<std::byte*>(memory_.get());
    for (const FoldNeed& need : needs) {
      entry(need).data.memory = begin;
      begin += lines(entry(need).data.layout.n_bytes);
    }
  });
  make_bins(group, table, needs, random_state, pool);
  group.together([&] { bin_own_rows(table, needs, pool); });
}

void ShareStore::share_vectors(comm::Communicator& node, const data::Table& table,
                               const std::vector<FoldNeed>& needs) {
  const VectorPlaces places(table, needs);
  vectors_ = node.allocate_shared(places.n_bytes);
  node.together([&] {
    for (const FoldNeed& need : needs) {
      const std::size_t n_rows = need.rows->train.size() + need.rows->test.size();
      data::BinnedData& data = entry(need).data;
      const auto share = [&](std::span<const double> of_table, const auto& place) {
        if (!place.contains(need.fold)) return of_table;
        auto* const to = reinterpret_cast<double*>(vectors_.data + place.at(need.fold));
        copy_rows(*need.rows, of_table, part(n_rows, node.rank(), node.size()),
                  part(n_rows, node.rank() + 1, node.size()), to);
        return std::span<const double>(to, n_rows);
      };
      data.target = share(table.target, places.target);
      data.weight = share(table.weight, places.weight);
    }
  });
}

void ShareStore::make_bins(comm::Communicator& group, const data::Table& table,
                           const std::vector<FoldNeed>& needs, std::uint64_t random_state,
                           parallel::Pool& pool) {
  const std::size_t n_features = table.schema.n_features();
  BinsOfNeeds own;
  group.together([&] {
    const ColumnTasks tasks(table, needs);
    own = data::bin_columns(table, tasks.tasks, random_state,
                            part(n_features, group.rank(), group.size()),
                            part(n_features, group.rank() + 1, group.size()), pool);
  });
  auto bins = gather_bins(group, own);
  for (std::size_t i = 0; i < needs.size(); ++i) {
    data::Binning& binning = entry(needs[i]).binning;
    binning.features = std::move(bins[i]);
    if (needs[i].with_rows) binning.row_columns = data::RowColumns::plain(n_features);
  }
}

void ShareStore::bin_own_rows(const data::Table& table, const std::vector<FoldNeed>& needs,
                              parallel::Pool& pool) {
  auto* const begin = reinterpret_cast<std::byte*>(memory_.get());
  std::vector<data::ShareTask> tasks;
  for (const FoldNeed& need : needs) {
    const Entry& own = entry(need);
    tasks.push_back({rows_of(need.rows->train, own.data.train_share),
                     rows_of(need.rows->test, own.data.test_share), &own.binning.features,
                     &own.data.layout, begin + (own.data.memory - begin)});
  }
  data::bin_rows(table, tasks, pool);
  for (std::size_t i = 0; i < needs.size(); ++i) {
    if (!needs[i].with_rows) continue;
    const auto& [binning, data] = entry(needs[i]);
    data::fill_rows(binning.row_columns, data.layout, 0, data.n_train(), tasks[i].memory, pool);
  }
}

void ShareStore::release(comm::Communicator& node) {
  entries_.clear();
  memory_.reset();
  n_bytes_ = 0;
  node.free_shared(vectors_);
  vectors_ = {};
}

const data::BinnedData& ShareStore::binned(std::int32_t fold, int max_bins) const {
  const auto found = entries_.find({fold, max_bins});
  require(found != entries_.end(), "every fold that a task needs was binned");
  return found->second.data;
}

}  // namespace orchard::run
