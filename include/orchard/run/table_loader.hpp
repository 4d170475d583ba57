#pragma once
// A table read once per node, by all ranks of the node at once, into memory that they share.

#include <string>

#include "orchard/comm/communicator.hpp"
#include "orchard/data/csv.hpp"
#include "orchard/parallel/pool.hpp"

namespace orchard::run {

enum class Features {
  kHeld,      ///< in memory
  kOnDemand,  ///< of HDF5: read in parts when bins are made of them; the matrix is never held
  kOnce,      ///< the same, where each row is looked at once only: the digest leaves them out
};

/// The table's columns lie in `memory`; free it with `node.free_shared`.
struct LoadedTable {
  data::Table table;
  comm::SharedMemory memory;
  Digest128 digest;
};

/// Reads a CSV file, or an HDF5 file as data::MatrixFile describes it; the first bytes tell which.
/// Ranks of `node` and their threads take byte ranges, exchange surveys and parse their own rows.
/// Every node reads for itself; `world` then agrees that all saw the same data. Throws kData on all
/// ranks. Collective over `world`.
LoadedTable load_table(comm::Communicator& world, comm::Communicator& node, const std::string& path,
                       const data::ReadRequest& request, parallel::Pool& pool,
                       Features features = Features::kHeld);

}  // namespace orchard::run
