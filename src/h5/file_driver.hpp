#pragma once
// The way HDF5 reaches the bytes of a file that is being built: a driver of ours below the library.
// HDF5 never sees a failed write: a failure is kept, the rest goes nowhere, and whoever called the
// library learns of it afterwards. Private to this module.

#include <exception>
#include <memory>

#include "library.hpp"

namespace orchard {
class AtomicFile;
}

namespace orchard::h5 {

/// The bytes of a file under construction. What was never written reads as zeros.
class Target {
 public:
  virtual ~Target() = default;
  void write(std::uint64_t at, ByteSpan bytes) noexcept;
  void read(std::uint64_t at, std::span<std::byte> out) noexcept;
  /// Throws the first failure of a write or read.
  void check() const {
    if (failure_) std::rethrow_exception(failure_);
  }
  /// Where the furthest write ended.
  std::uint64_t end() const { return end_; }

 private:
  virtual void do_write(std::uint64_t at, ByteSpan bytes) = 0;
  virtual void do_read(std::uint64_t at, std::span<std::byte> out) = 0;

  std::uint64_t end_ = 0;
  std::exception_ptr failure_;
};

/// In memory from malloc, which `release` hands over.
class MemoryTarget : public Target {
 public:
  ~MemoryTarget() override;
  std::byte* release() { return std::exchange(data_, nullptr); }

 private:
  void do_write(std::uint64_t at, ByteSpan bytes) override;
  void do_read(std::uint64_t at, std::span<std::byte> out) override;

  std::byte* data_ = nullptr;
  std::size_t n_bytes_ = 0, capacity_ = 0;
};

/// In a file, which is borrowed.
class FileTarget : public Target {
 public:
  explicit FileTarget(AtomicFile& file) : file_(file) {}

 private:
  void do_write(std::uint64_t at, ByteSpan bytes) override;
  void do_read(std::uint64_t at, std::span<std::byte> out) override;

  AtomicFile& file_;
};

/// Has files of the access list `access` lie in `target`, which is borrowed until they are closed.
/// False when HDF5 refuses.
bool use_target(hid_t access, Target& target);

}  // namespace orchard::h5
