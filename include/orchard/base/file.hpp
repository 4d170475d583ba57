#pragma once
// Files written whole or not at all. Every file orchard leaves behind passes through here.

#include <optional>
#include <string>
#include <string_view>

#include "orchard/base/digest.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/types.hpp"

namespace orchard {

/// A file that appears under its name only when it is complete: bytes go to a unique temporary name
/// in the same directory (O_EXCL, no links followed); `publish` syncs, renames over `path` and
/// syncs the directory. Without `publish` the destructor removes the temporary file. Throws kOutput
/// naming path, reason and, when writing failed, the free space.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(ByteSpan bytes);
  void write(std::string_view text);
  /// For a file that is not written in order: bytes from offset `at` on; what is left out is zeros.
  /// Not together with `write`.
  void write_at(std::uint64_t at, ByteSpan bytes);
  /// Bytes from offset `at` on; zeros behind the end.
  void read_at(std::uint64_t at, std::span<std::byte> out) const;
  /// Cuts the file off behind `n_bytes`.
  void keep(std::uint64_t n_bytes);
  /// Digest of the bytes from offset `at` to the end, as they read back. `publish` compares with it
  /// if they are not written again.
  Digest128 digest_from(std::uint64_t at);
  /// Syncs what was written and, if `verified`, reads it back and compares before renaming.
  void publish(bool verified = false);
  std::uint64_t n_bytes() const { return n_bytes_; }
  /// "<directory>/.<name>.<host>.<pid>.<counter>.tmp"; long names are cut.
  const std::string& temporary_path() const { return temporary_; }

 private:
  /// What the file should hold.
  struct Content {
    Bytes head;
    Digest128 rest;  ///< of what follows
  };
  Bytes read_head(std::uint64_t n_bytes) const;
  Digest128 read_rest(std::uint64_t at) const;
  Content content() const;
  void verify(const Content& expected) const;
  void discard() noexcept;

  std::string path_, temporary_;
  int descriptor_ = -1;
  std::uint64_t n_bytes_ = 0;
  Digester digester_;
  bool is_in_order_ = true;
  std::uint64_t rest_at_ = 0;      // of files that are not written in order:
  std::optional<Digest128> rest_;  // of what begins there, if it is known
};

/// The whole file. Throws `kind` naming path and reason; pipes, devices and directories are
/// refused.
Bytes read_file(const std::string& path, ErrorKind kind = ErrorKind::kData);
std::string read_text(const std::string& path, ErrorKind kind = ErrorKind::kData);
/// The first `n_bytes` of the file, or all of it when it is shorter. Throws `kind`.
Bytes read_file_head(const std::string& path, std::size_t n_bytes,
                     ErrorKind kind = ErrorKind::kData);
/// Makes a directory and its parents. Throws kOutput.
void make_directories(const std::string& path);
/// Throws kOutput unless files can be made in `directory` (which exists).
void check_writable(const std::string& directory);
bool exists(const std::string& path);

}  // namespace orchard
