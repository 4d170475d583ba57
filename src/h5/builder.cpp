#include "orchard/h5/builder.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

#include "library.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"
#include "orchard/h5/user_block.hpp"

namespace orchard::h5 {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 20;      // fits a core's own cache
constexpr std::size_t kIncrementBytes = std::size_t{1} << 20;  // growth HDF5 asks for at once
constexpr std::size_t kMaxAttributeBytes = 1000;
// Links stay inside object headers, which carry checksums; the heaps of large groups do not.
constexpr unsigned kMaxCompactLinks = 4096;
// Superblock versions 2 and 3 keep the end of file here; it stands right behind the user block.
constexpr std::size_t kEndOfFileAt = kUserBlockBytes + 28;

/// The file's memory while HDF5 writes it. HDF5 asks for growth through the callbacks and hands the
/// buffer back when the file closes; it is the only way to get an image of the latest format whose
/// superblock is finished.
struct Capture {
  std::byte* data = nullptr;
  std::size_t n_bytes = 0, capacity = 0;
  bool is_out_of_memory = false;

  ~Capture() { std::free(data); }

  void* resize(std::size_t size) {
    if (size > capacity) {
      const std::size_t wanted = std::max(size, capacity + capacity / 2);
      void* grown = std::realloc(data, wanted);
      if (grown == nullptr) {
        is_out_of_memory = true;
        return nullptr;
      }
      data = static_cast<std::byte*>(grown);
      capacity = wanted;
    }
    // Gaps between objects keep what is in memory: zeros, so that equal content is equal bytes.
    if (size > n_bytes) std::memset(data + n_bytes, 0, size - n_bytes);
    n_bytes = size;
    return data;
  }
};

void* image_malloc(std::size_t size, H5FD_file_image_op_t, void* capture) {
  return static_cast<Capture*>(capture)->resize(size);
}
void* image_memcpy(void* to, const void* from, std::size_t size, H5FD_file_image_op_t, void*) {
  return std::memcpy(to, from, size);
}
void* image_realloc(void*, std::size_t size, H5FD_file_image_op_t, void* capture) {
  return static_cast<Capture*>(capture)->resize(size);
}
herr_t image_free(void*, H5FD_file_image_op_t, void*) { return 0; }
void* share_capture(void* capture) { return capture; }
herr_t release_capture(void*) { return 0; }

/// n elements in as few chunks as keep each near kChunkBytes, all but the last of equal size.
std::size_t balanced_chunk(std::size_t n_elements, std::size_t element_bytes) {
  const std::size_t per_chunk = std::max<std::size_t>(1, kChunkBytes / element_bytes);
  const std::size_t n_chunks = (n_elements + per_chunk - 1) / per_chunk;
  return (n_elements + n_chunks - 1) / n_chunks;
}

}  // namespace

struct Builder::State {
  Capture capture;  // outlives the file, which writes into it
  Handle file;

  void check(bool is_good, const std::string& what) {
    if (is_good) return;
    const std::string reason = take_error_text();
    if (capture.is_out_of_memory) throw std::bad_alloc();
    throw Error(ErrorKind::kInternal, format("cannot build {}: {}", what, reason));
  }
  Handle made(hid_t id, Handle::Close close, const std::string& what) {
    Handle handle(id, close);
    check(handle.is_valid(), what);
    return handle;
  }

  void open();
  Handle dataset_layout(ElementType type, std::span<const std::size_t> shape,
                        const std::string& path);
  void attach(const std::string& object, const std::string& name, hid_t type, const void* value);
};

void Builder::State::open() {
  auto access = made(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "a file in memory");
  H5FD_file_image_callbacks_t callbacks = {image_malloc, image_memcpy,  image_realloc,
                                           image_free,   share_capture, release_capture,
                                           &capture};
  auto creation = made(H5Pcreate(H5P_FILE_CREATE), H5Pclose, "a file in memory");
  check(H5Pset_fapl_core(access.get(), kIncrementBytes, 0) >= 0 &&
            H5Pset_file_image_callbacks(access.get(), &callbacks) >= 0 &&
            H5Pset_libver_bounds(access.get(), H5F_LIBVER_LATEST, H5F_LIBVER_LATEST) >= 0 &&
            H5Pset_userblock(creation.get(), kUserBlockBytes) >= 0 &&
            H5Pset_link_phase_change(creation.get(), kMaxCompactLinks, 0) >= 0 &&
            H5Pset_obj_track_times(creation.get(), 0) >= 0,
        "a file in memory");
  file = made(H5Fcreate(unique_file_name().c_str(), H5F_ACC_TRUNC, creation.get(), access.get()),
              H5Fclose, "a file in memory");
}

Handle Builder::State::dataset_layout(ElementType type, std::span<const std::size_t> shape,
                                      const std::string& path) {
  auto creation = made(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, path);
  check(H5Pset_obj_track_times(creation.get(), 0) >= 0, path);
  const bool is_empty = std::find(shape.begin(), shape.end(), std::size_t{0}) != shape.end();
  if (is_empty) return creation;
  std::vector<hsize_t> chunk(shape.begin(), shape.end());
  std::size_t row_bytes = size_of(type);
  for (const std::size_t extent : shape.subspan(1)) row_bytes *= extent;
  chunk[0] = balanced_chunk(shape[0], row_bytes);
  if (shape.size() == 2 && row_bytes > kChunkBytes) {
    chunk[1] = balanced_chunk(shape[1], size_of(type));
  }
  check(H5Pset_chunk(creation.get(), static_cast<int>(chunk.size()), chunk.data()) >= 0 &&
            H5Pset_fletcher32(creation.get()) >= 0,
        path);
  return creation;
}

void Builder::State::attach(const std::string& object, const std::string& name, hid_t type,
                            const void* value) {
  const std::string what = object + "@" + name;
  const auto owner = made(H5Oopen(file.get(), object.c_str(), H5P_DEFAULT), H5Oclose, what);
  const auto space = made(H5Screate(H5S_SCALAR), H5Sclose, what);
  const auto attribute =
      made(H5Acreate2(owner.get(), name.c_str(), type, space.get(), H5P_DEFAULT, H5P_DEFAULT),
           H5Aclose, what);
  check(H5Awrite(attribute.get(), type, value) >= 0, what);
}

Builder::Builder() : state_(std::make_unique<State>()) {
  use_library();
  state_->open();
}

Builder::~Builder() = default;

void Builder::make_group(const std::string& path) {
  auto creation = state_->made(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, path);
  state_->check(H5Pset_link_phase_change(creation.get(), kMaxCompactLinks, 0) >= 0 &&
                    H5Pset_obj_track_times(creation.get(), 0) >= 0,
                path);
  state_->made(
      H5Gcreate2(state_->file.get(), path.c_str(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
      H5Gclose, path);
}

void Builder::write_raw(const std::string& path, ElementType type,
                        std::span<const std::size_t> shape, const void* values) {
  const std::vector<hsize_t> extents(shape.begin(), shape.end());
  const auto creation = state_->dataset_layout(type, shape, path);
  const auto space = state_->made(
      H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr), H5Sclose, path);
  auto dataset = state_->made(H5Dcreate2(state_->file.get(), path.c_str(), native_type(type),
                                         space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
                              H5Dclose, path);
  const bool is_empty = std::find(shape.begin(), shape.end(), std::size_t{0}) != shape.end();
  if (!is_empty) {
    state_->check(
        H5Dwrite(dataset.get(), native_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0,
        path);
  }
  // Chunks are checksummed and stored when the dataset closes, so closing can fail too.
  state_->check(dataset.close(), path);
}

void Builder::check_size(const std::string& path, std::span<const std::size_t> shape,
                         std::size_t n_values) {
  std::size_t n_expected = 1;
  for (const std::size_t extent : shape) {
    const bool fits = extent == 0 || n_expected <= std::numeric_limits<std::size_t>::max() / extent;
    if (fits) n_expected *= extent;
    if (!fits) n_expected = std::numeric_limits<std::size_t>::max();
  }
  if (n_expected == n_values) return;
  throw Error(ErrorKind::kInternal,
              format("cannot build {}: {} values for a shape of {}", path, n_values, n_expected));
}

void Builder::write_strings(const std::string& path, const std::vector<std::string>& texts) {
  std::vector<std::uint64_t> offsets = {0};
  offsets.reserve(texts.size() + 1);
  for (const auto& text : texts) offsets.push_back(offsets.back() + text.size());
  std::vector<std::uint8_t> bytes;
  bytes.reserve(offsets.back());
  for (const auto& text : texts) bytes.insert(bytes.end(), text.begin(), text.end());
  make_group(path);
  write(path + "/bytes", bytes);
  write(path + "/offsets", offsets);
}

void Builder::set_attribute(const std::string& object, const std::string& name,
                            std::int64_t value) {
  state_->attach(object, name, H5T_STD_I64LE, &value);
}

void Builder::set_attribute(const std::string& object, const std::string& name, double value) {
  state_->attach(object, name, H5T_IEEE_F64LE, &value);
}

void Builder::set_attribute(const std::string& object, const std::string& name,
                            std::string_view value) {
  require(value.size() <= kMaxAttributeBytes && value.find('\0') == std::string_view::npos,
          "a text attribute is short and without NUL");
  auto type = state_->made(H5Tcopy(H5T_C_S1), H5Tclose, name);
  state_->check(H5Tset_size(type.get(), value.size() + 1) >= 0 &&
                    H5Tset_strpad(type.get(), H5T_STR_NULLTERM) >= 0 &&
                    H5Tset_cset(type.get(), H5T_CSET_UTF8) >= 0,
                name);
  state_->attach(object, name, type.get(), std::string(value).c_str());
}

Image Builder::finish() {
  require(state_->file.is_valid(), "an image is finished once");
  state_->check(state_->file.close(), "the file");
  Capture& capture = state_->capture;
  std::uint64_t end = 0;
  if (capture.n_bytes >= kEndOfFileAt + sizeof end) {
    std::memcpy(&end, capture.data + kEndOfFileAt, sizeof end);
  }
  require(end > kUserBlockBytes && end <= capture.n_bytes, "HDF5 says where its file ends");
  return Image(std::exchange(capture.data, nullptr), end);
}

}  // namespace orchard::h5
