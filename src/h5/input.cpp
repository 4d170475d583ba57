#include "orchard/h5/input.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string_view>

#include "library.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::h5 {
namespace {

herr_t collect_name(hid_t, const char* name, const H5L_info_t*, void* names) {
  try {
    static_cast<std::vector<std::string>*>(names)->push_back(name);
    return 0;
  } catch (...) {
    return -1;  // exceptions must not pass through C
  }
}

/// HDF5 is not thread-safe, and ranks may be threads of one process.
std::mutex& library_mutex() {
  static std::mutex mutex;
  return mutex;
}

struct Dataset {
  Handle id;
  std::vector<std::uint64_t> shape;
};

}  // namespace

bool is_hdf5(const std::string& path) {
  using namespace std::string_view_literals;
  constexpr auto kMagic = "\x89HDF\r\n\x1a\n"sv;
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;  // a pipe would wait for ever
  std::ifstream file(path, std::ios::binary);
  std::string head(kMagic.size(), '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  return file.good() && head == kMagic;
}

struct InputFile::State {
  std::string path;
  std::uint64_t n_bytes = 0;
  Handle file;
  std::map<std::string, Dataset> opened;

  [[noreturn]] void fail(const std::string& dataset, const std::string& message,
                         const std::string& hint = {}) const {
    const std::string place = dataset.empty() ? "" : escape(dataset, 200) + ": ";
    throw Error(ErrorKind::kData, place + message, path, hint);
  }
  void check(bool is_good, const std::string& dataset) const {
    if (!is_good) fail(dataset, take_error_text());
  }
  Handle made(hid_t id, Handle::Close close, const std::string& dataset) const {
    Handle handle(id, close);
    check(handle.is_valid(), dataset);
    return handle;
  }

  const Dataset& open(const std::string& name);
  void check_link(const std::string& name) const;
  void check_type(hid_t dataset, const std::string& name) const;
  void check_storage(const Dataset& dataset, const std::string& name) const;
  void read(const std::string& name, std::uint64_t first, std::uint64_t last,
            std::uint64_t first_column, std::uint64_t last_column, hid_t type, void* out);
};

const Dataset& InputFile::State::open(const std::string& name) {
  const auto known = opened.find(name);
  if (known != opened.end()) return known->second;
  check_link(name);
  Dataset dataset;
  dataset.id = made(H5Dopen2(file.get(), name.c_str(), H5P_DEFAULT), H5Dclose, name);
  check_type(dataset.id.get(), name);
  const auto space = made(H5Dget_space(dataset.id.get()), H5Sclose, name);
  const int n_dims = H5Sget_simple_extent_ndims(space.get());
  if (H5Sget_simple_extent_type(space.get()) != H5S_SIMPLE || n_dims < 1 || n_dims > 2) {
    fail(name, format("has {} dimensions, expected one or two", n_dims));
  }
  hsize_t extents[2] = {0, 0};
  check(H5Sget_simple_extent_dims(space.get(), extents, nullptr) >= 0, name);
  dataset.shape.assign(extents, extents + n_dims);
  check_storage(dataset, name);
  return opened.emplace(name, std::move(dataset)).first->second;
}

void InputFile::State::check_link(const std::string& name) const {
  if (H5Lexists(file.get(), name.c_str(), H5P_DEFAULT) <= 0) fail(name, "is absent");
  H5L_info_t link{};
  check(H5Lget_info(file.get(), name.c_str(), &link, H5P_DEFAULT) >= 0, name);
  if (link.type != H5L_TYPE_HARD) fail(name, "is a soft or external link, which is refused");
  H5O_info_t info{};
  check(H5Oget_info_by_name2(file.get(), name.c_str(), &info, H5O_INFO_BASIC, H5P_DEFAULT) >= 0,
        name);
  if (info.type != H5O_TYPE_DATASET) fail(name, "is no dataset");
}

void InputFile::State::check_type(hid_t dataset, const std::string& name) const {
  const auto type = made(H5Dget_type(dataset), H5Tclose, name);
  const H5T_class_t kind = H5Tget_class(type.get());
  if (kind == H5T_INTEGER || kind == H5T_FLOAT) return;
  fail(name, "holds no numbers: its elements are neither integers nor floating-point",
       "Texts and compound types must be turned into numbers first.");
}

void InputFile::State::check_storage(const Dataset& dataset, const std::string& name) const {
  const auto creation = made(H5Dget_create_plist(dataset.id.get()), H5Pclose, name);
  const H5D_layout_t layout = H5Pget_layout(creation.get());
  if (layout != H5D_CHUNKED && layout != H5D_CONTIGUOUS && layout != H5D_COMPACT) {
    fail(name, "is stored in another dataset (virtual), which is refused");
  }
  if (H5Pget_external_count(creation.get()) != 0) {
    fail(name, "is stored in another file (external), which is refused");
  }
  // What is not compressed must fit the file; of the rest, nothing shrinks to less than a
  // thousandth.
  const std::uint64_t factor = H5Pget_nfilters(creation.get()) > 0 ? 1100 : 1;
  const auto type = made(H5Dget_type(dataset.id.get()), H5Tclose, name);
  std::uint64_t room = n_bytes * factor / std::max<std::uint64_t>(1, H5Tget_size(type.get()));
  for (const auto extent : dataset.shape) {
    if (extent > room) {
      fail(name, format("claims an extent of {}, more than the file holds", extent));
    }
    room = extent == 0 ? room : room / extent;
  }
  if (layout != H5D_CHUNKED) return;
  // HDF5 trusts the shape of chunks, and would read past what a damaged one holds.
  hsize_t chunk[2] = {0, 0}, greatest[2] = {0, 0};
  const auto space = made(H5Dget_space(dataset.id.get()), H5Sclose, name);
  check(H5Sget_simple_extent_dims(space.get(), nullptr, greatest) >= 0, name);
  const int n_dims = H5Pget_chunk(creation.get(), 2, chunk);
  check(n_dims == static_cast<int>(dataset.shape.size()), name);
  for (int i = 0; i < n_dims; ++i) {
    if (chunk[i] > greatest[i]) {
      fail(name,
           format("has chunks of {} elements in a dimension of at most {}", chunk[i], greatest[i]));
    }
  }
}

void InputFile::State::read(const std::string& name, std::uint64_t first, std::uint64_t last,
                            std::uint64_t first_column, std::uint64_t last_column, hid_t type,
                            void* out) {
  const Dataset& dataset = open(name);
  require(first <= last && last <= dataset.shape.front(), "rows of the dataset are read");
  if (first == last || first_column == last_column) return;
  const auto space = made(H5Dget_space(dataset.id.get()), H5Sclose, name);
  const int n_dims = static_cast<int>(dataset.shape.size());
  const hsize_t start[2] = {first, first_column};
  const hsize_t count[2] = {last - first, last_column - first_column};
  check(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start, nullptr, count, nullptr) >= 0,
        name);
  const auto memory = made(H5Screate_simple(n_dims, count, nullptr), H5Sclose, name);
  check(H5Dread(dataset.id.get(), type, memory.get(), space.get(), H5P_DEFAULT, out) >= 0, name);
}

InputFile::InputFile(const std::string& path) {
  const std::lock_guard lock(library_mutex());
  auto state = std::make_unique<State>();
  use_library();
  state->path = path;
  std::error_code error;
  state->n_bytes = std::filesystem::file_size(path, error);
  if (error) throw Error(ErrorKind::kData, format("cannot be read: {}.", error.message()), path);
  const auto access = state->made(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "");
  state->check(H5Pset_file_locking(access.get(), 0, 1) >= 0, "");
  state->file = state->made(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose, "");
  state_ = std::move(state);
}

InputFile::~InputFile() {
  const std::lock_guard lock(library_mutex());
  state_.reset();
}

std::vector<std::string> InputFile::datasets() const {
  const std::lock_guard lock(library_mutex());
  std::vector<std::string> names, found;
  state_->check(H5Literate(state_->file.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_name,
                           &names) >= 0,
                "/");
  for (const auto& name : names) {
    H5O_info_t info{};
    const bool is_object = H5Oget_info_by_name2(state_->file.get(), name.c_str(), &info,
                                                H5O_INFO_BASIC, H5P_DEFAULT) >= 0;
    if (is_object && info.type == H5O_TYPE_DATASET) found.push_back(name);
  }
  return found;
}

std::vector<std::uint64_t> InputFile::shape(const std::string& dataset) const {
  const std::lock_guard lock(library_mutex());
  return state_->open(dataset).shape;
}

void InputFile::read_rows(const std::string& dataset, std::uint64_t first, std::uint64_t last,
                          double* out) const {
  const std::lock_guard lock(library_mutex());
  const auto& shape = state_->open(dataset).shape;
  state_->read(dataset, first, last, 0, shape.size() == 2 ? shape[1] : 1, H5T_NATIVE_DOUBLE, out);
}

void InputFile::read_block(const std::string& dataset, std::uint64_t first, std::uint64_t last,
                           std::uint64_t first_column, std::uint64_t last_column,
                           float* out) const {
  const std::lock_guard lock(library_mutex());
  const auto& shape = state_->open(dataset).shape;
  require(shape.size() == 2 && first_column <= last_column && last_column <= shape[1],
          "columns of the dataset are read");
  state_->read(dataset, first, last, first_column, last_column, H5T_NATIVE_FLOAT, out);
}

void InputFile::fail(const std::string& dataset, const std::string& message,
                     const std::string& hint) const {
  state_->fail(dataset, message, hint);
}

}  // namespace orchard::h5
