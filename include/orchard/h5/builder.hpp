#pragma once

#include <functional>

#include "orchard/h5/user_block.hpp"

namespace orchard {
class AtomicFile;
}

namespace orchard::h5 {

/// Builds an HDF5 file, in memory or in a file. Equal calls give equal bytes: nothing in the file
/// depends on clock, host or memory. Every dataset with elements is chunked and carries a
/// fletcher32 checksum; there is no compression and no variable-length data; a group holds at most
/// 4,096 links. The first kUserBlockBytes bytes are left for user_block.hpp.
///
/// Paths are absolute ("/trees/left"); the group above must have been made. Throws kInternal with
/// HDF5's own words when a call is refused, std::bad_alloc when memory runs out. Local, main thread
/// only (HDF5 is not thread-safe).
class Builder {
 public:
  /// In memory.
  Builder();
  /// In a new file, borrowed until it is finished: bytes go there as HDF5 lets go of them, so that
  /// memory holds but a chunk or two. Besides, all calls throw what writing the file throws.
  explicit Builder(AtomicFile& file);
  ~Builder();
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  void make_group(const std::string& path);

  /// One dimension: the values as they are.
  template <class T>
  void write(const std::string& path, const std::vector<T>& values) {
    const std::size_t shape[] = {values.size()};
    write_raw(path, ElementTypeOf<T>::kValue, shape, values.data());
  }
  /// Two dimensions, row-major: `values` holds n_rows * n_columns elements.
  template <class T>
  void write(const std::string& path, const std::vector<T>& values, std::size_t n_rows,
             std::size_t n_columns) {
    const std::size_t shape[] = {n_rows, n_columns};
    check_size(path, shape, values.size());
    write_raw(path, ElementTypeOf<T>::kValue, shape, values.data());
  }
  /// One dimension: `n_arrays` arrays end to end, `n_values` values in all, which are not joined in
  /// memory. `get(i)` gives the i-th, in order and each once; it need only be there until the next
  /// is asked for. Throws kInternal when there are more or fewer values.
  template <class T>
  void write_joined(const std::string& path, std::size_t n_values, std::size_t n_arrays,
                    const std::function<std::span<const T>(std::size_t i)>& get) {
    write_parts(path, ElementTypeOf<T>::kValue, n_values, n_arrays, [&](std::size_t i) {
      const auto array = get(i);
      return Part{array.data(), array.size()};
    });
  }
  /// A list of texts (any bytes): makes the group `path` with the datasets `bytes` (all texts end
  /// to end) and `offsets` (n + 1 entries).
  void write_strings(const std::string& path, const std::vector<std::string>& texts);

  /// Attributes of a group or dataset. Texts are of fixed length, at most 1,000 bytes, without NUL.
  void set_attribute(const std::string& object, const std::string& name, std::int64_t value);
  void set_attribute(const std::string& object, const std::string& name, double value);
  void set_attribute(const std::string& object, const std::string& name, std::string_view value);

  /// Closes a file in memory and hands over its bytes. Nothing can be added afterwards.
  Image finish();
  /// Closes a file in a file and fills its user block. The file is complete, but not published.
  void finish(FileKind kind, std::uint32_t format, std::uint64_t sequence);

 private:
  struct Part {
    const void* values;
    std::size_t n_values;
  };
  void write_parts(const std::string& path, ElementType type, std::size_t n_values,
                   std::size_t n_parts, const std::function<Part(std::size_t i)>& get);
  void write_raw(const std::string& path, ElementType type, std::span<const std::size_t> shape,
                 const void* values);
  static void check_size(const std::string& path, std::span<const std::size_t> shape,
                         std::size_t n_values);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace orchard::h5
