#include "file_driver.hpp"

#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>

#include "orchard/base/file.hpp"

namespace orchard::h5 {
namespace {

/// The access list's word on where the file lies.
struct DriverInfo {
  Target* target;
};

/// An open file, as HDF5 holds it: its own part comes first.
struct OpenTarget {
  H5FD_t base;
  Target* target;
  haddr_t end_of_allocation;
};

OpenTarget& opened(H5FD_t* file) { return *reinterpret_cast<OpenTarget*>(file); }
const OpenTarget& opened(const H5FD_t* file) { return *reinterpret_cast<const OpenTarget*>(file); }

H5FD_t* open(const char*, unsigned, hid_t access, haddr_t) {
  const auto* info = static_cast<const DriverInfo*>(H5Pget_driver_info(access));
  if (info == nullptr) return nullptr;
  auto* file = new (std::nothrow) OpenTarget{{}, info->target, 0};
  return reinterpret_cast<H5FD_t*>(file);
}

herr_t close(H5FD_t* file) {
  delete reinterpret_cast<OpenTarget*>(file);
  return 0;
}

/// Two files are one when they have one target.
int compare(const H5FD_t* a, const H5FD_t* b) {
  return std::less<>()(opened(a).target, opened(b).target)   ? -1
         : std::less<>()(opened(b).target, opened(a).target) ? 1
                                                             : 0;
}

/// How HDF5 lays out its own parts of the file depends on these.
herr_t query(const H5FD_t*, unsigned long* features) {
  if (features == nullptr) return 0;
  *features = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
              H5FD_FEAT_AGGREGATE_SMALLDATA;
  return 0;
}

haddr_t end_of_allocation(const H5FD_t* file, H5FD_mem_t) { return opened(file).end_of_allocation; }

herr_t set_end_of_allocation(H5FD_t* file, H5FD_mem_t, haddr_t end) {
  opened(file).end_of_allocation = end;
  return 0;
}

haddr_t end_of_file(const H5FD_t* file, H5FD_mem_t) { return opened(file).target->end(); }

herr_t read(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, std::size_t n_bytes, void* out) {
  opened(file).target->read(at, {static_cast<std::byte*>(out), n_bytes});
  return 0;
}

herr_t write(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, std::size_t n_bytes, const void* from) {
  opened(file).target->write(at, {static_cast<const std::byte*>(from), n_bytes});
  return 0;
}

/// Registered once a process; HDF5 drops it when the library closes.
hid_t driver() {
  static H5FD_class_t description = {};
  static const hid_t id = [] {
#ifdef H5FD_CLASS_VERSION
    description.version = H5FD_CLASS_VERSION;
    description.value = static_cast<H5FD_class_value_t>(H5FD_CLASS_VALUE_RESERVED_MAX + 1);
#endif
    description.name = "orchard";
    description.maxaddr = HADDR_MAX;
    description.fc_degree = H5F_CLOSE_WEAK;
    description.fapl_size = sizeof(DriverInfo);
    description.open = open;
    description.close = close;
    description.cmp = compare;
    description.query = query;
    description.get_eoa = end_of_allocation;
    description.set_eoa = set_end_of_allocation;
    description.get_eof = end_of_file;
    description.read = read;
    description.write = write;
    const H5FD_mem_t free_lists[] = H5FD_FLMAP_DICHOTOMY;
    std::copy(std::begin(free_lists), std::end(free_lists), description.fl_map);
    return H5FDregister(&description);
  }();
  return id;
}

}  // namespace

void Target::write(std::uint64_t at, ByteSpan bytes) noexcept {
  end_ = std::max(end_, at + bytes.size());
  if (failure_) return;
  try {
    do_write(at, bytes);
  } catch (...) {
    failure_ = std::current_exception();
  }
}

void Target::read(std::uint64_t at, std::span<std::byte> out) noexcept {
  if (!failure_) {
    try {
      return do_read(at, out);
    } catch (...) {
      failure_ = std::current_exception();
    }
  }
  std::fill(out.begin(), out.end(), std::byte{0});
}

MemoryTarget::~MemoryTarget() { std::free(data_); }

void MemoryTarget::do_write(std::uint64_t at, ByteSpan bytes) {
  const std::size_t end = at + bytes.size();
  if (end > capacity_) {
    const std::size_t wanted = std::max(end, capacity_ + capacity_ / 2);
    void* grown = std::realloc(data_, wanted);
    if (grown == nullptr) throw std::bad_alloc();
    data_ = static_cast<std::byte*>(grown);
    capacity_ = wanted;
  }
  if (end > n_bytes_) {
    std::memset(data_ + n_bytes_, 0, end - n_bytes_);
    n_bytes_ = end;
  }
  std::memcpy(data_ + at, bytes.data(), bytes.size());
}

void MemoryTarget::do_read(std::uint64_t at, std::span<std::byte> out) {
  const std::size_t n_known = at < n_bytes_ ? std::min<std::size_t>(out.size(), n_bytes_ - at) : 0;
  if (n_known > 0) std::memcpy(out.data(), data_ + at, n_known);
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(n_known), out.end(), std::byte{0});
}

void FileTarget::do_write(std::uint64_t at, ByteSpan bytes) { file_.write_at(at, bytes); }

void FileTarget::do_read(std::uint64_t at, std::span<std::byte> out) { file_.read_at(at, out); }

bool use_target(hid_t access, Target& target) {
  const DriverInfo info{&target};
  return driver() >= 0 && H5Pset_driver(access, driver(), &info) >= 0;
}

}  // namespace orchard::h5
