#pragma once
// Lists of arrays of different lengths: the arrays end to end in one dataset, the borders in
// "<path>_offsets"; and lists of texts and numbers of a size that is known. Private to this module.

#include <string>
#include <vector>

#include "orchard/h5/builder.hpp"
#include "orchard/h5/reader.hpp"

namespace orchard::store {

/// `get(item)` gives the array (a const std::vector<T>&) of an item.
template <class T, class Items, class Get>
void write_ragged(h5::Builder& builder, const std::string& path, const Items& items, Get get) {
  std::vector<std::uint64_t> offsets = {0};
  for (const auto& item : items) {
    const std::vector<T>& values = get(item);
    offsets.push_back(offsets.back() + values.size());
  }
  std::vector<T> joined;
  joined.reserve(offsets.back());
  for (const auto& item : items) {
    const std::vector<T>& values = get(item);
    joined.insert(joined.end(), values.begin(), values.end());
  }
  builder.write(path, joined);
  builder.write(path + "_offsets", offsets);
}

/// The borders of `n_items` parts of something with `n_values` values.
inline std::vector<std::uint64_t> read_offsets(const h5::Reader& reader, const std::string& path,
                                               std::size_t n_items, std::uint64_t n_values) {
  auto offsets = reader.read<std::uint64_t>(path, n_items + 1);
  h5::check_offsets(reader, path, offsets, n_values);
  return offsets;
}

/// Hands each item's array to `set(item index, array)`.
template <class T, class Set>
void read_ragged(const h5::Reader& reader, const std::string& path, std::size_t n_items, Set set) {
  const auto joined = reader.read<T>(path);
  const auto offsets = read_offsets(reader, path + "_offsets", n_items, joined.size());
  for (std::size_t i = 0; i < n_items; ++i) {
    set(i, std::vector<T>(joined.begin() + static_cast<std::ptrdiff_t>(offsets[i]),
                          joined.begin() + static_cast<std::ptrdiff_t>(offsets[i + 1])));
  }
}

/// As write_ragged, for lists of texts.
template <class Items, class Get>
void write_ragged_texts(h5::Builder& builder, const std::string& path, const Items& items,
                        Get get) {
  std::vector<std::uint64_t> offsets = {0};
  std::vector<std::string> joined;
  for (const auto& item : items) {
    const std::vector<std::string>& texts = get(item);
    joined.insert(joined.end(), texts.begin(), texts.end());
    offsets.push_back(joined.size());
  }
  builder.write_strings(path, joined);
  builder.write(path + "_offsets", offsets);
}

template <class Set>
void read_ragged_texts(const h5::Reader& reader, const std::string& path, std::size_t n_items,
                       Set set) {
  const auto joined = reader.read_strings(path);
  const auto offsets = read_offsets(reader, path + "_offsets", n_items, joined.size());
  for (std::size_t i = 0; i < n_items; ++i) {
    set(i, std::vector<std::string>(joined.begin() + static_cast<std::ptrdiff_t>(offsets[i]),
                                    joined.begin() + static_cast<std::ptrdiff_t>(offsets[i + 1])));
  }
}

/// An attribute that must fit 32 bits.
inline std::int32_t read_int32(const h5::Reader& reader, const std::string& object,
                               const std::string& name) {
  const std::int64_t value = reader.int_attribute(object, name);
  if (value < INT32_MIN || value > INT32_MAX) {
    reader.fail(object + "@" + name, "is " + std::to_string(value));
  }
  return static_cast<std::int32_t>(value);
}

/// Reads one list of texts that must have `n_texts` entries.
inline std::vector<std::string> read_texts(const h5::Reader& reader, const std::string& path,
                                           std::size_t n_texts) {
  auto texts = reader.read_strings(path);
  if (texts.size() != n_texts) {
    reader.fail(path, "has " + std::to_string(texts.size()) + " texts, expected " +
                          std::to_string(n_texts));
  }
  return texts;
}

}  // namespace orchard::store
