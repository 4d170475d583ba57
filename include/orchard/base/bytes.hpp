#pragma once
// Plain serialisation for messages between ranks and for digests. Little-endian machines only;
// files use HDF5, never this.

#include <bit>
#include <cstring>
#include <ranges>
#include <string>
#include <type_traits>

#include "orchard/base/error.hpp"
#include "orchard/base/types.hpp"

namespace orchard {

static_assert(std::endian::native == std::endian::little);

/// Types whose bytes are their whole value: no pointers, and no views, which are pointers too.
template <class T>
concept Plain = std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> && !std::is_array_v<T> &&
                !std::ranges::enable_borrowed_range<T>;

/// Appends values to a byte string.
class ByteWriter {
 public:
  template <Plain T>
  void put(const T& value) {
    append(&value, sizeof value);
  }
  template <Plain T>
  void put(const std::vector<T>& values) {
    put<std::uint64_t>(values.size());
    append(values.data(), values.size() * sizeof(T));
  }
  void put(const std::string& text) {
    put<std::uint64_t>(text.size());
    append(text.data(), text.size());
  }
  void put(const std::vector<std::string>& texts) {
    put<std::uint64_t>(texts.size());
    for (const auto& text : texts) put(text);
  }
  /// Makes room for so many more bytes.
  void reserve(std::size_t n_bytes) { bytes_.reserve(bytes_.size() + n_bytes); }
  Bytes take() { return std::move(bytes_); }
  const Bytes& bytes() const { return bytes_; }

 private:
  void append(const void* data, std::size_t n_bytes) {
    if (n_bytes == 0) return;
    const auto at = bytes_.size();
    bytes_.resize(at + n_bytes);
    std::memcpy(bytes_.data() + at, data, n_bytes);
  }
  Bytes bytes_;
};

/// Reads what ByteWriter wrote, in the same order. Throws kInternal past the end.
class ByteReader {
 public:
  explicit ByteReader(ByteSpan bytes) : bytes_(bytes) {}

  template <Plain T>
  T get() {
    T value;
    copy(&value, sizeof value);
    return value;
  }
  template <Plain T>
  std::vector<T> get_vector() {
    const auto size = get<std::uint64_t>();
    require(size <= (bytes_.size() - at_) / sizeof(T), "a message holds its whole vector");
    std::vector<T> values(size);
    copy(values.data(), size * sizeof(T));
    return values;
  }
  std::string get_string() {
    const auto size = get<std::uint64_t>();
    require(size <= bytes_.size() - at_, "a message holds its whole text");
    std::string text(size, '\0');
    copy(text.data(), size);
    return text;
  }
  std::vector<std::string> get_strings() {
    const auto size = get<std::uint64_t>();
    require(size <= (bytes_.size() - at_) / sizeof(std::uint64_t), "a message holds its texts");
    std::vector<std::string> texts(size);
    for (auto& text : texts) text = get_string();
    return texts;
  }
  bool is_at_end() const { return at_ == bytes_.size(); }

 private:
  void copy(void* out, std::size_t n_bytes) {
    require(n_bytes <= bytes_.size() - at_, "a message is as long as its reader expects");
    if (n_bytes > 0) std::memcpy(out, bytes_.data() + at_, n_bytes);
    at_ += n_bytes;
  }
  ByteSpan bytes_;
  std::size_t at_ = 0;
};

}  // namespace orchard
