#pragma once
// A snapshot as the content of an HDF5 file and back. Private to this module.

#include "orchard/h5/builder.hpp"
#include "orchard/store/checkpoint.hpp"

namespace orchard::store {

inline constexpr std::uint32_t kCheckpointFormat = 2;

struct CheckpointContent {
  std::uint32_t format = 0;
  std::uint64_t sequence = 0;
  JobIdentity identity;
  std::string program_version, written_utc, host;
  search::Snapshot snapshot;
};

/// `written_utc` and `host` stand in the group /timing, as information only.
void write_checkpoint(h5::Builder& builder, const search::Snapshot& snapshot,
                      const JobIdentity& identity, const std::string& written_utc,
                      const std::string& host);

/// Throws kData naming `name` and the fault when the file is damaged or no checkpoint, kResume when
/// it is whole but of another format than this program's.
CheckpointContent read_checkpoint(ByteSpan file, const std::string& name);

}  // namespace orchard::store
