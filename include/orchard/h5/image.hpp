#pragma once
// An HDF5 file as bytes in memory. HDF5 never touches a disk for orchard's own files: what it
// builds lies here or is written by base/file.hpp, and what it reads lies here.

#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "orchard/base/types.hpp"

namespace orchard::h5 {

/// Element types of our datasets, always little-endian in the file.
enum class ElementType : std::uint8_t { kUint8, kInt32, kUint32, kInt64, kUint64, kFloat, kDouble };

std::size_t size_of(ElementType type);
/// "uint8", "int32", ...
std::string_view name_of(ElementType type);

template <class T>
struct ElementTypeOf;
template <>
struct ElementTypeOf<std::uint8_t> {
  static constexpr ElementType kValue = ElementType::kUint8;
};
template <>
struct ElementTypeOf<std::int32_t> {
  static constexpr ElementType kValue = ElementType::kInt32;
};
template <>
struct ElementTypeOf<std::uint32_t> {
  static constexpr ElementType kValue = ElementType::kUint32;
};
template <>
struct ElementTypeOf<std::int64_t> {
  static constexpr ElementType kValue = ElementType::kInt64;
};
template <>
struct ElementTypeOf<std::uint64_t> {
  static constexpr ElementType kValue = ElementType::kUint64;
};
template <>
struct ElementTypeOf<float> {
  static constexpr ElementType kValue = ElementType::kFloat;
};
template <>
struct ElementTypeOf<double> {
  static constexpr ElementType kValue = ElementType::kDouble;
};

/// The bytes of a complete HDF5 file, user block first. Owns them; movable.
class Image {
 public:
  Image() = default;
  /// Takes over `data` from malloc.
  Image(std::byte* data, std::size_t n_bytes) : data_(data), n_bytes_(n_bytes) {}

  ByteSpan bytes() const { return {data_.get(), n_bytes_}; }
  std::span<std::byte> mutable_bytes() { return {data_.get(), n_bytes_}; }

 private:
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };
  std::unique_ptr<std::byte, Free> data_;
  std::size_t n_bytes_ = 0;
};

}  // namespace orchard::h5
