#pragma once
// Our files from disk: read, verified, opened. Private to this module.

#include <string>

#include "orchard/base/file.hpp"
#include "orchard/h5/builder.hpp"
#include "orchard/h5/reader.hpp"
#include "orchard/h5/user_block.hpp"

namespace orchard::store {

/// A verified file with its bytes.
struct OpenFile {
  Bytes bytes;
  h5::UserBlock block;
};

/// Reads and verifies any file of ours. Throws kData naming path and fault.
OpenFile open_verified(const std::string& path);

/// Throws kData unless the file is of this kind, in a format up to `newest_format`.
void check_kind(const h5::UserBlock& block, const std::string& path, h5::FileKind kind,
                std::uint32_t newest_format);
/// Both in one.
OpenFile open_verified(const std::string& path, h5::FileKind kind, std::uint32_t newest_format);

/// Puts a file under `path`, whole and verified: `write(h5::Builder&)` makes its content. Throws
/// kOutput.
template <class Write>
void publish(const std::string& path, h5::FileKind kind, std::uint32_t format, Write&& write) {
  AtomicFile file(path);
  h5::Builder builder(file);
  write(builder);
  builder.finish(kind, format, 0);
  file.publish(true);
}

}  // namespace orchard::store
