#pragma once
// The first 512 bytes of every file of ours. HDF5 skips them; they let us tell what a file is, and
// that not one bit of it has changed, before HDF5 sees a byte.

#include <array>

#include "orchard/base/digest.hpp"
#include "orchard/h5/image.hpp"

namespace orchard::h5 {

inline constexpr std::size_t kUserBlockBytes = 512;

enum class FileKind : char { kCheckpoint = 'C', kModel = 'M', kResults = 'R' };
/// "checkpoint", "model file", "results file"
std::string_view name_of(FileKind kind);

struct UserBlock {
  FileKind kind = FileKind::kModel;
  std::uint32_t format = 0;    ///< version of the layout behind the block
  std::uint64_t sequence = 0;  ///< checkpoints: counts publications; else 0
  std::uint64_t n_bytes = 0;   ///< of the whole file
  Digest128 content;           ///< of everything behind the block
};

/// The block as it stands in the file.
std::array<std::byte, kUserBlockBytes> to_bytes(const UserBlock& block);

/// Fills the user block of a finished image.
void seal(Image& image, FileKind kind, std::uint32_t format, std::uint64_t sequence);

/// Reads a block from a file's first bytes and checks the block itself: magic, kind, its own
/// digest. Throws kData naming `name` and the fault.
UserBlock read_user_block(ByteSpan head, const std::string& name);

/// As read_user_block, and checks the file behind it: size, then digest of the content.
UserBlock check_file(ByteSpan file, const std::string& name);

}  // namespace orchard::h5
