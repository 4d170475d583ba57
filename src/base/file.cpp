#include "orchard/base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "file_place.hpp"
#include "orchard/base/text.hpp"

namespace orchard {
namespace {

// One write(2) takes at most 2^31 - 4096 bytes.
constexpr std::size_t kMaxTransfer = std::size_t{1} << 30;

std::string reason(int error_number) { return std::generic_category().message(error_number); }

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

/// Reads up to `n_bytes` at the descriptor's position; fewer only at the end of the file.
std::size_t read_up_to(int descriptor, std::byte* out, std::size_t n_bytes, int& error_number) {
  std::size_t n_read = 0;
  error_number = 0;
  while (n_read < n_bytes) {
    const auto n = ::read(descriptor, out + n_read, std::min(n_bytes - n_read, kMaxTransfer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) error_number = errno;
    if (n <= 0) break;
    n_read += static_cast<std::size_t>(n);
  }
  return n_read;
}

/// Opens a regular file and tells its size. O_NONBLOCK: a pipe must be refused, not waited for.
int open_regular(const std::string& path, ErrorKind kind, std::size_t& n_bytes) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) throw Error(kind, "cannot be opened: " + reason(errno), path);
  struct stat info {};
  const bool is_known = ::fstat(descriptor, &info) == 0;
  if (!is_known || !S_ISREG(info.st_mode)) {
    const int error_number = errno;
    ::close(descriptor);
    if (!is_known) throw Error(kind, "cannot be examined: " + reason(error_number), path);
    throw Error(kind,
                S_ISDIR(info.st_mode) ? "is a directory, expected a file" : "is not a regular file",
                path);
  }
  n_bytes = static_cast<std::size_t>(info.st_size);
  return descriptor;
}

Bytes read_some(const std::string& path, std::size_t max_bytes, ErrorKind kind) {
  std::size_t n_bytes = 0;
  const Descriptor descriptor(open_regular(path, kind, n_bytes));
  Bytes bytes(std::min(n_bytes, max_bytes));
  int error_number = 0;
  const auto n_read = read_up_to(descriptor.get(), bytes.data(), bytes.size(), error_number);
  if (error_number != 0) throw Error(kind, "cannot be read: " + reason(error_number), path);
  if (n_read != bytes.size()) {
    throw Error(
        kind,
        format("ended after {} of {} bytes: it changed while it was read", n_read, bytes.size()),
        path);
  }
  return bytes;
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)), temporary_() {
  temporary_ = temporary_name(path_);
  descriptor_ =
      ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    const int error_number = errno;
    temporary_.clear();
    fail_output(path_, "cannot be made", error_number);
  }
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::discard() noexcept {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  temporary_.clear();
}

void AtomicFile::write(ByteSpan bytes) {
  require(descriptor_ >= 0, "a file is written before it is published");
  std::size_t n_written = 0;
  while (n_written < bytes.size()) {
    const auto n = ::write(descriptor_, bytes.data() + n_written,
                           std::min(bytes.size() - n_written, kMaxTransfer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_output(path_, "cannot be written", errno);
    n_written += static_cast<std::size_t>(n);
  }
  digester_.add(bytes);
  n_bytes_ += bytes.size();
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::write_at(std::uint64_t at, ByteSpan bytes) {
  require(descriptor_ >= 0, "a file is written before it is published");
  is_in_order_ = false;
  if (at + bytes.size() > rest_at_) rest_.reset();
  std::size_t n_written = 0;
  while (n_written < bytes.size()) {
    const auto n = ::pwrite(descriptor_, bytes.data() + n_written,
                            std::min(bytes.size() - n_written, kMaxTransfer),
                            static_cast<off_t>(at + n_written));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_output(path_, "cannot be written", errno);
    n_written += static_cast<std::size_t>(n);
  }
  n_bytes_ = std::max(n_bytes_, at + bytes.size());
}

void AtomicFile::read_at(std::uint64_t at, std::span<std::byte> out) const {
  if (::lseek(descriptor_, static_cast<off_t>(at), SEEK_SET) < 0) {
    fail_output(path_, "cannot be re-read", errno);
  }
  int error_number = 0;
  const auto n = read_up_to(descriptor_, out.data(), out.size(), error_number);
  if (error_number != 0) fail_output(path_, "cannot be re-read", error_number);
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(n), out.end(), std::byte{0});
}

void AtomicFile::keep(std::uint64_t n_bytes) {
  while (::ftruncate(descriptor_, static_cast<off_t>(n_bytes)) != 0) {
    if (errno != EINTR) fail_output(path_, "cannot be cut", errno);
  }
  n_bytes_ = n_bytes;
  rest_.reset();
}

Digest128 AtomicFile::digest_from(std::uint64_t at) {
  rest_at_ = at;
  rest_ = read_rest(at);
  return *rest_;
}

Bytes AtomicFile::read_head(std::uint64_t n_bytes) const {
  Bytes head(static_cast<std::size_t>(n_bytes));
  read_at(0, head);
  return head;
}

Digest128 AtomicFile::read_rest(std::uint64_t at) const {
  Bytes block(std::size_t{1} << 20);
  Digester found;
  for (; at < n_bytes_; at += block.size()) {
    const auto n = std::min<std::uint64_t>(block.size(), n_bytes_ - at);
    read_at(at, std::span(block).first(n));
    found.add(ByteSpan(block).first(n));
  }
  return found.value();
}

AtomicFile::Content AtomicFile::content() const {
  if (is_in_order_) return {{}, digester_.value()};
  return rest_ ? Content{read_head(rest_at_), *rest_} : Content{{}, read_rest(0)};
}

void AtomicFile::verify(const Content& expected) const {
  // Clean pages are dropped first, so that storage is asked and not our own memory.
  ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_DONTNEED);
  struct stat info {};
  if (::fstat(descriptor_, &info) != 0) fail_output(path_, "cannot be re-read", errno);
  const auto n_found = static_cast<std::uint64_t>(info.st_size);
  const bool has_head = read_head(expected.head.size()) == expected.head;
  const auto found = read_rest(expected.head.size());
  if (n_found == n_bytes_ && has_head && found == expected.rest) return;
  throw Error(ErrorKind::kOutput,
              format("reads back differently from what was written ({} of {} bytes, digest {} "
                     "instead of {}{})",
                     n_found, n_bytes_, found.hex(), expected.rest.hex(),
                     has_head ? "" : ", and another head"),
              path_, "The storage is not reliable.");
}

void AtomicFile::publish(bool verified) {
  require(descriptor_ >= 0, "a file is published once");
  const auto expected = verified ? content() : Content();
  while (::fsync(descriptor_) != 0) {
    if (errno != EINTR) fail_output(path_, "cannot be synced", errno);
  }
  if (verified) verify(expected);
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  // NFS reports a full disk or quota as late as here.
  if (closed != 0 && errno != EINTR) fail_output(path_, "cannot be closed", errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    fail_output(path_, "cannot be renamed from its temporary name", errno);
  }
  temporary_.clear();
  sync_directory_of(path_);
}

Bytes read_file(const std::string& path, ErrorKind kind) { return read_some(path, SIZE_MAX, kind); }

Bytes read_file_head(const std::string& path, std::size_t n_bytes, ErrorKind kind) {
  return read_some(path, n_bytes, kind);
}

std::string read_text(const std::string& path, ErrorKind kind) {
  const Bytes bytes = read_file(path, kind);
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void make_directories(const std::string& path) {
  std::error_code failure;
  std::filesystem::create_directories(path, failure);
  if (!failure && !std::filesystem::is_directory(path, failure)) {
    failure = std::make_error_code(std::errc::not_a_directory);
  }
  if (failure) {
    throw Error(ErrorKind::kOutput, "the directory cannot be made: " + failure.message(), path);
  }
}

void check_writable(const std::string& directory) { AtomicFile probe(directory + "/probe"); }

bool exists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

}  // namespace orchard
