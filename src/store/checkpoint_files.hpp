#pragma once
// The files of a checkpoint place: FILE-<UTC>-<sequence>.h5 and FILE.h5. Private to this module.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orchard/store/checkpoint.hpp"

namespace orchard::store {

struct CheckpointFile {
  std::string path;
  bool is_numbered = false;         ///< false: FILE.h5, the latest
  std::uint64_t name_sequence = 0;  ///< from the name; 0 for FILE.h5
  /// From inside, where it counts; none when even the head cannot be read.
  std::optional<std::uint64_t> sequence;
};

/// "<directory>/FILE-<UTC>-<sequence, 6 digits>.h5"
std::string numbered_path(const CheckpointPlace& place, const std::string& utc,
                          std::uint64_t sequence);
/// "<directory>/FILE.h5"
std::string latest_path(const CheckpointPlace& place);

/// Every file of the place, newest first by inner sequence; of equal ones the numbered first; those
/// without a readable head last. Reads heads only.
std::vector<CheckpointFile> list_checkpoints(const CheckpointPlace& place);

}  // namespace orchard::store
