#pragma once
// Our files from disk: read, verified, opened. Private to this module.

#include <string>

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

/// Seals the image and puts it under `path`, whole and verified. Throws kOutput.
void publish_image(const std::string& path, h5::Image image, h5::FileKind kind,
                   std::uint32_t format);

}  // namespace orchard::store
