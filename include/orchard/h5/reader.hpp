#pragma once

#include <map>
#include <variant>

#include "orchard/h5/image.hpp"

namespace orchard::h5 {

/// One group or dataset of an open file.
struct Object {
  bool is_group = false;
  ElementType type = ElementType::kUint8;  ///< datasets only
  std::vector<std::uint64_t> shape;        ///< datasets only: one or two extents
  std::uint64_t n_values() const;
};

using AttributeValue = std::variant<std::int64_t, double, std::string>;

/// Reads an HDF5 file from memory; the bytes are borrowed and must outlive the reader. The whole
/// file is walked when it is opened, and refused unless it holds only what Builder writes: groups
/// and datasets behind hard links (no soft or external ones) kept in object headers, one or two
/// dimensions of the types above, no storage elsewhere, no filter but fletcher32, no dataset larger
/// than the file. So sizes can be trusted by whoever allocates. Native filter plugins are never
/// loaded.
///
/// Throws kData naming `name`, the object, what was found and what was expected. Local, main thread
/// only.
class Reader {
 public:
  Reader(ByteSpan bytes, std::string name);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /// Every object by absolute path, in bytewise order; the root group is "/".
  const std::map<std::string, Object>& objects() const;
  bool has(const std::string& path) const { return objects().count(path) > 0; }

  /// All elements in row-major order; the dataset must have this type exactly.
  template <class T>
  std::vector<T> read(const std::string& path) const {
    const Object& object = expect(path, ElementTypeOf<T>::kValue);
    std::vector<T> values(static_cast<std::size_t>(object.n_values()));
    read_raw(path, values.data());
    return values;
  }
  /// As `read`, of a dataset that must have `n_values` elements.
  template <class T>
  std::vector<T> read(const std::string& path, std::uint64_t n_values) const {
    expect_size(path, n_values);
    return read<T>(path);
  }
  /// What Builder::write_strings wrote.
  std::vector<std::string> read_strings(const std::string& path) const;
  /// A dataset's elements as bytes.
  Bytes read_bytes(const std::string& path) const;

  std::int64_t int_attribute(const std::string& object, const std::string& name) const;
  double double_attribute(const std::string& object, const std::string& name) const;
  std::string text_attribute(const std::string& object, const std::string& name) const;
  std::map<std::string, AttributeValue> attributes(const std::string& object) const;

  /// Throws kData: "<file>: <path>: <message>".
  [[noreturn]] void fail(const std::string& path, const std::string& message) const;

 private:
  const Object& expect(const std::string& path, ElementType type) const;
  void expect_size(const std::string& path, std::uint64_t n_values) const;
  void read_raw(const std::string& path, void* out) const;

  struct State;
  std::unique_ptr<State> state_;
};

/// Throws kData unless `offsets` are 0 = o[0] <= o[1] <= ... = `end`: the borders of parts laid end
/// to end. Returns the number of parts.
std::size_t check_offsets(const Reader& reader, const std::string& path,
                          std::span<const std::uint64_t> offsets, std::uint64_t end);

}  // namespace orchard::h5
