#include "orchard/h5/reader.hpp"

#include <cstring>
#include <exception>
#include <functional>
#include <limits>

#include "library.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::h5 {
namespace {

constexpr int kMaxDepth = 8;                        // groups inside groups
constexpr std::size_t kMaxObjects = 100'000;        // also ends cycles of hard links
constexpr std::size_t kMaxAttributeBytes = 65'536;  // HDF5's own limit in an object header

/// HDF5 reads the caller's bytes where they are: "copies" of the image are the image itself.
void* image_malloc(std::size_t, H5FD_file_image_op_t, void* image) { return image; }
void* image_memcpy(void* to, const void*, std::size_t, H5FD_file_image_op_t, void*) { return to; }
void* image_realloc(void*, std::size_t, H5FD_file_image_op_t, void*) { return nullptr; }
herr_t image_free(void*, H5FD_file_image_op_t, void*) { return 0; }
void* share_image(void* image) { return image; }
herr_t release_image(void*) { return 0; }

herr_t collect_name(hid_t, const char* name, const H5L_info_t*, void* names) {
  try {
    static_cast<std::vector<std::string>*>(names)->push_back(name);
    return 0;
  } catch (...) {
    return -1;  // exceptions must not pass through C
  }
}

herr_t collect_attribute(hid_t, const char* name, const H5A_info_t*, void* names) {
  return collect_name(H5I_INVALID_HID, name, nullptr, names);
}

}  // namespace

std::uint64_t Object::n_values() const {
  std::uint64_t n = 1;
  for (const auto extent : shape) n *= extent;
  return n;
}

struct Reader::State {
  std::string name;
  std::uint64_t n_bytes = 0;
  Handle file;
  std::map<std::string, Object> objects;

  [[noreturn]] void fail(const std::string& path, const std::string& message) const {
    const std::string place = path.empty() ? "" : escape(path, 200) + ": ";
    throw Error(ErrorKind::kData, place + message, name);
  }
  void check(bool is_good, const std::string& path) const {
    if (!is_good) fail(path, take_error_text());
  }
  Handle made(hid_t id, Handle::Close close, const std::string& path) const {
    Handle handle(id, close);
    check(handle.is_valid(), path);
    return handle;
  }

  void open(ByteSpan bytes);
  void walk(const std::string& path, int depth);
  void add_child(const std::string& path, int depth);
  Object dataset_object(const std::string& path) const;
  void check_storage(hid_t dataset, const std::string& path) const;
  ElementType element_type(hid_t dataset, const std::string& path) const;
  AttributeValue attribute(hid_t owner, const std::string& path, const std::string& key) const;
};

void Reader::State::open(ByteSpan bytes) {
  n_bytes = bytes.size();
  if (bytes.empty()) fail("", "is empty");
  auto* image = const_cast<std::byte*>(bytes.data());
  const auto access = made(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "");
  H5FD_file_image_callbacks_t callbacks = {image_malloc, image_memcpy,  image_realloc, image_free,
                                           share_image,  release_image, image};
  check(H5Pset_fapl_core(access.get(), std::size_t{1} << 20, 0) >= 0 &&
            H5Pset_file_image_callbacks(access.get(), &callbacks) >= 0 &&
            H5Pset_file_image(access.get(), image, bytes.size()) >= 0,
        "");
  file = made(H5Fopen(unique_file_name().c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose, "");
  objects["/"].is_group = true;
  walk("/", 0);
}

void Reader::State::walk(const std::string& path, int depth) {
  if (depth > kMaxDepth) fail(path, format("groups are nested deeper than {}", kMaxDepth));
  const auto group = made(H5Gopen2(file.get(), path.c_str(), H5P_DEFAULT), H5Gclose, path);
  // Only links inside the object header are under a checksum; HDF5 follows a damaged heap or
  // B-tree of links into memory that it does not own.
  H5G_info_t info{};
  check(H5Gget_info(group.get(), &info) >= 0, path);
  if (info.storage_type != H5G_STORAGE_TYPE_COMPACT) {
    fail(path, "keeps its links in a form that orchard never writes");
  }
  std::vector<std::string> names;
  check(H5Literate(group.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_name, &names) >= 0,
        path);
  for (const auto& link : names) add_child(path == "/" ? "/" + link : path + "/" + link, depth);
}

void Reader::State::add_child(const std::string& path, int depth) {
  if (objects.size() >= kMaxObjects) fail(path, format("more than {} objects", kMaxObjects));
  H5L_info_t link{};
  check(H5Lget_info(file.get(), path.c_str(), &link, H5P_DEFAULT) >= 0, path);
  if (link.type != H5L_TYPE_HARD) fail(path, "is a soft or external link, which is refused");
  H5O_info_t info{};
  check(H5Oget_info_by_name2(file.get(), path.c_str(), &info, H5O_INFO_BASIC, H5P_DEFAULT) >= 0,
        path);
  if (info.type == H5O_TYPE_GROUP) {
    objects[path].is_group = true;
    walk(path, depth + 1);
  } else if (info.type == H5O_TYPE_DATASET) {
    objects[path] = dataset_object(path);
  } else {
    fail(path, "is neither a group nor a dataset");
  }
}

Object Reader::State::dataset_object(const std::string& path) const {
  const auto dataset = made(H5Dopen2(file.get(), path.c_str(), H5P_DEFAULT), H5Dclose, path);
  Object object;
  object.type = element_type(dataset.get(), path);
  const auto space = made(H5Dget_space(dataset.get()), H5Sclose, path);
  const int n_dims = H5Sget_simple_extent_ndims(space.get());
  if (H5Sget_simple_extent_type(space.get()) != H5S_SIMPLE || n_dims < 1 || n_dims > 2) {
    fail(path, format("has {} dimensions, expected one or two", n_dims));
  }
  hsize_t extents[2] = {0, 0};
  check(H5Sget_simple_extent_dims(space.get(), extents, nullptr) >= 0, path);
  object.shape.assign(extents, extents + n_dims);
  // Nothing is compressed, so what claims to be larger than the file is not to be believed.
  std::uint64_t room = n_bytes / size_of(object.type);
  for (const auto extent : object.shape) {
    if (extent > room)
      fail(path, format("claims an extent of {}, more than the file holds", extent));
    room = extent == 0 ? room : room / extent;
  }
  check_storage(dataset.get(), path);
  return object;
}

void Reader::State::check_storage(hid_t dataset, const std::string& path) const {
  const auto creation = made(H5Dget_create_plist(dataset), H5Pclose, path);
  const H5D_layout_t layout = H5Pget_layout(creation.get());
  if (layout != H5D_CHUNKED && layout != H5D_CONTIGUOUS && layout != H5D_COMPACT) {
    fail(path, "is stored in another dataset (virtual), which is refused");
  }
  if (H5Pget_external_count(creation.get()) != 0) {
    fail(path, "is stored in another file (external), which is refused");
  }
  const int n_filters = H5Pget_nfilters(creation.get());
  for (int i = 0; i < n_filters; ++i) {
    unsigned flags = 0, config = 0;
    std::size_t n_values = 0;
    const H5Z_filter_t filter = H5Pget_filter2(creation.get(), static_cast<unsigned>(i), &flags,
                                               &n_values, nullptr, 0, nullptr, &config);
    if (filter != H5Z_FILTER_FLETCHER32) {
      fail(path, format("needs filter {}, which is refused (only fletcher32 is known)",
                        static_cast<int>(filter)));
    }
  }
}

ElementType Reader::State::element_type(hid_t dataset, const std::string& path) const {
  const auto type = made(H5Dget_type(dataset), H5Tclose, path);
  for (const auto known :
       {ElementType::kUint8, ElementType::kInt32, ElementType::kUint32, ElementType::kInt64,
        ElementType::kUint64, ElementType::kFloat, ElementType::kDouble}) {
    if (H5Tequal(type.get(), native_type(known)) > 0) return known;
  }
  fail(path, "has elements of a type that orchard never writes");
}

AttributeValue Reader::State::attribute(hid_t owner, const std::string& path,
                                        const std::string& key) const {
  const std::string what = path + "@" + key;
  const auto attribute = made(H5Aopen(owner, key.c_str(), H5P_DEFAULT), H5Aclose, what);
  const auto type = made(H5Aget_type(attribute.get()), H5Tclose, what);
  const auto space = made(H5Aget_space(attribute.get()), H5Sclose, what);
  if (H5Sget_simple_extent_npoints(space.get()) != 1) fail(what, "is not a single value");
  if (H5Tequal(type.get(), H5T_STD_I64LE) > 0) {
    std::int64_t value = 0;
    check(H5Aread(attribute.get(), type.get(), &value) >= 0, what);
    return value;
  }
  if (H5Tequal(type.get(), H5T_IEEE_F64LE) > 0) {
    double value = 0;
    check(H5Aread(attribute.get(), type.get(), &value) >= 0, what);
    return value;
  }
  const std::size_t size = H5Tget_size(type.get());
  if (H5Tget_class(type.get()) != H5T_STRING || H5Tis_variable_str(type.get()) != 0 || size == 0 ||
      size > kMaxAttributeBytes) {
    fail(what, "is neither a number nor a text of fixed length");
  }
  std::string text(size, '\0');
  check(H5Aread(attribute.get(), type.get(), text.data()) >= 0, what);
  text.resize(std::strlen(text.c_str()));
  return text;
}

Reader::Reader(ByteSpan bytes, std::string name) : state_(std::make_unique<State>()) {
  use_library();
  state_->name = std::move(name);
  state_->open(bytes);
}

Reader::~Reader() = default;

const std::map<std::string, Object>& Reader::objects() const { return state_->objects; }

void Reader::fail(const std::string& path, const std::string& message) const {
  state_->fail(path, message);
}

const Object& Reader::expect(const std::string& path, ElementType type) const {
  const auto found = state_->objects.find(path);
  if (found == state_->objects.end()) fail(path, "is absent");
  const Object& object = found->second;
  if (object.is_group) fail(path, "is a group, expected a dataset");
  if (object.type != type) {
    fail(path, format("has elements of type {}, expected {}", name_of(object.type), name_of(type)));
  }
  return object;
}

void Reader::expect_size(const std::string& path, std::uint64_t n_values) const {
  const auto found = state_->objects.find(path);
  if (found == state_->objects.end() || found->second.is_group) return;  // `expect` says it
  if (found->second.n_values() == n_values) return;
  fail(path, format("has {}, expected {}", counted(found->second.n_values(), "value"), n_values));
}

void Reader::read_raw(const std::string& path, void* out) const {
  const Object& object = state_->objects.at(path);
  if (object.n_values() == 0) return;
  const auto dataset =
      state_->made(H5Dopen2(state_->file.get(), path.c_str(), H5P_DEFAULT), H5Dclose, path);
  state_->check(
      H5Dread(dataset.get(), native_type(object.type), H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0,
      path);
}

Bytes Reader::read_bytes(const std::string& path) const {
  const auto found = state_->objects.find(path);
  if (found == state_->objects.end() || found->second.is_group) fail(path, "is no dataset");
  Bytes bytes(found->second.n_values() * size_of(found->second.type));
  read_raw(path, bytes.data());
  return bytes;
}

std::vector<std::string> Reader::read_strings(const std::string& path) const {
  const auto bytes = read<std::uint8_t>(path + "/bytes");
  const auto offsets = read<std::uint64_t>(path + "/offsets");
  const std::size_t n_texts = check_offsets(*this, path + "/offsets", offsets, bytes.size());
  std::vector<std::string> texts(n_texts);
  for (std::size_t i = 0; i < n_texts; ++i) {
    texts[i].assign(reinterpret_cast<const char*>(bytes.data()) + offsets[i],
                    offsets[i + 1] - offsets[i]);
  }
  return texts;
}

std::map<std::string, AttributeValue> Reader::attributes(const std::string& object) const {
  const auto owner =
      state_->made(H5Oopen(state_->file.get(), object.c_str(), H5P_DEFAULT), H5Oclose, object);
  std::vector<std::string> names;
  state_->check(
      H5Aiterate2(owner.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_attribute, &names) >= 0,
      object);
  std::map<std::string, AttributeValue> values;
  for (const auto& name : names) values[name] = state_->attribute(owner.get(), object, name);
  return values;
}

namespace {

template <class T>
T typed_attribute(const Reader& reader, const std::string& object, const std::string& name,
                  const char* kind) {
  const auto values = reader.attributes(object);
  const auto found = values.find(name);
  if (found == values.end()) reader.fail(object + "@" + name, "is absent");
  const T* value = std::get_if<T>(&found->second);
  if (value == nullptr) reader.fail(object + "@" + name, format("is not {}", kind));
  return *value;
}

}  // namespace

std::int64_t Reader::int_attribute(const std::string& object, const std::string& name) const {
  return typed_attribute<std::int64_t>(*this, object, name, "an integer");
}

double Reader::double_attribute(const std::string& object, const std::string& name) const {
  return typed_attribute<double>(*this, object, name, "a real number");
}

std::string Reader::text_attribute(const std::string& object, const std::string& name) const {
  return typed_attribute<std::string>(*this, object, name, "a text");
}

std::size_t check_offsets(const Reader& reader, const std::string& path,
                          std::span<const std::uint64_t> offsets, std::uint64_t end) {
  if (offsets.empty() || offsets.front() != 0 || offsets.back() != end) {
    reader.fail(path, format("does not run from 0 to {}", end));
  }
  for (std::size_t i = 1; i < offsets.size(); ++i) {
    if (offsets[i] < offsets[i - 1]) reader.fail(path, format("falls at place {}", i));
  }
  return offsets.size() - 1;
}

}  // namespace orchard::h5
