#pragma once
// A snapshot as an HDF5 image and back. Private to this module.

#include "orchard/h5/image.hpp"
#include "orchard/h5/user_block.hpp"
#include "orchard/store/checkpoint.hpp"

namespace orchard::store {

inline constexpr std::uint32_t kCheckpointFormat = 1;

struct CheckpointContent {
  std::uint32_t format = 0;
  std::uint64_t sequence = 0;
  JobIdentity identity;
  std::string program_version, written_utc, host;
  search::Snapshot snapshot;
};

/// The sealed image. `written_utc` and `host` stand in the group /timing, as information only.
h5::Image build_checkpoint(const search::Snapshot& snapshot, const JobIdentity& identity,
                           std::uint64_t sequence, const std::string& written_utc,
                           const std::string& host);

/// Throws kData naming `name` and the fault when the file is damaged or no checkpoint, kResume when
/// it is whole but of a newer format than this program knows.
CheckpointContent read_checkpoint(ByteSpan file, const std::string& name);

}  // namespace orchard::store
