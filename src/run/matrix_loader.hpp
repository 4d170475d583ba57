#pragma once

#include "orchard/run/table_loader.hpp"

namespace orchard::run {

/// Reads a table from HDF5: each rank of the node opens the file and reads its share of the rows.
/// Throws kData on all ranks. Collective over `node`.
LoadedTable load_matrix(comm::Communicator& node, const std::string& path,
                        const data::ReadRequest& request, parallel::Pool& pool, Features features);

}  // namespace orchard::run
