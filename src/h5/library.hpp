#pragma once
// What Builder and Reader share of the HDF5 C library. Private to this module.

#include <hdf5.h>

#include <string>
#include <utility>

#include "orchard/h5/image.hpp"

namespace orchard::h5 {

/// Once a process: checks the library's version, switches off HDF5's printing of errors and the
/// loading of filter plugins. Throws kResources when library and headers differ.
void use_library();

/// The innermost messages of HDF5's error stack, e.g. "HDF5: unable to read raw data chunk
/// (filter returned failure)". Clears the stack.
std::string take_error_text();

/// An identifier with the function that closes it. An invalid identifier is never closed.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Close closer) : id_(id), close_(closer) {}
  Handle(Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  hid_t get() const { return id_; }
  bool is_valid() const { return id_ >= 0; }
  /// Closes now; false when HDF5 reports a failure.
  bool close() { return id_ < 0 || close_(std::exchange(id_, H5I_INVALID_HID)) >= 0; }

 private:
  hid_t id_ = H5I_INVALID_HID;
  Close close_ = nullptr;
};

/// A name no other file of this process has. HDF5 takes files in memory that have one name for one
/// and the same file.
std::string unique_file_name();

/// HDF5's identifier of the file type; belongs to the library, never closed.
hid_t native_type(ElementType type);

}  // namespace orchard::h5
