#pragma once

#include <cstddef>
#include <optional>

#include "orchard/base/error.hpp"

namespace orchard::comm {

/// Why a block of `n_bytes` should not be made on this node, or nothing: compares it with the free
/// space of /dev/shm (where MPI libraries put shared windows; only when `is_window`), with the
/// memory the kernel calls available and with the head-room of the control group.
std::optional<Error> refuse_block(std::size_t n_bytes, bool is_window);

/// Zeroed memory of this process, page-aligned, never null. Throws kResources.
std::byte* map_memory(std::size_t n_bytes);
void unmap_memory(std::byte* data, std::size_t n_bytes);

/// ORCHARD_RANKS_PER_NODE: nodes of so many ranks on one machine, for tests; 0 when it is not set.
/// Throws kUsage when it is not a positive number.
int artificial_ranks_per_node();

}  // namespace orchard::comm
