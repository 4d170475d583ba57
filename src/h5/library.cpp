#include "library.hpp"

#include <atomic>
#include <vector>

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::h5 {
namespace {

void check_version() {
  unsigned major = 0, minor = 0, release = 0;
  // HDF5 itself aborts the process on a mismatch, so this comes before any other call.
  H5get_libversion(&major, &minor, &release);
  if (major == H5_VERS_MAJOR && minor == H5_VERS_MINOR && release == H5_VERS_RELEASE) return;
  throw Error(ErrorKind::kResources,
              format("the HDF5 library is {}.{}.{}, orchard was built with {}.{}.{}", major, minor,
                     release, H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE),
              {}, "Load the library it was built with, or build it again.");
}

herr_t collect_message(unsigned /*depth*/, const H5E_error2_t* error, void* out) {
  if (error->desc != nullptr && error->desc[0] != '\0') {
    static_cast<std::vector<std::string>*>(out)->push_back(error->desc);
  }
  return 0;
}

}  // namespace

void use_library() {
  static const bool is_ready = [] {
    check_version();
    const bool is_open = H5open() >= 0;
    if (is_open) H5PLset_loading_state(0);
    return is_open;
  }();
  if (!is_ready) throw Error(ErrorKind::kResources, "the HDF5 library does not start");
  // Each time: the setting belongs to the calling thread's stack, and MPI_Finalize resets it.
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

std::string take_error_text() {
  std::vector<std::string> messages;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, collect_message, &messages);
  H5Eclear2(H5E_DEFAULT);
  if (messages.empty()) return "HDF5 gives no reason";
  std::string text = "HDF5: " + messages.front();
  if (messages.size() > 1) text += " (" + messages.back() + ")";
  return text;
}

std::string unique_file_name() {
  static std::atomic<std::uint64_t> counter{0};
  return format("orchard-{}", counter++);
}

std::size_t size_of(ElementType type) {
  switch (type) {
    case ElementType::kUint8:
      return 1;
    case ElementType::kInt32:
    case ElementType::kUint32:
    case ElementType::kFloat:
      return 4;
    case ElementType::kInt64:
    case ElementType::kUint64:
    case ElementType::kDouble:
      return 8;
  }
  require(false, "a known element type");
  return 0;
}

std::string_view name_of(ElementType type) {
  switch (type) {
    case ElementType::kUint8:
      return "uint8";
    case ElementType::kInt32:
      return "int32";
    case ElementType::kUint32:
      return "uint32";
    case ElementType::kInt64:
      return "int64";
    case ElementType::kUint64:
      return "uint64";
    case ElementType::kFloat:
      return "float";
    case ElementType::kDouble:
      return "double";
  }
  return "unknown";
}

hid_t native_type(ElementType type) {
  switch (type) {
    case ElementType::kUint8:
      return H5T_STD_U8LE;
    case ElementType::kInt32:
      return H5T_STD_I32LE;
    case ElementType::kUint32:
      return H5T_STD_U32LE;
    case ElementType::kInt64:
      return H5T_STD_I64LE;
    case ElementType::kUint64:
      return H5T_STD_U64LE;
    case ElementType::kFloat:
      return H5T_IEEE_F32LE;
    case ElementType::kDouble:
      return H5T_IEEE_F64LE;
  }
  return H5I_INVALID_HID;
}

}  // namespace orchard::h5
