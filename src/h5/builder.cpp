#include "orchard/h5/builder.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "file_driver.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/file.hpp"
#include "orchard/base/text.hpp"
#include "orchard/h5/user_block.hpp"

namespace orchard::h5 {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 20;  // fits a core's own cache
constexpr std::size_t kMaxAttributeBytes = 1000;
// Links stay inside object headers, which carry checksums; the heaps of large groups do not.
constexpr unsigned kMaxCompactLinks = 4096;
// Superblock versions 2 and 3 keep the end of file here; it stands right behind the user block.
constexpr std::size_t kEndOfFileAt = kUserBlockBytes + 28;

/// n elements in as few chunks as keep each near kChunkBytes, all but the last of equal size.
std::size_t balanced_chunk(std::size_t n_elements, std::size_t element_bytes) {
  const std::size_t per_chunk = std::max<std::size_t>(1, kChunkBytes / element_bytes);
  const std::size_t n_chunks = (n_elements + per_chunk - 1) / per_chunk;
  return (n_elements + n_chunks - 1) / n_chunks;
}

}  // namespace

struct Builder::State {
  std::unique_ptr<Target> target;  // outlives the file, which lies in it
  MemoryTarget* memory = nullptr;  // the target, if it is this
  AtomicFile* output = nullptr;    // or where it writes
  Handle file;

  void check(bool is_good, const std::string& what) {
    target->check();
    if (is_good) return;
    const std::string reason = take_error_text();
    throw Error(ErrorKind::kInternal, format("cannot build {}: {}", what, reason));
  }
  Handle made(hid_t id, Handle::Close close, const std::string& what) {
    Handle handle(id, close);
    check(handle.is_valid(), what);
    return handle;
  }

  void open();
  std::uint64_t finish();
  Handle dataset_layout(ElementType type, std::span<const std::size_t> shape,
                        const std::string& path);
  Handle make_dataset(const std::string& path, ElementType type,
                      std::span<const std::size_t> shape);
  void attach(const std::string& object, const std::string& name, hid_t type, const void* value);
};

void Builder::State::open() {
  auto access = made(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "a file in memory");
  auto creation = made(H5Pcreate(H5P_FILE_CREATE), H5Pclose, "a file in memory");
  check(use_target(access.get(), *target) &&
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

Handle Builder::State::make_dataset(const std::string& path, ElementType type,
                                    std::span<const std::size_t> shape) {
  const std::vector<hsize_t> extents(shape.begin(), shape.end());
  const auto creation = dataset_layout(type, shape, path);
  const auto space = made(
      H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr), H5Sclose, path);
  return made(H5Dcreate2(file.get(), path.c_str(), native_type(type), space.get(), H5P_DEFAULT,
                         creation.get(), H5P_DEFAULT),
              H5Dclose, path);
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
  auto memory = std::make_unique<MemoryTarget>();
  state_->memory = memory.get();
  state_->target = std::move(memory);
  state_->open();
}

Builder::Builder(AtomicFile& file) : state_(std::make_unique<State>()) {
  use_library();
  state_->output = &file;
  state_->target = std::make_unique<FileTarget>(file);
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
  auto dataset = state_->make_dataset(path, type, shape);
  const bool is_empty = std::find(shape.begin(), shape.end(), std::size_t{0}) != shape.end();
  if (!is_empty) {
    state_->check(
        H5Dwrite(dataset.get(), native_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0,
        path);
  }
  // Chunks are checksummed and stored when the dataset closes, so closing can fail too.
  state_->check(dataset.close(), path);
}

void Builder::write_parts(const std::string& path, ElementType type, std::size_t n_values,
                          std::size_t n_parts, const std::function<Part(std::size_t i)>& get) {
  const std::size_t shape[] = {n_values};
  const std::size_t n_a_chunk = n_values == 0 ? 0 : balanced_chunk(n_values, size_of(type));
  auto dataset = state_->make_dataset(path, type, shape);
  Bytes chunk(n_a_chunk * size_of(type));
  Part part{nullptr, 0};
  std::size_t next = 0;  // part
  const auto skip_empty = [&] {
    while (part.n_values == 0 && next < n_parts) part = get(next++);
  };
  for (std::size_t begin = 0; begin < n_values;) {
    const std::size_t n = std::min(n_a_chunk, n_values - begin);
    for (std::size_t n_taken = 0; n_taken < n;) {
      skip_empty();
      require(part.n_values > 0, "joined arrays have as many values as was said");
      const std::size_t some = std::min(n - n_taken, part.n_values);
      std::memcpy(chunk.data() + n_taken * size_of(type), part.values, some * size_of(type));
      n_taken += some;
      part.values = static_cast<const std::byte*>(part.values) + some * size_of(type);
      part.n_values -= some;
    }
    const hsize_t first = begin, count = n;
    const auto here = state_->made(H5Dget_space(dataset.get()), H5Sclose, path);
    const auto memory = state_->made(H5Screate_simple(1, &count, nullptr), H5Sclose, path);
    state_->check(
        H5Sselect_hyperslab(here.get(), H5S_SELECT_SET, &first, nullptr, &count, nullptr) >= 0 &&
            H5Dwrite(dataset.get(), native_type(type), memory.get(), here.get(), H5P_DEFAULT,
                     chunk.data()) >= 0,
        path);
    begin += n;
  }
  skip_empty();
  require(part.n_values == 0, "joined arrays have as many values as was said");
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

std::uint64_t Builder::State::finish() {
  require(file.is_valid(), "a file is finished once");
  check(file.close(), "the file");
  std::uint64_t end = 0;
  target->read(kEndOfFileAt, std::as_writable_bytes(std::span(&end, 1)));
  target->check();
  require(end > kUserBlockBytes && end <= target->end(), "HDF5 says where its file ends");
  return end;
}

Image Builder::finish() {
  require(state_->memory != nullptr, "an image is built in memory");
  const auto end = state_->finish();
  return Image(state_->memory->release(), end);
}

void Builder::finish(FileKind kind, std::uint32_t format, std::uint64_t sequence) {
  require(state_->output != nullptr, "a file is built in a file");
  const auto end = state_->finish();
  AtomicFile& output = *state_->output;
  output.keep(end);
  UserBlock block;
  block.kind = kind;
  block.format = format;
  block.sequence = sequence;
  block.n_bytes = end;
  block.content = output.digest_from(kUserBlockBytes);
  output.write_at(0, to_bytes(block));
}

}  // namespace orchard::h5
