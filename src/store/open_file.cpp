#include "open_file.hpp"

#include "orchard/base/error.hpp"
#include "orchard/base/file.hpp"
#include "orchard/base/text.hpp"

namespace orchard::store {

OpenFile open_verified(const std::string& path) {
  OpenFile file;
  file.bytes = read_file(path);
  file.block = h5::check_file(file.bytes, path);
  return file;
}

void check_kind(const h5::UserBlock& block, const std::string& path, h5::FileKind kind,
                std::uint32_t newest_format) {
  if (block.kind != kind) {
    throw Error(ErrorKind::kData,
                format("is a {}, expected a {}", name_of(block.kind), name_of(kind)), path);
  }
  if (block.format > newest_format) {
    throw Error(ErrorKind::kData,
                format("has format {} of a {}, this program (version {}) knows up to {}",
                       block.format, name_of(kind), ORCHARD_VERSION, newest_format),
                path, "Use the newer version that wrote it.");
  }
}

OpenFile open_verified(const std::string& path, h5::FileKind kind, std::uint32_t newest_format) {
  OpenFile file = open_verified(path);
  check_kind(file.block, path, kind, newest_format);
  return file;
}

}  // namespace orchard::store
