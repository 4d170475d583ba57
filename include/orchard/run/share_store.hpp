#pragma once
// The binned data of folds, each rank of a group holding its share of the rows.

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "orchard/run/fold_store.hpp"

namespace orchard::run {

struct ShareBytes {
  std::size_t of_rank = 0;  ///< private to a rank, the most that any rank of the group takes
  std::size_t of_node = 0;  ///< targets and weights, once per node
};
/// What the folds take when groups of `n_ranks` share the rows.
ShareBytes share_store_bytes(const data::Table& table, const std::vector<FoldNeed>& needs,
                             int n_ranks);
/// What they take of the fullest node when these groups do; `node_of_rank` as in Layout.
BinBytes share_store_bytes(const data::Table& table, const std::vector<FoldNeed>& needs,
                           const std::vector<std::vector<int>>& groups,
                           const std::vector<int>& node_of_rank, int n_threads);

/// Bins are those that a FoldStore would have, bit for bit: they never depend on the shares. A
/// row-major copy has a column for each feature.
class ShareStore : public search::FoldSource {
 public:
  /// Ranks of `group` divide the features to make their bins, exchange these, and each bins its own
  /// rows. Of a table that nobody holds, a rank reads whole columns for the first, and the blocks
  /// that hold its rows for the second. All ranks of `node` make stores of the same needs at the
  /// same time, whatever their groups; each rank is in one group. Throws kResources or kData on all
  /// ranks of a group. `table` must outlive the store. Collective over `node` and `group`.
  ShareStore(comm::Communicator& group, comm::Communicator& node, const data::Table& table,
             const std::vector<FoldNeed>& needs, std::uint64_t random_state, parallel::Pool& pool);

  /// Gives the memory back. Collective over the same node; nothing may use the data afterwards.
  void release(comm::Communicator& node);

  const data::BinnedData& binned(std::int32_t fold, int max_bins) const override;
  /// Private to this rank.
  std::size_t n_bytes() const { return n_bytes_; }
  /// Once per node.
  std::size_t n_shared_bytes() const { return vectors_.n_bytes; }

 private:
  struct Entry {
    data::Binning binning;
    data::BinnedData data;
  };
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  void share_vectors(comm::Communicator& node, const data::Table& table,
                     const std::vector<FoldNeed>& needs);
  void make_bins(comm::Communicator& group, const data::Table& table,
                 const std::vector<FoldNeed>& needs, std::uint64_t random_state,
                 parallel::Pool& pool);
  void bin_own_rows(const data::Table& table, const std::vector<FoldNeed>& needs,
                    parallel::Pool& pool);
  Entry& entry(const FoldNeed& need) { return entries_.at({need.fold, need.max_bins}); }

  comm::SharedMemory vectors_;
  std::unique_ptr<Line[]> memory_;
  std::size_t n_bytes_ = 0;
  std::map<std::pair<std::int32_t, int>, Entry> entries_;
};

}  // namespace orchard::run
