#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"
#include "orchard/data/csv.hpp"

namespace orchard::data {
namespace {

class Descriptor {
 public:
  // O_NONBLOCK: opening a pipe without a writer would wait for ever.
  explicit Descriptor(const std::string& path)
      : value_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const { return value_; }

 private:
  int value_;
};

std::size_t size_of(const Descriptor& descriptor, const std::string& path) {
  struct stat status {};
  if (descriptor.value() < 0 || ::fstat(descriptor.value(), &status) != 0) {
    throw Error(ErrorKind::kData, format("cannot be read: {}.", std::strerror(errno)), path);
  }
  if (S_ISDIR(status.st_mode)) {
    throw Error(ErrorKind::kData, "is a directory, a file was expected.", path);
  }
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorKind::kData, "is no regular file (a pipe or a device).", path,
                "All ranks read it at once: write it to a file first.");
  }
  if (status.st_size == 0) {
    throw Error(ErrorKind::kData, "is empty: no header and 0 data rows.", path);
  }
  return static_cast<std::size_t>(status.st_size);
}

void refuse_binary(std::string_view text, const std::string& path) {
  using namespace std::string_view_literals;
  static constexpr std::pair<std::string_view, const char*> kMagic[] = {
      {"\x1f\x8b"sv, "gzip; unpack it first"},
      {"\x89HDF\r\n\x1a\n"sv, "HDF5; CSV was expected"},
      {"\x28\xb5\x2f\xfd"sv, "zstd; unpack it first"},
      {"\xfd"
       "7zXZ\0"sv,
       "xz; unpack it first"},
      {"PK\x03\x04"sv, "a zip archive or spreadsheet; CSV was expected"},
      {"\x93NUMPY"sv, "a NumPy array; CSV was expected"},
      {"\xff\xfe"sv, "UTF-16; convert it to UTF-8"},
      {"\xfe\xff"sv, "UTF-16; convert it to UTF-8"}};
  for (const auto& [magic, what] : kMagic) {
    if (text.starts_with(magic)) {
      throw Error(ErrorKind::kData, format("looks like {}.", what), path);
    }
  }
  const auto nul = text.substr(0, 65536).find('\0');
  if (nul != std::string_view::npos) {
    throw Error(ErrorKind::kData, format("holds a NUL byte at byte {}: no text.", nul), path);
  }
}

}  // namespace

MappedFile::MappedFile(const std::string& path) : path_(path) {
  const Descriptor descriptor(path);
  const std::size_t size = size_of(descriptor, path);
  void* const memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.value(), 0);
  if (memory == MAP_FAILED) {
    throw Error(errno == ENOMEM ? ErrorKind::kResources : ErrorKind::kData,
                format("cannot be mapped: {}.", std::strerror(errno)), path);
  }
  whole_ = text_ = {static_cast<const char*>(memory), size};
  if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
  try {
    refuse_binary(text_, path);
  } catch (...) {
    ::munmap(memory, size);
    throw;
  }
}

MappedFile::~MappedFile() { ::munmap(const_cast<char*>(whole_.data()), whole_.size()); }

}  // namespace orchard::data
