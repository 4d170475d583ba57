#pragma once
// The binned data of folds, once per node, whatever the number of ranks.

#include <map>
#include <utility>
#include <vector>

#include "orchard/comm/communicator.hpp"
#include "orchard/data/binning.hpp"
#include "orchard/search/judge.hpp"

namespace orchard::run {

/// A fold's data in one binning.
struct FoldNeed {
  std::int32_t fold = 0;
  const data::Fold* rows = nullptr;  ///< borrowed during construction
  int max_bins = 255;
  bool with_rows = false;  ///< gradient histograms need the row-major copy
};

/// What the binned data of a phase takes. Whole folds lie once on a node; where groups of ranks
/// grow fits by rows, each rank holds the bins of its share.
struct BinBytes {
  std::size_t of_node = 0;   ///< once per node
  std::size_t of_rank = 0;   ///< private, of the rank that holds most
  std::size_t of_ranks = 0;  ///< private, of all ranks of the fullest node together
  std::size_t making = 0;    ///< private, of any rank, beside the others, until they are made
};
/// The same, of the phase or node that takes more.
BinBytes most_of(const BinBytes& a, const BinBytes& b);

/// Bytes that the folds take where `n_ranks` of a node make them.
BinBytes fold_store_bytes(const data::Table& table, const std::vector<FoldNeed>& needs, int n_ranks,
                          int n_threads);

class FoldStore : public search::FoldSource {
 public:
  /// Bins every need into one block of memory that the ranks of `node` share; the ranks divide the
  /// work. All memory of a phase is made here, at its start. Throws kResources on all ranks when
  /// there is no room. `table` must outlive the store. Collective over `node`.
  FoldStore(comm::Communicator& node, const data::Table& table, const std::vector<FoldNeed>& needs,
            std::uint64_t random_state, parallel::Pool& pool);

  /// Gives the memory back. Collective over the same node; nothing may use the data afterwards.
  void release(comm::Communicator& node);

  const data::BinnedData& binned(std::int32_t fold, int max_bins) const override;
  std::size_t n_bytes() const { return memory_.n_bytes; }

 private:
  struct Entry {
    data::Binning binning;
    data::BinnedData data;
  };
  comm::SharedMemory memory_;
  std::map<std::pair<std::int32_t, int>, Entry> entries_;
};

}  // namespace orchard::run
